"""A database searched for its own photos, each photo's own spot left out: queries where there are few others.

Photos of one spot are other views of one panorama, or the photo itself: found first, they tell nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landfall.evaluation.recall import hits_at, hits_at_ks
from landfall.geo import Neighbours, Positions, neighbours_within


def positives_elsewhere(positions: Positions, spots: NDArray[np.int64], radius_m: float) -> Neighbours:
    """Return, for each of N photos, those within a radius that stand at another spot.

    Args:
        positions: of the photos.
        spots: (N,) the spot of each photo.
        radius_m: the positive distance.
    """
    near = neighbours_within(positions, positions, radius_m)
    return near.where(spots[near.queries] != spots[near.indices])


def search_elsewhere(
    descriptors: NDArray[np.floating], spots: NDArray[np.int64], k: int, *, device: str | None = None
) -> NDArray[np.int64]:
    """Return (N, min(k, N)) the rows at other spots nearest to each row, exactly; -1 where there are no more.

    Args:
        descriptors: (N, D).
        spots: (N,) the spot of each row.
        k: how many.
        device: where the search runs.

    Raises:
        UsageError: as `landfall.index.search_exact`.
    """
    from landfall.index import search_exact  # brings in torch, which the rest of this folder does without

    # So many that, whatever stands at a photo's own spot, k of other spots are among them.
    own = int(np.bincount(spots).max(initial=0))
    _, rows = search_exact(descriptors, descriptors, k + own, device=device)
    is_own = spots[rows] == spots[:, None]
    first = np.argsort(is_own, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(rows, first, axis=1)
    found[np.take_along_axis(is_own, first, axis=1)] = -1
    return found


def own_hits(
    descriptors: NDArray[np.floating],
    positions: Positions,
    spots: NDArray[np.int64],
    radius_m: float,
    ks: tuple[int, ...],
    *,
    device: str | None = None,
) -> NDArray[np.bool_]:
    """Return (M, len(ks)) who is right at each rank, of the M photos that have a positive at another spot.

    Args:
        descriptors: (N, D) of the database.
        positions, spots: of its photos.
        radius_m: the positive distance.
        ks: increasing ranks.
        device: where the search runs.

    Raises:
        UsageError: as `landfall.index.search_exact`.
    """
    positives = positives_elsewhere(positions, spots, radius_m)
    ranked = search_elsewhere(descriptors, spots, ks[-1], device=device)
    return hits_at_ks(hits_at(ranked, positives), ks)[positives.counts > 0]
