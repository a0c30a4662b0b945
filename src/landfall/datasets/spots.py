"""Spots: photos taken at one position, which say much the same and so must be resampled together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landfall.geo import Positions


def spots(positions: Positions) -> NDArray[np.int64]:
    """Number the spots of N photos.

    Photos are of one spot when their coordinates, rounded to a centimetre, are the same. A photo whose
    position is unknown is a spot of its own.

    Returns:
        (N,) ids from 0 up, without gaps, in the order in which spots first appear.
    """
    count = len(positions)
    # Near the poles there are no metres; degrees at 1e-7 are a centimetre there, too.
    in_metres = np.isfinite(positions.east_m)
    first = np.where(in_metres, positions.east_m * 100.0, positions.lat * 1e7)
    second = np.where(in_metres, positions.north_m * 100.0, positions.lon * 1e7)
    known = positions.known
    keys = np.zeros((count, 4), dtype=np.int64)
    keys[known, 0] = np.rint(first[known])
    keys[known, 1] = np.rint(second[known])
    keys[:, 2] = positions.zone.astype(np.int64) * 2 + positions.south
    keys[known & ~in_metres, 3] = -1
    keys[~known, 3] = np.arange(1, 1 + np.count_nonzero(~known))
    _, firsts, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(firsts), dtype=np.int64)
    rank[np.argsort(firsts)] = np.arange(len(firsts))
    return rank[inverse.reshape(-1)]
