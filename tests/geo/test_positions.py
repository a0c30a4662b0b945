from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from landfall.errors import PositionError
from landfall.geo import Positions, distances_m, latlon_to_utm, metric_coordinates

GEOD = Geod(ellps="WGS84")


def test_from_latlon_with_an_unknown_and_a_polar_row() -> None:
    positions = Positions.from_latlon([52.2, math.nan, 89.0, -33.9], [0.12, 1.0, 10.0, 18.4])

    assert len(positions) == 4
    assert positions.known.tolist() == [True, False, True, True]
    assert positions.zone.tolist() == [31, 0, 0, 34]
    assert positions.south.tolist() == [False, False, False, True]
    assert positions.zones() == ((31, False), (34, True))
    assert positions.is_geographic
    assert positions.zone.dtype == np.int16


def test_from_utm_finds_latitude_and_longitude_in_bulk() -> None:
    east, north, zone, south = latlon_to_utm([52.2, -33.9], [0.12, 18.4])

    positions = Positions.from_utm(east, north, zone, south)

    np.testing.assert_allclose(positions.lat, [52.2, -33.9], atol=1e-9)
    np.testing.assert_allclose(positions.lon, [0.12, 18.4], atol=1e-9)


def test_from_utm_keeps_the_zone_given_even_outside_it() -> None:
    # A survey that crosses a border is often written in one zone.
    east, north, _, _ = latlon_to_utm([52.0], [6.1], zone=31)

    positions = Positions.from_utm(east, north, 31, False)

    assert positions.zones() == ((31, False),)
    np.testing.assert_array_equal(positions.east_m, east)
    assert positions.lon[0] == pytest.approx(6.1)


def test_from_utm_takes_one_zone_for_all_and_nan_for_unknown() -> None:
    positions = Positions.from_utm([3e5, math.nan, 3e5], [5.8e6, 5.8e6, math.nan], 31, False)

    assert positions.known.tolist() == [True, False, False]
    assert positions.zone.tolist() == [31, 0, 0]
    assert np.isnan(positions.north_m[1])


def test_from_utm_with_swapped_axes_is_refused() -> None:
    with pytest.raises(PositionError, match=r"Position 1 .*swapped"):
        Positions.from_utm([3e5, 5.8e6], [5.8e6, 3e5], 31, False)


def test_from_utm_refuses_infinity_and_zones_that_do_not_exist() -> None:
    with pytest.raises(PositionError, match="Position 0"):
        Positions.from_utm([math.inf], [0.0], 31, False)
    with pytest.raises(PositionError, match="UTM zone 61"):
        Positions.from_utm([3e5], [5.8e6], 61, False)


def test_planar_and_unknown() -> None:
    planar = Positions.planar([0.0, math.nan], [1.0, 2.0])

    assert planar.known.tolist() == [True, False]
    assert not planar.is_geographic
    assert planar.zones() == ()
    unknown = Positions.unknown(3)
    assert not unknown.known.any()
    assert unknown.is_geographic
    assert len(Positions.unknown(0)) == 0


def test_zone_zero_makes_a_utm_row_planar() -> None:
    mixed = Positions.from_utm([3e5, 3e5], [5.8e6, 5.8e6], [31, 0], False)

    assert not mixed.is_geographic
    assert np.isnan(mixed.lat).tolist() == [False, True]


def test_take_by_indices_and_mask_and_concatenate() -> None:
    positions = Positions.from_latlon([10.0, 20.0, -30.0], [1.0, 2.0, 3.0])

    by_index = positions.take([2, 0, 2])
    by_mask = positions.take(positions.south)
    joined = Positions.concatenate([by_mask, Positions.unknown(1), by_index])

    assert by_index.lat.tolist() == [-30.0, 10.0, -30.0]
    assert by_mask.lat.tolist() == [-30.0]
    np.testing.assert_array_equal(joined.lat, [-30.0, np.nan, -30.0, 10.0, -30.0])
    assert joined.zone.dtype == np.int16
    assert joined.south.tolist() == [True, False, True, False, True]
    assert len(positions.take([])) == 0
    assert len(Positions.concatenate([])) == 0


def test_one_zone_is_measured_in_its_plane() -> None:
    a = Positions.from_latlon([52.2, math.nan], [0.12, 0.0])
    b = Positions.from_latlon([52.3], [0.5])

    first, second = metric_coordinates(a, b)

    assert first.shape == (2, 2)
    assert second.shape == (1, 2)
    np.testing.assert_array_equal(first[0], [a.east_m[0], a.north_m[0]])
    assert np.isnan(first[1]).all()


