"""Fixes of photos taken one by one, joined into one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landfall.errors import UsageError
from landfall.geo import LatLon, from_geocentric, to_geocentric
from landfall.index import Match
from landfall.localization.fix import Fix
from landfall.localization.geometry.reranking import LEAST_INLIERS
from landfall.localization.position import BANDWIDTH_M
from landfall.localization.sequence.candidates import find_candidates
from landfall.localization.sequence.options import SequenceOptions
from landfall.localization.sequence.path import best_path
from landfall.localization.sequence.smoothing import path_positions
from landfall.localization.sequence.track import Change, Track

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SequenceAnswer:
    """Fixes after they were joined.

    Attributes:
        fixes: in the order given; matches, errors and ``accepted`` are as they were.
        track: the order of the photos and what changed.
    """

    fixes: list[Fix]
    track: Track

    def count(self, change: Change) -> int:
        """Return how many fixes the track ``kept``, ``moved`` or ``interpolated``."""
        return self.track.changes.count(change)


def apply_sequence(
    fixes: Sequence[Fix],
    times_s: ArrayLike | None = None,
    options: SequenceOptions | None = None,
    *,
    taken_at: Sequence[datetime | None] | None = None,
) -> SequenceAnswer:
    """Give photos of one drive or walk the positions that go together.

    Radius and confidence of a fix that moved or was interpolated become None: they were measured for
    single photos, and say nothing of a position that others gave. ``accepted`` tells of the photo, not of
    the position, and stays. Fixes with an error have no part; where no photo can be placed nothing changes.

    Args:
        fixes: of one camera, in any order.
        times_s: (T,) seconds from any beginning; None for photos in order, ``options.step_s`` apart.
        options: of the sequence.
        taken_at: when each photo was taken, for the track alone.

    Raises:
        UsageError: not as many times as fixes, or a time that is not finite.
    """
    options = options or SequenceOptions()
    given = np.arange(len(fixes)) * options.step_s if times_s is None else times_s
    seconds: Floats = np.asarray(given, dtype=np.float64)
    if seconds.shape != (len(fixes),) or not np.isfinite(seconds).all():
        raise UsageError(
            f"{len(fixes)} fixes came with times of shape {seconds.shape}; expected a finite one each."
        )
    rows = np.array([row for row, fix in enumerate(fixes) if fix.location is not None], dtype=np.int64)
    rows = rows[np.argsort(seconds[rows], kind="stable")]
    joined = list(fixes)
    if not len(rows):
        return SequenceAnswer(joined, Track((), (), ()))
    candidates = find_candidates(*_padded([fixes[row] for row in rows]))
    path = best_path(candidates, seconds[rows], options)
    xyz = path_positions(candidates, seconds[rows], path, options)
    if (path.choice < 0).all():
        changes: list[Change] = ["kept"] * len(rows)
    else:
        changes = _changes([fixes[row] for row in rows], xyz, path.choice >= 0)
        lat, lon = from_geocentric(xyz)
        for row, change, *place in zip(rows.tolist(), changes, lat.tolist(), lon.tolist(), strict=True):
            moved = replace(fixes[row], location=LatLon(*place))
            joined[row] = moved if change == "kept" else replace(moved, radius_m=None, confidence=None)
    when = [None] * len(fixes) if taken_at is None else taken_at
    return SequenceAnswer(
        joined, Track(tuple(rows.tolist()), tuple(changes), tuple(when[row] for row in rows))
    )


def _padded(fixes: Sequence[Fix]) -> tuple[Floats, Floats, Floats]:
    """Return latitudes, longitudes and distances (T, K) of matches by distance, inf where there are fewer.

    Of a photo whose matches were checked geometrically only those count that passed, if any did.
    """
    counted = [_by_distance(fix) for fix in fixes]
    width = max(1, *(len(matches) for matches in counted))
    table = np.full((len(fixes), width, 3), (0.0, 0.0, np.inf))
    for row, matches in enumerate(counted):
        for column, match in enumerate(matches):
            table[row, column] = match.lat, match.lon, match.distance
    return table[..., 0], table[..., 1], table[..., 2]


def _by_distance(fix: Fix) -> list[Match]:
    passed = [match for match in fix.matches if (match.inliers or 0) >= LEAST_INLIERS]
    return sorted(passed or fix.matches, key=lambda match: match.distance)


def _changes(fixes: Sequence[Fix], xyz: Floats, seen: NDArray[np.bool_]) -> list[Change]:
    """Tell what became of each fix, given its new place (T, 3) and whether its own matches put it there."""
    own = [fix.location for fix in fixes if fix.location is not None]
    before = to_geocentric(np.array([place.lat for place in own]), np.array([place.lon for place in own]))
    near = np.linalg.norm(xyz - before, axis=1) <= BANDWIDTH_M
    return [
        "interpolated" if not is_seen else "kept" if is_near else "moved"
        for is_seen, is_near in zip(seen.tolist(), near.tolist(), strict=True)
    ]
