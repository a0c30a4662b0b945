"""Fixes joined: what moves, what is told, and what never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from landfall.errors import UsageError
from landfall.geo import LatLon, to_geocentric
from landfall.index import Match
from landfall.localization import Fix, SequenceOptions, apply_sequence

METRE = 1.0 / 111_320.0  # degrees of latitude, near enough for tests in metres
OPTIONS = SequenceOptions(speed_limit_m_s=15.0)
# The second match has 45 % of the first's vote, the last none.
DISTANCES = (0.5, 0.51, 5.0)


def seen(name: str, *metres: float, accepted: bool | None = True) -> Fix:
    """A fix of three matches, on a meridian; the first answers."""
    matches = tuple(
        Match(rank, f"{at:.0f}.jpg", 52.0 + at * METRE, 0.5, DISTANCES[rank - 1], rank)
        for rank, at in enumerate(metres, start=1)
    )
    return Fix(name, LatLon(52.0 + metres[0] * METRE, 0.5), 9.0, 0.9, accepted, matches)


def black(name: str) -> Fix:
    """A fix whose matches are all alike."""
    matches = tuple(Match(rank, "x", 52.5 + rank, 0.5, 1.25, rank) for rank in range(1, 4))
    return Fix(name, LatLon(53.5, 0.5), 800.0, 0.01, False, matches)


def metres_of(fixes: Sequence[Fix]) -> list[float]:
    places = [fix.location for fix in fixes if fix.location is not None]
    xyz = to_geocentric(np.array([p.lat for p in places]), np.array([p.lon for p in places]))
    return [float(metres) for metres in np.linalg.norm(xyz - to_geocentric(52.0, 0.5), axis=1)]


FAR = 5000.0
WALK = [seen("a", 0, FAR, 9e5), seen("b", 10, FAR, 9e5), seen("c", FAR, 20, 9e5), black("d"), black("e")]
WALK += [seen("f", 50, FAR, 9e5), seen("g", 60, FAR, 9e5)]


def test_an_outlier_is_repaired_and_a_black_stretch_is_bridged() -> None:
    answer = apply_sequence(WALK, np.arange(7.0), OPTIONS)
    assert answer.track.changes == ("kept", "kept", "moved", *["interpolated"] * 2, "kept", "kept")
    assert metres_of(answer.fixes) == pytest.approx([0, 10, 20, 30, 40, 50, 60], abs=6)
    for before, after, change in zip(WALK, answer.fixes, answer.track.changes, strict=True):
        assert (after.photo, after.matches, after.accepted) == (before.photo, before.matches, before.accepted)
        # What was measured for single photos is claimed of those alone that stayed.
        kept = change == "kept"
        assert (after.radius_m, after.confidence) == ((9.0, 0.9) if kept else (None, None))


def test_matches_that_a_geometric_check_put_first_count_alone() -> None:
    # Retrieval says FAR, the check says 20 m: its matches stand first, further by descriptor than the others.
    far, here, beyond = seen("c", FAR, 20, 9e5).matches
    checked = replace(here, inliers=40), replace(far, inliers=3), beyond
    walk = [replace(fix, matches=checked) if fix.photo == "c" else fix for fix in WALK]
    answer = apply_sequence(walk, np.arange(7.0), OPTIONS)
    assert metres_of(answer.fixes)[2] == pytest.approx(20, abs=1)
    alone = apply_sequence(walk[2:3], np.zeros(1), OPTIONS)
    assert metres_of(alone.fixes)[0] == pytest.approx(20, abs=1)


def test_the_order_given_is_the_order_answered() -> None:
    rng = np.random.default_rng(1)
    order = rng.permutation(7)
    times = np.arange(7.0)
    straight = apply_sequence(WALK, times, OPTIONS)
    mixed = apply_sequence([WALK[i] for i in order], times[order], OPTIONS)
    assert mixed.fixes == [straight.fixes[i] for i in order]
    assert [order[row] for row in mixed.track.rows] == list(range(7))


def test_broken_photos_have_no_part() -> None:
    broken = Fix("broken", error="empty file (0 bytes)")
    when = [datetime(2024, 1, 1, 0, 0, second) for second in range(3)]
    answer = apply_sequence([WALK[0], broken, WALK[1]], [0.0, 1.0, 2.0], OPTIONS, taken_at=when)
    assert answer.fixes[1] is broken
    assert (answer.track.rows, answer.track.times) == ((0, 2), (when[0], when[2]))


def test_duplicate_times_are_one_moment() -> None:
    answer = apply_sequence(WALK[:3], [0.0, 0.0, 0.0], OPTIONS)
    assert metres_of(answer.fixes) == pytest.approx([10, 10, 10], abs=25)


def test_one_photo_stays_where_it_was() -> None:
    answer = apply_sequence(WALK[:1], None, OPTIONS)
    assert answer.track.changes == ("kept",)
    assert metres_of(answer.fixes) == pytest.approx([0.0], abs=0.1)


def test_where_nothing_can_be_placed_nothing_changes() -> None:
    assert apply_sequence([black("d"), black("e")], None, OPTIONS).fixes == [black("d"), black("e")]
    nothing = apply_sequence([], None, OPTIONS)
    assert (nothing.fixes, nothing.track.rows) == ([], ())


def test_over_the_date_line_a_way_is_a_way() -> None:
    lons = [179.9998, 179.9999, -180.0, -179.9999]
    fixes = []
    for lon in lons:
        matches = tuple(Match(rank, "x", -17.0, at, d, rank) for rank, (at, d) in
                        enumerate([(lon, 0.5), (0.0, 50.0)], start=1))  # fmt: skip
        fixes.append(Fix(str(lon), LatLon(-17.0, lon), matches=matches))
    answer = apply_sequence(fixes, None, SequenceOptions(speed_limit_m_s=15.0, noise_m=0.01))
    assert answer.track.changes == ("kept",) * 4
    found = [fix.location.lon % 360 for fix in answer.fixes if fix.location is not None]
    assert found == pytest.approx([lon % 360 for lon in lons], abs=1e-5)


def test_as_many_times_as_fixes_are_needed() -> None:
    with pytest.raises(UsageError, match="7 fixes came with times of shape"):
        apply_sequence(WALK, [1.0], OPTIONS)
    with pytest.raises(UsageError, match="finite"):
        apply_sequence(WALK[:1], [float("nan")], OPTIONS)
