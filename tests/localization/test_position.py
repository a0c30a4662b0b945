"""The agreed position, against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.geo import to_geocentric
from landfall.localization.position import agreed_positions, match_weights

METRE = 1.0 / 111_320.0  # degrees of latitude, near enough for tests in metres


def metres_between(lat: float, lon: float, lat2: float, lon2: float) -> float:
    both = to_geocentric(np.array([lat, lat2]), np.array([lon, lon2]))
    return float(np.linalg.norm(both[0] - both[1]))


def test_one_lookalike_in_front_is_outvoted_by_five_neighbours() -> None:
    lat = np.array([[52.0, 52.1, 52.1, 52.1, 52.1, 52.1]])
    lon = np.array([[0.5, 0.7, 0.7, 0.7, 0.7, 0.7]])
    distances = np.array([[0.60, 0.61, 0.61, 0.62, 0.62, 0.62]])
    got = agreed_positions(lat, lon, distances)
    assert metres_between(got[0][0], got[1][0], 52.1, 0.7) < 0.01


def test_a_first_match_far_ahead_of_the_rest_wins_alone() -> None:
    lat = np.array([[52.0, 52.1, 52.1, 52.1]])
    lon = np.array([[0.5, 0.7, 0.7, 0.7]])
    distances = np.array([[0.05, 1.2, 1.2, 1.2]])
    got = agreed_positions(lat, lon, distances)
    assert metres_between(got[0][0], got[1][0], 52.0, 0.5) < 0.01


def test_two_equal_neighbours_meet_in_the_middle() -> None:
    # With equal weights and a symmetric kernel the weighted mean leans to the mode's own side by the kernel's
    # value at their distance: x = d k / (1 + k) from the mode, with k = exp(-d^2 / 2 b^2).
    d, bandwidth = 10.0, 12.5
    lat = np.array([[10.0, 10.0 + d * METRE]])
    lon = np.array([[20.0, 20.0]])
    got = agreed_positions(lat, lon, np.array([[0.5, 0.5]]), bandwidth_m=bandwidth)
    k = np.exp(-(d**2) / (2 * bandwidth**2))
    assert metres_between(got[0][0], got[1][0], 10.0, 20.0) == pytest.approx(d * k / (1 + k), rel=0.01)


def test_matches_on_both_sides_of_the_date_line_are_neighbours() -> None:
    lat = np.full((1, 2), -17.0)
    lon = np.array([[179.99999, -179.99999]])
    got = agreed_positions(lat, lon, np.array([[0.5, 0.5]]))
    assert metres_between(got[0][0], got[1][0], -17.0, 180.0) < 2.0


def test_no_match_gives_nan_and_leaves_the_others_alone() -> None:
    lat = np.array([[1.0, 1.0], [5.0, 5.0]])
    lon = np.array([[1.0, 1.0], [6.0, 6.0]])
    distances = np.array([[np.inf, np.inf], [0.1, np.inf]])
    got_lat, got_lon = agreed_positions(lat, lon, distances)
    assert np.isnan(got_lat[0])
    assert np.isnan(got_lon[0])
    assert metres_between(got_lat[1], got_lon[1], 5.0, 6.0) < 0.01


def test_beside_the_very_same_photo_no_other_has_a_vote() -> None:
    np.testing.assert_array_equal(match_weights(np.array([[0.0, 0.0, 0.3]])), [[1.0, 1.0, 0.0]])


def test_a_match_at_the_stated_excess_has_lost_one_e_fold() -> None:
    weights = match_weights(np.array([[0.8, 0.8 * 1.025]]), sharpness=40.0)
    assert weights[0, 1] == pytest.approx(np.exp(-1.0))


@given(st.lists(st.floats(0.01, 10.0), min_size=1, max_size=20), st.floats(0.1, 100.0))
def test_weights_do_not_depend_on_the_scale_of_distances(values: list[float], scale: float) -> None:
    distances = np.sort(np.array([values]))
    weights = match_weights(distances)
    assert weights[0, 0] == 1.0
    assert np.all(np.diff(weights[0]) <= 0)
    np.testing.assert_allclose(match_weights(distances * scale), weights, rtol=1e-6, atol=1e-9)
