"""Geocentric (earth-centred, earth-fixed) coordinates on the WGS84 ellipsoid, in metres.

One frame for the whole Earth: the straight line between two points on the ellipsoid is shorter than the way
along it by d^3 / 24 R^2, a nanometre at 100 m and 1 mm at 10 km, wherever the points lie.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from landfall.geo.latlon import latlon_arrays


def to_geocentric(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Return (..., 3) metres of positions at height 0; NaN where unknown.

    Raises:
        PositionError: a latitude or longitude outside its range.
    """
    lat, lon = latlon_arrays(lat, lon)
    xyz = np.stack(_cartesian().transform(lon, lat, np.zeros_like(lat)), axis=-1)
    return np.where(np.isnan(lat)[..., None], np.nan, xyz)


def from_geocentric(xyz: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude and longitude of (..., 3) metres; height is dropped, NaN stays NaN."""
    xyz = np.asarray(xyz, dtype=np.float64)
    known = np.isfinite(xyz).all(axis=-1)
    safe = np.where(known[..., None], xyz, 1.0)
    lon, lat, _ = _cartesian().transform(safe[..., 0], safe[..., 1], safe[..., 2], direction="INVERSE")
    return np.where(known, lat, np.nan), np.where(known, lon, np.nan)


@cache
def _cartesian() -> Transformer:
    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84"
    )
