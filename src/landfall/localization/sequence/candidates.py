"""Where each photo of a sequence may have been taken: its matches, merged into places, with their evidence.

Matches vote as in ``position.py``. A vote counts only by what it has above the last match's: where the
twentieth match is as good as the first, as for a black frame, the list could be any twenty photos of the
index and says nothing. Matches of one place (a kernel density's local mode) become one candidate at their
weighted mean; its evidence is the share of all votes that stand around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.geo import to_geocentric
from landfall.localization.position import BANDWIDTH_M, SHARPNESS, match_weights

Floats = NDArray[np.float64]

# Photos whose matches are compared with each other at once: 1024 of 20 matches take some 10 MB.
_FRAMES_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places of T photos, at most K each.

    Attributes:
        xyz: (T, K, 3) geocentric metres; NaN where there is no candidate.
        share: (T, K) share of the photo's votes that stand there, in [0, 1]; 0 where there is no candidate.
    """

    xyz: Floats
    share: Floats


def find_candidates(
    lat: Floats,
    lon: Floats,
    distances: Floats,
    bandwidth_m: float = BANDWIDTH_M,
    sharpness: float = SHARPNESS,
) -> Candidates:
    """Merge each photo's matches into the places that they stand for.

    Args:
        lat: (T, K) latitudes of the matches in degrees; anything where there is no match.
        lon: (T, K) longitudes of the matches in degrees.
        distances: (T, K) descriptor distances, ascending; inf where there is no match.
        bandwidth_m: standard deviation of the kernel that a vote is spread with, and how near to a stronger
            place another is part of it.
        sharpness: see ``position.match_weights``.
    """
    weights = match_weights(distances, sharpness)
    there = np.isfinite(distances)
    xyz = to_geocentric(np.where(there, lat, np.nan), np.where(there, lon, np.nan))
    votes = _above_background(weights, there)
    parts = [
        _merged(xyz[rows], votes[rows], weights[rows].sum(axis=1), bandwidth_m)
        for rows in (slice(at, at + _FRAMES_AT_ONCE) for at in range(0, len(weights), _FRAMES_AT_ONCE))
    ]
    if not parts:
        return Candidates(xyz, votes)
    return Candidates(np.concatenate([part.xyz for part in parts]), np.concatenate([p.share for p in parts]))


def _merged(xyz: Floats, votes: Floats, total: Floats, bandwidth_m: float) -> Candidates:
    """Return candidates of (T, K, 3) matches with (T, K) votes; shares are those of ``total`` (T,)."""
    # From the first match on, metres are small numbers and keep their precision when squared.
    local = np.where(votes[..., None] > 0, xyz - xyz[:, :1], 0.0)
    offsets = local[:, :, None] - local[:, None]
    squares = np.einsum("tijd,tijd->tij", offsets, offsets)
    near = np.exp(-squares / (2.0 * bandwidth_m**2)) * votes[:, None]
    density = near.sum(axis=2)
    # Of equals the nearer match stands for the place.
    rank = np.arange(votes.shape[1])
    stronger = (density[:, None] > density[:, :, None]) | (
        (density[:, None] == density[:, :, None]) & (rank < rank[:, None])
    )
    covered = (stronger & (squares < bandwidth_m**2) & (votes[:, None] > 0)).any(axis=2)
    is_place = (votes > 0) & ~covered
    mean = np.einsum("tij,tjd->tid", near, local) / np.where(density > 0, density, 1.0)[..., None]
    share = np.divide(density, total[:, None], out=np.zeros_like(density), where=is_place)
    return Candidates(np.where(is_place[..., None], xyz[:, :1] + mean, np.nan), share)


def _above_background(weights: Floats, there: NDArray[np.bool_]) -> Floats:
    """Return (T, K) votes less the last match's; a photo with a single match keeps its vote."""
    count = there.sum(axis=1)
    last = np.take_along_axis(weights, np.maximum(count - 1, 0)[:, None], axis=1)
    return np.where(there, weights - np.where(count[:, None] > 1, last, 0.0), 0.0)
