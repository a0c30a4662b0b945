from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.datasets.check_positions import disagreeing_names, strange_positions
from landfall.geo import Positions


def city(lat: float, lon: float, count: int, *, seed: int = 0) -> NDArray[np.float64]:
    """Return (count, 2) degrees scattered within about a kilometre."""
    return np.array([lat, lon]) + np.random.default_rng(seed).uniform(-0.01, 0.01, (count, 2))


def strange(*parts: NDArray[np.float64]) -> tuple[list[int], list[int], list[int]]:
    degrees = np.concatenate(parts)
    found = strange_positions(Positions.from_latlon(degrees[:, 0], degrees[:, 1]))
    return found.zero.tolist(), found.swapped.tolist(), found.far.tolist()


BERLIN, LUND = city(52.52, 13.4, 200), city(55.7, 13.2, 120, seed=1)


def test_one_city_is_fine() -> None:
    assert strange(BERLIN) == ([], [], [])


def test_two_cities_are_fine() -> None:
    assert strange(BERLIN, LUND) == ([], [], [])
    assert strange(BERLIN, LUND[:9]) == ([], [], [])


def test_a_suburb_is_fine() -> None:
    # 1.7 km beyond the last house: farther than photos link, but no farther than the city is wide.
    assert strange(BERLIN, np.array([[52.545, 13.4]])) == ([], [], [])


def test_one_photo_far_away_is_found_with_its_distance() -> None:
    degrees = np.concatenate([BERLIN, [[48.85, 2.35]]])
    found = strange_positions(Positions.from_latlon(degrees[:, 0], degrees[:, 1]))
    assert found.far.tolist() == [200]
    # Paris to Berlin is some 880 km.
    assert 850e3 < found.far_m[0] < 900e3


def test_four_photos_of_one_far_spot_are_all_found() -> None:
    assert strange(np.repeat([[48.85, 2.35]], 4, axis=0), BERLIN) == ([], [], [0, 1, 2, 3])


def test_a_stray_beside_two_cities_is_found() -> None:
    assert strange(BERLIN, LUND, np.array([[48.85, 2.35]])) == ([], [], [320])


def test_swapped_degrees_are_found_and_are_no_strays() -> None:
    assert strange(BERLIN, BERLIN[:1, ::-1]) == ([], [200], [])
    assert strange(BERLIN, BERLIN[:40, ::-1]) == ([], list(range(200, 240)), [])


def test_positions_never_filled_in_are_found() -> None:
    assert strange(np.array([[0.0, 0.0]]), BERLIN) == ([0], [], [])


def test_a_scattered_set_has_no_strays() -> None:
    # Photos of a lifetime, all over the world: each is far from all others.
    everywhere = np.random.default_rng(3).uniform([-60, -170], [70, 170], (60, 2))
    assert strange(everywhere) == ([], [], [])


def test_pairs_of_photos_all_over_the_world_have_no_strays() -> None:
    everywhere = np.random.default_rng(4).uniform([-60, -170], [70, 170], (250, 2))
    assert strange(everywhere, everywhere + 1e-4) == ([], [], [])


def test_few_photos_tell_nothing() -> None:
    assert strange(BERLIN[:3], np.array([[48.85, 2.35]])) == ([], [], [])


@pytest.mark.parametrize("spacing_m", [1.0, 10.0, 500.0])
def test_a_long_road_is_fine_whatever_its_spacing(spacing_m: float) -> None:
    along = np.arange(300) * spacing_m
    found = strange_positions(Positions.planar(along, np.zeros(300)))
    assert not found.far.size
    found = strange_positions(Positions.planar(np.append(along, 400 * spacing_m + 1e6), np.zeros(301)))
    assert found.far.tolist() == [300]


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 60), st.integers(0, 1000), st.floats(-70, 70), st.floats(-179, 179))
def test_a_city_anywhere_has_nothing_strange(count: int, seed: int, lat: float, lon: float) -> None:
    # Closer to 0,0 or to the diagonal the checks can't tell, and need not.
    if abs(lat - lon) < 1 or max(abs(lat), abs(lon)) < 1:
        return
    assert strange(city(lat, lon, count, seed=seed)) == ([], [], [])


def test_a_gap_is_judged_by_the_usual_spacing() -> None:
    # Every 600 m a photo, one left out for 5 km: 8 spacings. Every 10 m a photo, then 5 km: 500 spacings.
    sparse = np.array([0, 600, 1200, 1800, 2400, 3000, 8000], dtype=np.float64)
    assert not strange_positions(Positions.planar(sparse, np.zeros(7))).far.size
    dense = np.array([0, 10, 20, 30, 40, 50, 5050], dtype=np.float64)
    assert strange_positions(Positions.planar(dense, np.zeros(7))).far.tolist() == [6]


def test_names_of_two_positions_are_found() -> None:
    # 3 degrees east on the equator is east 500 km, north 0 of zone 31; a degree north is 110.6 km there.
    rows, apart_m = disagreeing_names(
        [
            "@500000@0@31@N@0.00000@3.00000@.jpg",
            "@500000@0@31@N@1.00000@3.00000@.jpg",
            "@500000@0@31@N@0.00005@3.00005@.jpg",
            "@500000@0@31@N@95@3@.jpg",
            "@500000@0@31@N@.jpg",
            "@5@0@@@1@3@.jpg",
            "plain.jpg",
        ]
    )
    assert rows.tolist() == [1, 3]
    np.testing.assert_allclose(apart_m, [110_574, np.inf], rtol=1e-3)
