"""Universal Transverse Mercator: zones, bands, and WGS84 to and from metres (by PROJ, through pyproj).

UTM is defined from 80 S to 84 N. Zones are 6 degrees wide, but for two exceptions (NGA.STND.0037, "Universal
Grids and Grid Reference Systems"): band V gives the south-west of Norway to zone 32, and band X divides
Svalbard among 31, 33, 35 and 37. Zone 0 stands for "no zone": an unknown position, or one nearer to a pole
than UTM goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from landfall.errors import PositionError
from landfall.geo.latlon import latlon_arrays

SOUTH_LIMIT_DEG, NORTH_LIMIT_DEG = -80.0, 84.0
# Beyond 1000 km from its meridian a zone's scale is off by more than 1 %, and PROJ's series still answer
# where no point of Earth should be. Negative northings are let in: some tools write them for the south.
_EAST_LIMITS_M, _NORTH_LIMITS_M = (-500_000.0, 1_500_000.0), (-10_000_000.0, 10_100_000.0)
_LETTERS = np.array([*"CDEFGHJKLMNPQRSTUVWX", ""])
# Borders are looked up, not computed: a tiny negative latitude plus 80 would round to 80, in the north.
_BAND_BORDERS_DEG, _ZONE_BORDERS_DEG = np.arange(-72.0, 80.0, 8.0), np.arange(-174.0, 181.0, 6.0)

# (south, north, west, east, zone): in this box the zone is not the regular one.
_EXCEPTIONS = (
    (56.0, 64.0, 3.0, 12.0, 32),
    (72.0, 84.0, 0.0, 9.0, 31),
    (72.0, 84.0, 9.0, 21.0, 33),
    (72.0, 84.0, 21.0, 33.0, 35),
    (72.0, 84.0, 33.0, 42.0, 37),
)


def utm_zone(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.int16]:
    """Return the UTM zone, 1 to 60, of each position; 0 where unknown or outside 80 S to 84 N.

    Longitude 180 is -180, in zone 1. A position on a border belongs to the zone east of it.

    Raises:
        PositionError: a latitude or longitude outside its range.
    """
    lat, lon = latlon_arrays(lat, lon)
    inside = (lat >= SOUTH_LIMIT_DEG) & (lat <= NORTH_LIMIT_DEG)
    lat, lon = np.where(inside, lat, 0.0), np.where(inside, lon, 0.0)
    zone = np.searchsorted(_ZONE_BORDERS_DEG, lon, side="right") % 60 + 1
    for south, north, west, east, exceptional in _EXCEPTIONS:
        # Band X alone ends with its northern border, the last of UTM; the others stop short of it.
        below = lat <= north if north == NORTH_LIMIT_DEG else lat < north
        zone = np.where((lat >= south) & below & (lon >= west) & (lon < east), exceptional, zone)
    return np.asarray(np.where(inside, zone, 0), dtype=np.int16)


def utm_letter(lat: ArrayLike) -> NDArray[np.str_]:
    """Return the letter, C to X, of each latitude's band; "" where unknown or outside 80 S to 84 N."""
    lat = np.asarray(lat, dtype=np.float64)
    inside = (lat >= SOUTH_LIMIT_DEG) & (lat <= NORTH_LIMIT_DEG)
    # Bands are 8 degrees high; X, the last, has 12.
    band = np.searchsorted(_BAND_BORDERS_DEG, lat, side="right")
    return np.asarray(_LETTERS[np.where(inside, band, 20)])


def latlon_to_utm(
    lat: ArrayLike, lon: ArrayLike, *, zone: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int16], NDArray[np.bool_]]:
    """Project positions to UTM.

    Args:
        lat: latitudes in degrees, NaN where unknown.
        lon: longitudes in degrees, same shape.
        zone: project into this zone (one, or one for each) instead of each position's own.

    Returns:
        ``east_m, north_m, zone, south``. Where the position is unknown, outside 80 S to 84 N, or more than
        1000 km from the meridian of the zone asked for, east and north are NaN and the zone is 0.

    Raises:
        PositionError: a coordinate outside its range, or a zone that is not 1 to 60.
    """
    lat, lon = latlon_arrays(lat, lon)
    own = utm_zone(lat, lon)
    if zone is None:
        zones = own
    else:
        wanted = np.broadcast_to(_zone_array(zone, lowest=1), lat.shape)
        zones = np.where(own > 0, wanted, 0).astype(np.int16)
    south = (zones > 0) & (lat < 0.0)
    east, north = np.full(lat.shape, np.nan), np.full(lat.shape, np.nan)
    for rows, projection in _by_zone(zones, south):
        east[rows], north[rows] = projection.transform(lon[rows], lat[rows])
    projected = _in_reach(east, north)
    east, north = np.where(projected, east, np.nan), np.where(projected, north, np.nan)
    return (
        east,
        north,
        np.asarray(np.where(projected, zones, 0), dtype=np.int16),
        np.asarray(south & projected),
    )


def utm_to_latlon(
    east_m: ArrayLike, north_m: ArrayLike, zone: ArrayLike, south: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude and longitude of UTM coordinates; shapes broadcast.

    NaN where a coordinate is NaN or far outside what UTM knows, and where the zone is 0.

    Raises:
        PositionError: a zone that is not 0 to 60.
    """
    east, north, zones, is_south = np.broadcast_arrays(
        np.asarray(east_m, dtype=np.float64),
        np.asarray(north_m, dtype=np.float64),
        _zone_array(zone, lowest=0),
        np.asarray(south, dtype=np.bool_),
    )
    lat, lon = np.full(east.shape, np.nan), np.full(east.shape, np.nan)
    usable = np.where(_in_reach(east, north), zones, 0)
    for rows, projection in _by_zone(usable, is_south):
        lon[rows], lat[rows] = projection.transform(east[rows], north[rows], direction="INVERSE")
    return lat, lon


def _in_reach(east_m: NDArray[np.float64], north_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    within_east = (east_m >= _EAST_LIMITS_M[0]) & (east_m <= _EAST_LIMITS_M[1])
    return np.asarray(within_east & (north_m >= _NORTH_LIMITS_M[0]) & (north_m <= _NORTH_LIMITS_M[1]))


def _zone_array(zone: ArrayLike, *, lowest: int) -> NDArray[np.int16]:
    zones = np.asarray(zone)
    # The last comparison is true of fractions, and of NaN, too.
    wrong = (zones < lowest) | (zones > 60) | (zones != np.floor(zones))
    if wrong.any():
        raise PositionError(f"UTM zone {zones[wrong].flat[0]} does not exist; expected 1 to 60")
    return zones.astype(np.int16)


def _by_zone(
    zones: NDArray[np.int16], south: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.bool_], Transformer]]:
    """Yield the rows of each zone and hemisphere in use, with the projection for them; zone 0 is left out."""
    keys = zones.astype(np.int64) * 2 + south
    for key in np.unique(keys[zones > 0]):
        yield keys == key, _projection(int(key) // 2, bool(key % 2))


@cache
def _projection(zone: int, south: bool) -> Transformer:
    """Return degrees (lon, lat) to UTM metres; at most 120 are made, and pyproj's are thread-safe."""
    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=utm +zone={zone} {'+south ' if south else ''}+ellps=WGS84"
    )
