from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from landfall.errors import PositionError
from landfall.geo import from_geocentric, to_geocentric

# The two numbers that define the WGS84 ellipsoid.
SEMI_MAJOR_M, FLATTENING = 6378137.0, 1 / 298.257223563


@given(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0))
def test_forward_is_the_textbook_formula(lat: float, lon: float) -> None:
    e2 = FLATTENING * (2 - FLATTENING)
    phi, lam = math.radians(lat), math.radians(lon)
    curvature = SEMI_MAJOR_M / math.sqrt(1 - e2 * math.sin(phi) ** 2)
    expected = (
        curvature * math.cos(phi) * math.cos(lam),
        curvature * math.cos(phi) * math.sin(lam),
        curvature * (1 - e2) * math.sin(phi),
    )

    assert to_geocentric(lat, lon) == pytest.approx(expected, abs=1e-6)


@given(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0))
def test_round_trip_is_within_a_millimetre_at_any_height(lat: float, lon: float) -> None:
    ground = to_geocentric(lat, lon)
    for scale in (1.0, 1.001):
        back_lat, back_lon = from_geocentric(ground * scale)
        # Scaling moves along the radius, which differs from the vertical by up to 0.2 degrees.
        limit_m = 1e-3 if scale == 1.0 else 0.001 * SEMI_MAJOR_M * 0.0034
        assert Geod(ellps="WGS84").inv(lon, lat, float(back_lon), float(back_lat))[2] < limit_m


def test_unknown_stays_unknown_and_does_not_spread() -> None:
    xyz = to_geocentric([52.0, math.nan, 1.0], [0.1, 0.2, math.nan])

    assert np.isnan(xyz).all(axis=1).tolist() == [False, True, True]
    lat, lon = from_geocentric(xyz)
    np.testing.assert_allclose(lat, [52.0, np.nan, np.nan])
    np.testing.assert_allclose(lon, [0.1, np.nan, np.nan])
    # One coordinate missing is enough.
    assert np.isnan(from_geocentric([6378137.0, math.nan, 0.0])[0])


def test_degrees_out_of_range_are_refused() -> None:
    with pytest.raises(PositionError):
        to_geocentric([0.0], [181.0])
