"""From degrees to a drawing: longitudes without a jump, and metres in a plane true around the data."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Frame = Literal["degrees", "metres"]

# Of the WGS84 ellipsoid, by its definition.
_SEMI_MAJOR_M, _ECCENTRICITY_SQUARED = 6378137.0, 0.00669437999014


def unwrap_longitudes(lon: ArrayLike, *, like: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return longitudes without the jump from 180 to -180 where the data crosses it.

    The widest empty stretch of the circle becomes the outside; where the date line is inside, the
    longitudes beyond it get 360 degrees more. NaN stays NaN.

    Args:
        lon: degrees, of any shape.
        like: the degrees that decide, where ``lon`` is only a part of what is drawn.
    """
    degrees = np.asarray(lon, dtype=np.float64)
    decisive = degrees if like is None else np.asarray(like, dtype=np.float64)
    known = np.sort(decisive[np.isfinite(decisive)], axis=None)
    if known.size < 2:
        return degrees.copy()
    gaps = np.diff(known)
    widest = int(np.argmax(gaps))
    if gaps[widest] <= known[0] + 360.0 - known[-1]:
        return degrees.copy()
    return np.where(degrees <= known[widest], degrees + 360.0, degrees)


def local_metres(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Return (N, 2) metres east and north of an origin amid the data; NaN where unknown.

    An equidistant cylindrical map with the ellipsoid's radii at the middle latitude: for a picture of a
    town or a county, not for measuring. At 50 degrees of latitude, 100 km north
    of the middle, it is off by 2 %.
    """
    latitudes, longitudes = np.asarray(lat, dtype=np.float64), unwrap_longitudes(lon)
    metres = np.full((latitudes.size, 2), np.nan)
    known = np.isfinite(latitudes) & np.isfinite(longitudes)
    if not known.any():
        return metres
    middle_lat = (latitudes[known].min() + latitudes[known].max()) / 2
    middle_lon = (longitudes[known].min() + longitudes[known].max()) / 2
    flattened = 1.0 - _ECCENTRICITY_SQUARED * np.sin(np.radians(middle_lat)) ** 2
    prime_vertical_m = _SEMI_MAJOR_M / np.sqrt(flattened)
    meridional_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / flattened**1.5
    metres[:, 0] = np.radians(longitudes - middle_lon) * prime_vertical_m * np.cos(np.radians(middle_lat))
    metres[:, 1] = np.radians(latitudes - middle_lat) * meridional_m
    metres[~known] = np.nan
    return metres


def round_step(most: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is at most ``most``."""
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(times * power for times in (5.0, 2.0, 1.0) if times * power <= most * (1 + 1e-9)))
