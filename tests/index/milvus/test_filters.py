"""An expression lets through whatever meets the conditions exactly, and little more around a place.

Milvus' expressions that are used here are Python's, so that Python says what they let through.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from landfall.geo import LatLon
from landfall.index import Among
from landfall.index.milvus.filters import expression, meets
from landfall.index.milvus.schema import UNKNOWN, UNKNOWN_DIRECTION

START = datetime(2024, 5, 6, tzinfo=UTC)


def lets_through(among: Among, entity: dict[str, Any]) -> bool:
    return bool(eval(expression(among), {"__builtins__": {}}, entity))


def entity(
    lat: float = 0.0, lon: float = 0.0, heading_deg: float = UNKNOWN, taken_s: float = UNKNOWN
) -> dict[str, Any]:
    direction = UNKNOWN_DIRECTION if heading_deg == UNKNOWN else heading_deg % 360
    return {
        "lat": lat,
        "lon": lon,
        "heading_deg": heading_deg,
        "direction_deg": direction,
        "taken_s": taken_s,
    }


LATS = st.floats(-90, 90) | st.sampled_from([-90.0, -89.9999, 0.0, 89.9999, 90.0])
LONS = st.floats(-180, 180) | st.sampled_from([-180.0, -179.9999, 0.0, 179.9999, 180.0])


@settings(max_examples=300)
@given(LATS, LONS, st.floats(0, 3e7), st.floats(0, 1), st.floats(0, 360))
@example(0.0, 180.0, 5000.0, 0.99, 90.0)
@example(89.99, 0.0, 5000.0, 0.9, 0.0)
def test_no_photo_near_a_place_is_lost(
    lat: float, lon: float, within_m: float, share: float, bearing_deg: float
) -> None:
    # A point somewhere inside the circle, some way along a great circle of a sphere as large as the Earth.
    angle = share * min(within_m / 6_371_000, np.pi)
    bearing, phi = np.radians(bearing_deg), np.radians(lat)
    sine = np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing)
    there = np.degrees(np.arcsin(np.clip(sine, -1, 1)))
    turn = np.arctan2(np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * sine)
    photo = entity(float(there), float((lon + np.degrees(turn) + 180) % 360 - 180))
    among = Among(near=LatLon(lat, lon), within_m=within_m)
    if meets(among, [photo])[0]:
        assert lets_through(among, photo)


def test_a_place_lets_through_its_box_alone() -> None:
    among = Among(near=LatLon(52, 13), within_m=1000)
    rng = np.random.default_rng(0)
    photos = [entity(52 + a, 13 + b) for a, b in rng.uniform(-0.05, 0.05, (4000, 2))]
    inside = meets(among, photos)
    through = np.array([lets_through(among, photo) for photo in photos])
    assert (through >= inside).all()
    # A box holds 4 / pi of its circle.
    assert through.sum() < 1.6 * inside.sum()


@given(
    st.floats(-1000, 1000),
    st.floats(0, 180),
    st.floats(0, 359.999) | st.just(UNKNOWN) | st.floats(-720, 720),
)
@example(0.0, 0.0, 360.0)
@example(359.0, 2.0, 1.0)
@example(10.0, 180.0, UNKNOWN)
def test_no_heading_is_lost_and_none_that_is_unknown_is_let_through(
    wanted: float, within: float, heading_deg: float
) -> None:
    among = Among(heading_deg=wanted, heading_within_deg=within)
    photo = entity(heading_deg=heading_deg)
    meant = abs((heading_deg - wanted + 180) % 360 - 180) <= within and heading_deg != UNKNOWN
    assert bool(meets(among, [photo])[0]) == meant
    assert not (meant and not lets_through(among, photo))
    if heading_deg == UNKNOWN:
        assert not lets_through(among, photo)


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-4, 4) | st.none())
def test_times_are_met_to_the_second(first: int, last: int, taken: int | None) -> None:
    if first > last:
        return
    among = Among(taken_from=START + timedelta(seconds=first), taken_to=START + timedelta(seconds=last))
    photo = entity(taken_s=UNKNOWN if taken is None else START.timestamp() + taken)
    meant = taken is not None and first <= taken <= last
    assert bool(meets(among, [photo])[0]) == meant
    assert lets_through(among, photo) == meant


def test_no_conditions_are_no_expression() -> None:
    assert expression(None) == expression(Among()) == ""
    assert meets(Among(), [entity(), entity()]).tolist() == [True, True]


def test_a_whole_circle_around_the_pole_takes_every_longitude() -> None:
    assert "lon" not in expression(Among(near=LatLon(89.999, 0), within_m=500))


@pytest.mark.parametrize("lon", [179.999, -179.999])
def test_the_date_line_is_crossed(lon: float) -> None:
    among = Among(near=LatLon(0, lon), within_m=1000)
    assert lets_through(among, entity(0, -lon))
    assert not lets_through(among, entity(0, 0))
