"""Conditions on photos as a Milvus expression, and the exact ones that follow it.

The expression lets through every photo that meets the conditions, and some more around a place: a box of
latitudes and longitudes stands for the circle. What it lets through is looked at again exactly, by the same
functions as in a folder index.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.geo import LatLon
from landfall.index.among import Among, heading_mask, near_mask, seconds_of
from landfall.index.milvus.schema import UNKNOWN

# The fields that ``meets`` looks at.
FIELDS = ("lat", "lon", "heading_deg", "taken_s")
# The least radius of curvature of the WGS84 ellipsoid: a (1 - e^2), of the meridian at the equator. Along
# the ellipsoid every way is at least as long as the same latitudes and longitudes on a sphere of this radius.
_LEAST_RADIUS_M = 6_335_439.0
# Wider than any rounding of the numbers, here or in the server.
_MARGIN_DEG = 1e-7


def expression(among: Among | None) -> str:
    """Return the expression for some conditions; an empty one where there is none."""
    return " and ".join(conditions(among).values())


def conditions(among: Among | None) -> dict[str, str]:
    """Return, for each condition in words, the expression for it."""
    found: dict[str, str] = {}
    if among is None:
        return found
    if among.near is not None and among.within_m is not None:
        found[f"within {among.within_m:g} m of {among.near}"] = _box(among.near, among.within_m)
    if among.taken_from is not None:
        first_s = math.floor(seconds_of(among.taken_from))
        found[f"taken from {among.taken_from} on"] = f"taken_s >= {first_s:.1f}"
    if among.taken_to is not None:
        last_s = math.floor(seconds_of(among.taken_to))
        found[f"taken up to {among.taken_to}"] = f"(taken_s <= {last_s:.1f} and taken_s > {UNKNOWN / 2:.1f})"
    if among.heading_deg is not None and among.heading_within_deg is not None:
        what = f"heading {among.heading_deg:g} give or take {among.heading_within_deg:g} degrees"
        found[what] = _sector(among.heading_deg, among.heading_within_deg)
    return found


def meets(among: Among, entities: Sequence[Mapping[str, Any]]) -> NDArray[np.bool_]:
    """Tell which entities (N,), each with ``FIELDS``, meet all conditions exactly."""
    table = np.array([[each[name] for name in FIELDS] for each in entities], np.float64).reshape(-1, 4)
    lat, lon, heading_deg, taken_s = (np.where(column == UNKNOWN, np.nan, column) for column in table.T)
    kept = np.ones(len(table), np.bool_)
    if among.near is not None and among.within_m is not None:
        kept &= near_mask(lat, lon, among.near, among.within_m)
    if among.taken_from is not None:
        kept &= taken_s >= math.floor(seconds_of(among.taken_from))
    if among.taken_to is not None:
        kept &= taken_s <= seconds_of(among.taken_to)
    if among.heading_deg is not None and among.heading_within_deg is not None:
        kept &= heading_mask(heading_deg, among.heading_deg, among.heading_within_deg)
    return kept


def ids_in(ids: Sequence[int], field: str = "id") -> str:
    """Return the expression for some values of a field of integers."""
    return f"{field} in [{', '.join(str(int(each)) for each in ids)}]"


def _box(near: LatLon, within_m: float) -> str:
    """Return the expression for the latitudes and longitudes that a circle reaches."""
    angle = within_m / _LEAST_RADIUS_M
    low, high = near.lat - math.degrees(angle), near.lat + math.degrees(angle)
    parts = [_between("lat", low, high)]
    if low > -90 and high < 90:
        # The circle's easternmost point lies where a meridian touches it.
        wide_deg = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(near.lat)))))
        if wide_deg < 180 - _MARGIN_DEG:
            parts.append(_longitudes(near.lon - wide_deg, near.lon + wide_deg))
    return " and ".join(parts)


def _longitudes(west: float, east: float) -> str:
    """Return the expression for longitudes from ``west`` to ``east``, which may lie across the date line."""
    pieces = [_between("lon", west, east)]
    if west - _MARGIN_DEG <= -180:
        pieces.append(_between("lon", west + 360, 180.0))
    if east + _MARGIN_DEG >= 180:
        pieces.append(_between("lon", -180.0, east - 360))
    return f"({' or '.join(pieces)})" if len(pieces) > 1 else pieces[0]


def _sector(heading_deg: float, within_deg: float) -> str:
    """Return the expression for directions, which may lie across north."""
    if within_deg + _MARGIN_DEG >= 180:
        return "direction_deg >= 0.0"
    wanted = heading_deg % 360.0
    low, high = wanted - within_deg, wanted + within_deg
    pieces = [_between("direction_deg", max(low, _MARGIN_DEG), high)]
    if low - _MARGIN_DEG < 0:
        pieces.append(_between("direction_deg", low + 360, 360.0))
    if high + _MARGIN_DEG >= 360:
        # From 0 on: what is below stands for "unknown".
        pieces.append(_between("direction_deg", _MARGIN_DEG, high - 360))
    return f"({' or '.join(pieces)})" if len(pieces) > 1 else pieces[0]


def _between(field: str, low: float, high: float) -> str:
    return f"({field} >= {low - _MARGIN_DEG:.9f} and {field} <= {high + _MARGIN_DEG:.9f})"