def test_two_zones_measure_as_on_the_ellipsoid() -> None:
    # 6 degrees east is the border of zones 31 and 32; the plain difference of eastings would be 400 km.
    rng = np.random.default_rng(0)
    lat = 50.0 + rng.uniform(-0.001, 0.001, (2, 500))
    lon = 6.0 + rng.uniform(-0.001, 0.001, (2, 500))
    a, b = Positions.from_latlon(lat[0], lon[0]), Positions.from_latlon(lat[1], lon[1])
    expected = GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]

    assert {zone for zone, _ in Positions.concatenate([a, b]).zones()} == {31, 32}
    np.testing.assert_allclose(distances_m(a, b), expected, atol=1e-6)
    xyz_a, xyz_b = metric_coordinates(a, b)
    np.testing.assert_allclose(np.linalg.norm(xyz_a - xyz_b, axis=1), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ((1e-4, -1e-4), (30.0, 30.0)),  # across the equator: north jumps by 10 000 km
        ((10.0, 10.0), (179.9999, -179.9999)),  # across the date line
        ((89.9999, 89.9999), (0.0, 180.0)),  # over the pole, where there is no UTM
        ((83.9999, 84.0001), (20.0, 20.0)),  # one row in a zone, one beyond the last band
    ],
)
def test_across_every_kind_of_border(lat: tuple[float, float], lon: tuple[float, float]) -> None:
    a, b = Positions.from_latlon(lat[0], lon[0]), Positions.from_latlon(lat[1], lon[1])
    expected = GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]

    assert expected < 30.0
    np.testing.assert_allclose(distances_m(a, b), [expected], atol=1e-6)
    xyz_a, xyz_b = metric_coordinates(a, b)
    np.testing.assert_allclose(np.linalg.norm(xyz_a - xyz_b, axis=1), [expected], atol=1e-6)


@given(st.floats(-79.0, 83.0), st.floats(-179.0, 179.0), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_the_plane_is_true_to_utms_scale(lat: float, lon: float, d_lat: float, d_lon: float) -> None:
    # Within a zone UTM's scale lies between 0.9996 (its meridian) and 1.001 (its borders at the equator).
    a = Positions.from_latlon([lat], [lon])
    b = Positions.from_latlon([lat + d_lat], [lon + d_lon])
    expected = GEOD.inv(lon, lat, lon + d_lon, lat + d_lat)[2]

    assert distances_m(a, b)[0] == pytest.approx(expected, rel=1.2e-3, abs=1e-3)


def test_a_distant_pair_is_measured_along_the_ellipsoid() -> None:
    # Paris to Tokyo: 9 700 km along the ground; the straight line would be 900 km shorter.
    paris, tokyo = Positions.from_latlon(48.8566, 2.3522), Positions.from_latlon(35.6895, 139.6917)

    assert distances_m(paris, tokyo)[0] == pytest.approx(9_730_000, abs=30_000)


def test_distance_to_the_unknown_is_unknown() -> None:
    a = Positions.from_latlon([52.0, math.nan, 52.0], [5.9, 5.9, 5.9])
    for b in (
        Positions.from_latlon([52.0, 52.0, math.nan], [5.9] * 3),
        Positions.from_latlon([52.0, 52.0, math.nan], [6.1] * 3),
    ):
        assert np.isnan(distances_m(a, b)).tolist() == [False, True, True]


def test_planar_stays_planar() -> None:
    a, b = Positions.planar([0.0, 0.0], [0.0, math.nan]), Positions.planar([3.0, 3.0], [4.0, 4.0])

    assert distances_m(a, b)[0] == 5.0
    assert np.isnan(distances_m(a, b)[1])
    assert metric_coordinates(a)[0].tolist()[0] == [0.0, 0.0]


def test_planar_and_geographic_do_not_mix() -> None:
    planar, geographic = Positions.planar([0.0], [0.0]), Positions.from_latlon([52.0], [0.0])
    with pytest.raises(PositionError, match=r"1 positions are metres in a plane .* and 1 are on Earth"):
        metric_coordinates(planar, geographic)
    with pytest.raises(PositionError):
        distances_m(planar, geographic)
    # An unknown row fits either.
    assert metric_coordinates(planar, Positions.unknown(1))[1].shape == (1, 2)


def test_distances_need_as_many_of_each() -> None:
    with pytest.raises(PositionError, match="1 positions against 2"):
        distances_m(Positions.unknown(1), Positions.unknown(2))
