"""Positions and orders after a geometric check, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.index import Match
from landfall.localization.calibration.features import inlier_excess
from landfall.localization.position import agreed_points
from landfall.localization.verified import reordered, verified_points


def points(*east_m: float) -> np.ndarray:
    return np.array([[[x, 0.0, 0.0] for x in east_m]])


def matches(count: int) -> list[Match]:
    return [Match(10 + i, f"{i}.jpg", 52.0, 0.5, 0.5 + i / 10, i + 1) for i in range(count)]


def test_what_passed_the_check_decides_against_nearer_descriptors() -> None:
    got = verified_points(points(0.0, 1.0, 500.0), np.array([[0.5, 0.5, 0.9]]), np.array([[3.0, 0.0, 40.0]]))
    assert got[0] == pytest.approx([500.0, 0.0, 0.0])


def test_votes_are_inliers() -> None:
    # 30 and 10 inliers 8 m apart: the mode is the stronger one, the mean weighs by kernel and inliers.
    got = verified_points(points(0.0, 8.0), np.array([[0.5, 0.6]]), np.array([[30.0, 12.0]]))
    kernel = np.exp(-(8.0**2) / (2 * 25.0**2))
    assert got[0][0] == pytest.approx(8.0 * 12 * kernel / (30 + 12 * kernel))


@given(st.lists(st.sampled_from([np.nan, 0.0, 5.0, 11.0]), min_size=4, max_size=4))
def test_where_nothing_passed_the_answer_is_that_without_a_check(inliers: list[float]) -> None:
    places, distances = points(0.0, 30.0, 31.0, 400.0), np.array([[0.5, 0.51, 0.52, np.inf]])
    got = verified_points(places, distances, np.array([inliers]))
    np.testing.assert_array_equal(got, agreed_points(places, distances))


def test_matches_that_passed_come_first_and_are_ranked_anew() -> None:
    got = reordered(matches(5), [3, 50, None, 80])
    assert [match.id for match in got] == [13, 11, 10, 12, 14]
    assert [match.rank for match in got] == [1, 2, 3, 4, 5]
    assert [match.inliers for match in got] == [80, 50, 3, None, None]
    assert got[0].distance == pytest.approx(0.8)


def test_the_inlier_excess_compares_the_most_here_with_the_most_elsewhere() -> None:
    here = np.array([[0.0, 0.0, 0.0]])
    got = inlier_excess(points(0.0, 10.0, 300.0, 301.0), np.array([[5.0, 20.0, np.nan, 7.0]]), here)
    assert got[0] == pytest.approx(np.log(21.0 / 8.0))


def test_no_more_inliers_here_than_elsewhere_says_nothing() -> None:
    got = inlier_excess(points(0.0, 300.0), np.array([[9.0, 12.0]]), np.zeros((1, 3)))
    assert got.tolist() == [0.0]


def test_no_checked_match_gives_no_excess() -> None:
    got = inlier_excess(points(0.0, 300.0), np.full((1, 2), np.nan), np.zeros((1, 3)))
    assert got.tolist() == [0.0]
