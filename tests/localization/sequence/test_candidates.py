"""Matches merged into places, against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from landfall.geo import to_geocentric
from landfall.localization.sequence import find_candidates

METRE = 1.0 / 111_320.0  # degrees of latitude, near enough for tests in metres


def test_matches_of_one_place_are_one_candidate_with_their_votes_together() -> None:
    lat = np.array([[52.0, 52.1, 52.1, 52.1, 52.5]])
    lon = np.full((1, 5), 0.5)
    distances = np.array([[0.50, 0.50, 0.50, 0.50, 5.0]])  # the last has no vote, so nothing is background
    found = find_candidates(lat, lon, distances)
    assert found.share[0] == pytest.approx([0.25, 0.75, 0.0, 0.0, 0.0], abs=1e-9)
    assert found.xyz[0, 1] == pytest.approx(to_geocentric(52.1, 0.5), abs=1e-3)
    assert np.isnan(found.xyz[0, 2:]).all()


def test_a_photo_whose_matches_are_all_alike_says_nothing() -> None:
    lat = np.array([52.0 + 10 * place * METRE for place in range(20)])
    found = find_candidates(lat[None], np.full((1, 20), 0.5), np.full((1, 20), 1.25))
    assert (found.share == 0).all()


def test_a_photo_with_one_match_is_there() -> None:
    found = find_candidates(np.array([[52.0, 0.0]]), np.array([[0.5, 0.0]]), np.array([[0.7, np.inf]]))
    assert found.share[0].tolist() == [1.0, 0.0]
    assert found.xyz[0, 0] == pytest.approx(to_geocentric(52.0, 0.5), abs=1e-6)


def test_places_on_both_sides_of_the_date_line_are_one() -> None:
    lat, lon = np.full((1, 3), -17.0), np.array([[179.99999, -179.99999, 0.0]])
    found = find_candidates(lat, lon, np.array([[0.5, 0.5, 50.0]]))
    assert np.count_nonzero(found.share) == 1


def test_no_match_and_no_photo_are_no_candidate() -> None:
    nothing = find_candidates(np.zeros((2, 3)), np.zeros((2, 3)), np.full((2, 3), np.inf))
    assert (nothing.share == 0).all()
    assert np.isnan(nothing.xyz).all()
    assert find_candidates(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3))).share.shape == (0, 3)
