from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from landfall.errors import PositionError
from landfall.geo import latlon_to_utm, utm_letter, utm_to_latlon, utm_zone

UTM_LATITUDES = st.floats(-80.0, 84.0)
LONGITUDES = st.floats(-180.0, 180.0)

# Written out from the map of the grid: Norway's coast, and Svalbard, with what surrounds them.
EXCEPTIONS = [
    # south of band V, and either side of the border between 31V and 32V
    (55.999, 4.0, 31),
    (56.0, 2.999, 31),
    (56.0, 3.0, 32),
    (60.4, 5.3, 32),  # Bergen
    (63.999, 11.999, 32),
    (63.999, 12.0, 33),
    (64.0, 4.0, 31),
    # band X: 32, 34 and 36 do not exist
    (71.999, 8.0, 32),
    (72.0, -0.001, 30),
    (72.0, 0.0, 31),
    (78.0, 8.999, 31),
    (78.0, 9.0, 33),
    (78.2, 15.6, 33),  # Longyearbyen
    (78.0, 20.999, 33),
    (78.0, 21.0, 35),
    (78.0, 32.999, 35),
    (84.0, 33.0, 37),
    (84.0, 41.999, 37),
    (84.0, 42.0, 38),
]


@pytest.mark.parametrize(("lat", "lon", "zone"), EXCEPTIONS)
def test_zone_exceptions(lat: float, lon: float, zone: int) -> None:
    assert int(utm_zone(lat, lon)) == zone


@given(st.floats(-80.0, 55.9), LONGITUDES)
def test_south_of_the_exceptions_a_zone_is_six_degrees_wide(lat: float, lon: float) -> None:
    zone = int(utm_zone(lat, lon))

    meridian = zone * 6 - 183
    apart = (lon - meridian + 180.0) % 360.0 - 180.0
    assert -3.0 - 1e-9 <= apart <= 3.0 + 1e-9


def test_longitude_180_is_minus_180() -> None:
    assert utm_zone([0.0, 0.0, 0.0], [180.0, -180.0, 179.999]).tolist() == [1, 1, 60]
    east, north, zone, _ = latlon_to_utm([10.0, 10.0], [180.0, -180.0])
    assert zone.tolist() == [1, 1]
    assert east[0] == pytest.approx(east[1], abs=1e-6)
    assert north[0] == pytest.approx(north[1], abs=1e-6)


def test_bands() -> None:
    # Each band starts at its southern border; X reaches 84, and I and O are not used.
    borders = [*range(-80, 80, 8)]
    letters = "CDEFGHJKLMNPQRSTUVWX"
    assert utm_letter(borders).tolist() == list(letters)
    assert utm_letter([np.nextafter(b, -90.0) for b in borders[1:]]).tolist() == list(letters[:-1])
    assert utm_letter([79.9, 84.0, 84.001, -80.001, math.nan, math.inf]).tolist() == [
        "X",
        "X",
        "",
        "",
        "",
        "",
    ]


@given(UTM_LATITUDES, LONGITUDES)
def test_round_trip_is_within_a_millimetre(lat: float, lon: float) -> None:
    east, north, zone, south = latlon_to_utm(lat, lon)
    back = utm_to_latlon(east, north, zone, south)

    assert bool(south) == (lat < 0.0)
    assert Geod(ellps="WGS84").inv(lon, lat, float(back[1]), float(back[0]))[2] < 1e-3


def test_random_points_of_all_zones_agree_with_the_epsg_definitions() -> None:
    # EPSG:326zz and 327zz are the published definitions of UTM on WGS84, looked up by number.
    rng = np.random.default_rng(0)
    exceptions = np.array([(lat, lon) for lat, lon, _ in EXCEPTIONS])
    lat = np.concatenate([rng.uniform(-80.0, 84.0, 2000), exceptions[:, 0]])
    lon = np.concatenate([rng.uniform(-180.0, 180.0, 2000), exceptions[:, 1]])

    east, north, zone, south = latlon_to_utm(lat, lon)

    assert set(zone.tolist()) == set(range(1, 61))
    for row in range(0, len(lat), 41):
        code = (32700 if south[row] else 32600) + int(zone[row])
        expected = Transformer.from_crs(4326, code, always_xy=True).transform(lon[row], lat[row])
        assert (east[row], north[row]) == pytest.approx(expected, abs=1e-3)
    back_lat, back_lon = utm_to_latlon(east, north, zone, south)
    assert Geod(ellps="WGS84").inv(lon, lat, back_lon, back_lat)[2].max() < 1e-3


