from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.errors import PositionError
from landfall.geo import LatLon, parse_latlon, valid_latlon
from landfall.geo.latlon import latlon_arrays

LATITUDES = st.floats(-90.0, 90.0)
LONGITUDES = st.floats(-180.0, 180.0)


@given(LATITUDES, LONGITUDES)
def test_every_position_in_range_is_accepted_and_reads_back_from_its_text(lat: float, lon: float) -> None:
    position = LatLon(lat, lon)

    again = parse_latlon(str(position))

    # The text has seven decimals.
    assert math.isclose(again.lat, lat, abs_tol=5.1e-8)
    assert math.isclose(again.lon, lon, abs_tol=5.1e-8)
    assert pickle.loads(pickle.dumps(position)) == position  # noqa: S301


@pytest.mark.parametrize("lat", [90.0000001, -91.0, math.nan, math.inf, -math.inf])
def test_latitude_out_of_range_is_refused(lat: float) -> None:
    with pytest.raises(PositionError, match="Latitude"):
        LatLon(lat, 0.0)


@pytest.mark.parametrize("lon", [180.0000001, -181.0, math.nan, math.inf])
def test_longitude_out_of_range_is_refused(lon: float) -> None:
    with pytest.raises(PositionError, match="Longitude"):
        LatLon(0.0, lon)


def test_a_latitude_that_could_be_a_longitude_asks_whether_the_two_are_swapped() -> None:
    with pytest.raises(PositionError, match="swapped"):
        LatLon(139.7, 35.6)
    with pytest.raises(PositionError) as neither_fits:
        LatLon(200.0, 35.6)
    assert "swapped" not in str(neither_fits.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("52.1,0.2", LatLon(52.1, 0.2)),
        ("  -33.9 , +18.4 ", LatLon(-33.9, 18.4)),
        ("52 0", LatLon(52.0, 0.0)),
        ("52.;.5", LatLon(52.0, 0.5)),
    ],
)
def test_accepted_spellings(text: str, expected: LatLon) -> None:
    assert parse_latlon(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "52.1", "52.1,", "52,1,0,2", "nan,0", "inf,0", "1e1,2", "52.1N,0.2E", "٥٢,0", "1.2.3", "52..1,0"],
)
def test_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PositionError, match=r"52\.2053,0\.1218"):
        parse_latlon(text)


@given(st.text())
def test_any_text_either_reads_or_raises_a_position_error(text: str) -> None:
    try:
        parse_latlon(text)
    except PositionError:
        return
    assert any(character.isdigit() for character in text)


def test_valid_latlon_is_false_for_nan_infinity_and_out_of_range() -> None:
    lat = [0.0, 90.0, -90.0, 90.1, math.nan, 0.0, math.inf, 0.0]
    lon = [0.0, 180.0, -180.0, 0.0, 0.0, math.nan, 0.0, -180.5]

    assert valid_latlon(lat, lon).tolist() == [True, True, True, False, False, False, False, False]


def test_arrays_are_unknown_where_either_is() -> None:
    lat, lon = latlon_arrays([1.0, math.nan, 3.0], [4.0, 5.0, math.nan])

    np.testing.assert_array_equal(lat, [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(lon, [4.0, np.nan, np.nan])


def test_arrays_name_the_first_wrong_row() -> None:
    with pytest.raises(PositionError, match=r"Position 2 is latitude 91\.0.*2 such"):
        latlon_arrays([0.0, math.nan, 91.0, 0.0], [0.0, 0.0, 0.0, math.inf])
