from __future__ import annotations

import math

import numpy as np
import pytest

from landfall.evaluation.error_curve import CURVE_M, first_match_errors, share_within, summarise_errors
from landfall.geo import Positions


def test_errors_of_a_planar_set_by_hand() -> None:
    # A 3-4-5 triangle, the photo itself, and a query that got no match.
    database = Positions.planar(np.array([0.0, 100.0]), np.array([0.0, 0.0]))
    queries = Positions.planar(np.array([3.0, 100.0, 5.0]), np.array([4.0, 0.0, 5.0]))
    errors = first_match_errors(database, queries, np.array([0, 1, -1]))
    assert errors.tolist() == [5.0, 0.0, math.inf]


def test_errors_across_a_zone_border_are_metres_on_the_ground() -> None:
    # 0.0002 degrees of longitude at 51 degrees north: 2e-4 * pi / 180 * 6 388 km (prime vertical radius
    # a / sqrt(1 - e^2 sin^2 lat) = 6 391 090 m) * cos 51 = 14.04 m.
    database = Positions.from_latlon(np.array([51.0]), np.array([6.0001]))
    query = Positions.from_latlon(np.array([51.0]), np.array([5.9999]))
    assert first_match_errors(database, query, np.array([0])) == pytest.approx([14.04], abs=0.02)


def test_unknown_positions_have_no_error() -> None:
    database = Positions.concatenate([Positions.planar(np.zeros(1), np.zeros(1)), Positions.unknown(1)])
    queries = Positions.concatenate([Positions.planar(np.zeros(2), np.zeros(2)), Positions.unknown(2)])
    errors = first_match_errors(database, queries, np.array([0, 1, 0, -1]))
    np.testing.assert_array_equal(errors, [0.0, np.nan, np.nan, np.nan])


def test_share_within_equals_a_plain_count() -> None:
    rng = np.random.default_rng(0)
    errors = np.concatenate([rng.lognormal(3, 2, 50), [25.0, 25.0, np.inf, np.nan]])
    distances = [*CURVE_M, 25.0]
    expected = [100.0 * sum(1 for e in errors if e <= x) / len(errors) for x in distances]
    np.testing.assert_allclose(share_within(errors, distances), expected)


def test_the_curve_runs_from_a_metre_to_a_hundred_kilometres() -> None:
    assert CURVE_M[[0, 20, -1]] == pytest.approx([1.0, 10.0, 1e5])


def test_summary_by_hand() -> None:
    errors = np.array([2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 30.0, np.inf, np.nan])
    summary = summarise_errors(errors, also_within_m=(15.0,))
    # Of ten known errors five are at most 10 m and nine at most 30 m.
    assert (summary.median_m, summary.p90_m, summary.unknown) == (10.0, 30.0, 1)
    within = dict(summary.within)
    assert within[15.0] == pytest.approx(100 * 7 / 11)
    assert within[25.0] == pytest.approx(100 * 8 / 11)
    assert within[100_000.0] == pytest.approx(100 * 9 / 11)
    assert list(within) == sorted(within)


def test_mostly_unanswered_queries_have_no_finite_median() -> None:
    summary = summarise_errors(np.array([1.0, np.inf, np.inf]))
    assert summary.median_m == math.inf
    assert math.isnan(summarise_errors(np.array([np.nan])).median_m)
