"""A database searched for its own photos, against a loop over photos."""

from __future__ import annotations

import numpy as np
import pytest

from landfall.evaluation.own_queries import own_hits, positives_elsewhere, search_elsewhere
from landfall.geo import Positions

RNG = np.random.default_rng(3)
# Spots of one to four photos along a street, 15 m apart; the last one lies far away from all.
SPOTS = np.repeat(np.arange(9), [1, 2, 4, 3, 1, 4, 2, 2, 3])
EAST_M = np.where(SPOTS == 8, 5000.0, 15.0 * SPOTS)
POSITIONS = Positions.planar(EAST_M, np.zeros(len(SPOTS)))
DESCRIPTORS = RNG.standard_normal((len(SPOTS), 6)).astype(np.float32)


def nearest_elsewhere(row: int) -> list[int]:
    """All rows at other spots, nearest first, photo by photo."""
    apart = np.linalg.norm(DESCRIPTORS.astype(np.float64) - DESCRIPTORS[row].astype(np.float64), axis=1)
    return [other for other in np.argsort(apart).tolist() if SPOTS[other] != SPOTS[row]]


@pytest.mark.parametrize("k", [1, 3, 20, 50])
def test_it_finds_what_a_loop_finds(k: int) -> None:
    found = search_elsewhere(DESCRIPTORS, SPOTS, k, device="cpu")
    assert found.shape == (len(SPOTS), min(k, len(SPOTS)))
    for row, ranked in enumerate(found.tolist()):
        expected = nearest_elsewhere(row)[:k]
        assert ranked == expected + [-1] * (len(ranked) - len(expected))


def test_positives_stand_within_the_radius_at_another_spot() -> None:
    near = positives_elsewhere(POSITIONS, SPOTS, 25.0)
    for row in range(len(SPOTS)):
        expected = np.flatnonzero((np.abs(EAST_M - EAST_M[row]) <= 25.0) & (SPOTS[row] != SPOTS))
        np.testing.assert_array_equal(near[row], expected)


def test_hits_are_of_the_photos_that_have_a_positive() -> None:
    hits = own_hits(DESCRIPTORS, POSITIONS, SPOTS, 25.0, (1, 5, 20), device="cpu")
    expected = [
        [bool(np.any(np.abs(EAST_M[nearest_elsewhere(row)[:k]] - EAST_M[row]) <= 25.0)) for k in (1, 5, 20)]
        for row in range(len(SPOTS))
        if SPOTS[row] != 8
    ]
    np.testing.assert_array_equal(hits, expected)
    assert hits[:, 2].all()
    assert not hits[:, 0].all()