def test_a_known_place() -> None:
    # The CN Tower, as the encyclopaedia's article on UTM gives it: 43 38 33.24 N, 79 23 13.7 W is zone 17,
    # 630084 m east and 4833438 m north. A hundredth of a second is 0.3 m, and whole metres are cut short.
    east, north, zone, south = latlon_to_utm(43 + 38 / 60 + 33.24 / 3600, -(79 + 23 / 60 + 13.7 / 3600))

    assert (float(east), float(north)) == pytest.approx((630084, 4833438), abs=1.0)
    assert (int(zone), bool(south)) == (17, False)


def test_outside_utm_and_unknown_positions_have_no_zone() -> None:
    east, north, zone, south = latlon_to_utm([84.001, -80.001, math.nan, 90.0], [0.0, 0.0, 0.0, 0.0])

    assert np.isnan(east).all()
    assert np.isnan(north).all()
    assert zone.tolist() == [0, 0, 0, 0]
    assert not south.any()


def test_projecting_into_a_neighbouring_zone() -> None:
    # The same point seen from two zones: both invert to it, and the eastings lie on either side of 500 km.
    east, north, zone, south = latlon_to_utm([52.0, 52.0], [5.999, 5.999], zone=[31, 32])

    assert zone.tolist() == [31, 32]
    assert east[0] > 500_000.0 > east[1]
    lat, lon = utm_to_latlon(east, north, zone, south)
    np.testing.assert_allclose(lat, 52.0, atol=1e-9)
    np.testing.assert_allclose(lon, 5.999, atol=1e-9)


def test_a_zone_on_the_other_side_of_the_earth_gives_nothing() -> None:
    east, _, zone, _ = latlon_to_utm([0.0, 0.0], [-177.0, 60.0], zone=31)

    assert np.isnan(east).all()
    assert zone.tolist() == [0, 0]


@pytest.mark.parametrize("zone", [0, 61, -1, 30.5, math.nan])
def test_a_zone_that_does_not_exist_is_refused(zone: float) -> None:
    with pytest.raises(PositionError, match="expected 1 to 60"):
        latlon_to_utm(10.0, 10.0, zone=zone)


def test_inverse_of_nothing_is_nothing() -> None:
    lat, lon = utm_to_latlon(
        [math.nan, 5e5, 5e5, math.inf, 1e9], [1e6, math.nan, 1e6, 1e6, 1e6], [31, 31, 0, 31, 31], False
    )

    assert np.isnan(lat).all()
    assert np.isnan(lon).all()


@pytest.mark.parametrize(("lat", "lon"), [(90.5, 0.0), (0.0, 180.5), (math.inf, 0.0)])
def test_degrees_out_of_range_are_refused(lat: float, lon: float) -> None:
    with pytest.raises(PositionError):
        utm_zone(lat, lon)
    with pytest.raises(PositionError):
        latlon_to_utm(lat, lon)


def test_shapes_are_kept() -> None:
    lat = np.full((2, 3), 52.0)
    assert utm_zone(lat, 0.5).shape == (2, 3)
    east, north, zone, south = latlon_to_utm(lat, 0.5)
    assert east.shape == north.shape == zone.shape == south.shape == (2, 3)
    assert utm_to_latlon(east, north, zone, south)[0].shape == (2, 3)
    assert latlon_to_utm([], [])[0].shape == (0,)


@given(UTM_LATITUDES)
def test_letter_and_hemisphere_agree(lat: float) -> None:
    assert (str(utm_letter(lat)) < "N") == (lat < 0.0)


def test_either_side_of_every_zone_border() -> None:
    borders = np.arange(-180.0, 180.0, 6.0)

    assert utm_zone(0.0, borders).tolist() == list(range(1, 61))
    assert utm_zone(0.0, np.nextafter(borders[1:], -180.0)).tolist() == list(range(1, 60))
