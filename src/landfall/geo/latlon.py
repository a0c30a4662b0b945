"""Latitude and longitude in degrees on WGS84: one position, and arrays of them.

In arrays NaN means "unknown" and passes through every function; an infinite value or one outside its range is
a mistake and raises.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landfall.errors import PositionError

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_PAIR = re.compile(rf"\s*({_NUMBER})\s*(?:[,;]\s*|\s)({_NUMBER})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class LatLon:
    """A position in degrees on WGS84.

    Args:
        lat: latitude, -90 to 90, north positive.
        lon: longitude, -180 to 180, east positive.

    Raises:
        PositionError: a value that is not finite or outside its range.
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat) and -90.0 <= self.lat <= 90.0):
            raise PositionError(f"Latitude {self.lat} is not within -90 to 90 degrees{_swap_hint(self)}")
        if not (math.isfinite(self.lon) and -180.0 <= self.lon <= 180.0):
            raise PositionError(f"Longitude {self.lon} is not within -180 to 180 degrees")

    def __str__(self) -> str:
        # Seven decimals are about a centimetre.
        return f"{self.lat:.7f},{self.lon:.7f}"


def _swap_hint(position: LatLon) -> str:
    swapped_fits = 90.0 < abs(position.lat) <= 180.0 and abs(position.lon) <= 90.0
    return "; are latitude and longitude swapped?" if swapped_fits else ""


def parse_latlon(text: str) -> LatLon:
    """Read ``"52.2053,0.1218"``: latitude, then longitude, in decimal degrees.

    A comma, a semicolon or a space may stand between the two.

    Raises:
        PositionError: not two decimal numbers, or one outside its range.
    """
    pair = _PAIR.fullmatch(text)
    if pair is None:
        raise PositionError(
            f"{text!r} is not a position; expected latitude,longitude in decimal degrees: 52.2053,0.1218"
        )
    return LatLon(float(pair[1]), float(pair[2]))


def valid_latlon(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
    """Tell which pairs are positions: finite and within range. Shapes broadcast; NaN gives False."""
    lat, lon = np.broadcast_arrays(np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64))
    # A comparison with NaN is False, which is the answer wanted.
    return np.asarray((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0))


def latlon_arrays(lat: ArrayLike, lon: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as float64 arrays of one shape, NaN in both wherever either is NaN.

    Raises:
        PositionError: an infinite value or one outside its range; the first such row is named.
    """
    both = np.broadcast_arrays(np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64))
    unknown = np.isnan(both[0]) | np.isnan(both[1])
    wrong = ~valid_latlon(*both) & ~unknown
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        at = (float(both[0].flat[row]), float(both[1].flat[row]))
        raise PositionError(
            f"Position {row} is latitude {at[0]}, longitude {at[1]} ({int(wrong.sum())} such); "
            "expected -90 to 90 and -180 to 180 degrees. Give NaN for an unknown position"
        )
    return np.where(unknown, np.nan, both[0]), np.where(unknown, np.nan, both[1])
