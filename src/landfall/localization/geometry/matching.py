"""Which local features of two photos belong together: mutual nearest neighbours that pass the ratio test.

The ratio test is Lowe's (IJCV 2004, section 7.1): a feature's nearest neighbour must be clearly nearer than
the second nearest, else it is one of many alike, such as a row of windows. Mutual: each is the other's
nearest. All distances come from one matrix product, because descriptors have unit norm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.localization.geometry.features import Features

Integers = NDArray[np.int64]

# Lowe's: it loses a twentieth of right matches and nine tenths of wrong ones.
RATIO = 0.8
# Squared distances of unit rows in float32 are this uncertain; two neighbours nearer than that are equal.
_ROUNDING = 1e-6


def match_features(a: Features, b: Features, ratio: float = RATIO) -> Integers:
    """Return the pairs (m, 2) of rows of ``a`` and ``b`` that match, by rows of ``a``.

    A photo with a single feature has no second nearest to compare with, so nothing matches it. Of rows of
    ``a`` that are equally near to one of ``b``, the first has it.

    Args:
        a: features of one photo; their neighbours are tested by the ratio.
        b: of the other.
        ratio: of the nearest neighbour's distance to the second nearest's, which matches are below.

    Raises:
        UsageError: a ratio outside 0 to 1.
    """
    if not 0 < ratio <= 1:
        raise UsageError(f"The ratio is {ratio}: expected above 0 and up to 1.")
    if len(a) == 0 or len(b) < 2:
        return np.empty((0, 2), np.int64)
    likeness = a.descriptors @ b.descriptors.T
    every = np.arange(len(a))
    nearest = likeness.argmax(axis=1)
    first = likeness[every, nearest]
    # The place of a column's greatest value would cost more, and only rows that tie would need it.
    mutual = first == likeness.max(axis=0)[nearest]
    likeness[every, nearest] = -np.inf
    near, next_near = _squared_distance(first), _squared_distance(likeness.max(axis=1))
    rows = np.flatnonzero(mutual & (near < ratio**2 * next_near) & (next_near > _ROUNDING))
    _, earliest = np.unique(nearest[rows], return_index=True)
    rows = rows[np.sort(earliest)]
    return np.stack([rows, nearest[rows]], axis=1)


def _squared_distance(likeness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the squared distance of unit rows from their products (n,)."""
    return np.maximum(2 - 2 * likeness, 0)
