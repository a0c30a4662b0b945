from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from landfall.rendering.frame import local_metres, round_step, unwrap_longitudes


def test_longitudes_across_the_date_line_become_neighbours() -> None:
    assert unwrap_longitudes([179.0, -179.0, 178.0]).tolist() == [179.0, 181.0, 178.0]


def test_longitudes_elsewhere_are_left_alone() -> None:
    # From Portugal to Japan, and once around the Earth in steps smaller than the gap at the date line.
    for lon in ([-9.0, 140.0, 20.0], [-170.0, -100.0, -30.0, 40.0, 110.0, 179.0]):
        if max(lon) - min(lon) < 300.0:
            assert unwrap_longitudes(lon).tolist() == lon
    np.testing.assert_array_equal(unwrap_longitudes([math.nan, 3.0]), [math.nan, 3.0])
    assert unwrap_longitudes([]).tolist() == []


@given(st.lists(st.floats(-180.0, 180.0), min_size=1, max_size=20))
def test_unwrapping_keeps_every_place_and_never_widens_the_picture(lon: list[float]) -> None:
    unwrapped = unwrap_longitudes(lon)

    assert all(
        math.isclose((u - x) % 360.0 % 360.0, 0.0, abs_tol=1e-9) for u, x in zip(unwrapped, lon, strict=True)
    )
    assert np.ptp(unwrapped) <= max(lon) - min(lon) + 1e-9


def test_a_part_follows_the_whole() -> None:
    assert unwrap_longitudes([-179.0], like=[-179.0, 179.0]).tolist() == [181.0]


@given(st.floats(-70.0, 70.0), st.floats(-180.0, 180.0), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_metres_of_a_town_agree_with_the_ellipsoid(
    lat: float, lon: float, d_lat: float, d_lon: float
) -> None:
    # About 1 km; a wrong radius would be off by 0.3 %, a sphere's by 0.2 %.
    a, b = local_metres([lat, lat + d_lat], [lon, lon + d_lon])

    assert math.dist(a, b) == pytest.approx(
        Geod(ellps="WGS84").inv(lon, lat, lon + d_lon, lat + d_lat)[2], rel=1e-5, abs=1e-6
    )
    assert (b[0] - a[0]) * d_lon >= 0.0
    assert (b[1] - a[1]) * d_lat >= 0.0


def test_the_error_of_the_flat_map_is_as_stated() -> None:
    # 100 km north of the middle at 50 degrees, a parallel is shorter by 2 % than drawn.
    lat = 50.0 + np.array([0.9, 0.9, -0.9])
    metres = local_metres(lat, [0.0, 0.01, 0.0])
    true = Geod(ellps="WGS84").inv(0.0, lat[0], 0.01, lat[1])[2]

    assert math.dist(metres[0], metres[1]) / true == pytest.approx(1.02, abs=0.003)


def test_unknown_rows_stay_unknown() -> None:
    metres = local_metres([50.0, math.nan, 50.0], [4.0, 4.0, math.nan])

    assert np.isnan(metres).all(axis=1).tolist() == [False, True, True]
    assert np.isnan(local_metres([math.nan], [math.nan])).all()
    assert local_metres([], []).shape == (0, 2)


@pytest.mark.parametrize(
    ("most", "step"), [(1.0, 1.0), (1.99, 1.0), (2.0, 2.0), (49.0, 20.0), (0.07, 0.05), (9999.0, 5000.0)]
)
def test_round_steps(most: float, step: float) -> None:
    assert round_step(most) == pytest.approx(step)
