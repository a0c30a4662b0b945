"""The options that say which of an index's photos to look among."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.cli.among import among_of, parse_direction, parse_distance, parse_time
from landfall.errors import PositionError, UsageError
from landfall.geo import LatLon


def test_nothing_asked_is_no_condition() -> None:
    assert among_of(None, None, None, None, None) is None


def test_all_conditions() -> None:
    among = among_of("52.2,0.12", "300 m", "2021-06-14", "2021-06-15", "350+-20")
    assert among is not None
    assert among.near == LatLon(52.2, 0.12)
    assert among.within_m == 300.0
    assert among.taken_from == datetime(2021, 6, 14)
    assert among.taken_to == datetime(2021, 6, 15, 23, 59, 59)
    assert (among.heading_deg, among.heading_within_deg) == (350.0, 20.0)


def test_near_alone_is_within_five_kilometres() -> None:
    among = among_of("52.2,0.12", None, None, None, None)
    assert among is not None
    assert among.within_m == 5000.0


def test_within_alone_and_times_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(UsageError, match="near where"):
        among_of(None, "5km", None, None, None)
    with pytest.raises(UsageError, match="Swap"):
        among_of(None, None, "2022-01-01", "2021-01-01", None)


@given(st.floats(0.001, 9999), st.sampled_from(["m", "km"]))
def test_distances_are_read_with_their_unit(number: float, unit: str) -> None:
    text = f"{number:.6f}{unit}"
    assert parse_distance(text) == pytest.approx(float(f"{number:.6f}") * (1000 if unit == "km" else 1))


@pytest.mark.parametrize("text", ["5", "km", "-3m", "5 miles", "", "1e3m", "٣m"])
def test_other_distances_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="300m or 5km"):
        parse_distance(text)


def test_headings() -> None:
    assert parse_direction("90") == (90.0, 45.0)
    assert parse_direction("-10 ± 5") == (-10.0, 5.0)
    with pytest.raises(UsageError, match="degrees from north"):
        parse_direction("north")


def test_times() -> None:
    assert parse_time("2021-06-14T12:05", end=True) == datetime(2021, 6, 14, 12, 5)
    assert parse_time("2021-06-14", end=False) == datetime(2021, 6, 14)
    with pytest.raises(UsageError, match="no time"):
        parse_time("yesterday", end=False)


def test_a_position_outside_the_earth_is_named() -> None:
    with pytest.raises(PositionError):
        among_of("152.2,0.12", None, None, None, None)
