"""Where N photos were taken, as columns, and metres between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

from landfall.errors import PositionError
from landfall.geo.geocentric import to_geocentric
from landfall.geo.latlon import LatLon, latlon_arrays
from landfall.geo.utm import latlon_to_utm, utm_to_latlon


@dataclass(frozen=True, eq=False)
class Positions:
    """Where N photos were taken; each row is one of four kinds.

    ========== ============== ======= ============
    kind       east_m north_m zone    lat lon
    ========== ============== ======= ============
    on Earth   finite         1 to 60 finite
    near poles NaN            0       finite
    planar     finite         0       NaN
    unknown    NaN            0       NaN
    ========== ============== ======= ============

    Planar rows are metres in some plane without a zone, as several datasets have them. Make one by
    ``from_latlon``, ``from_utm``, ``planar`` or ``unknown``.

    Args:
        east_m, north_m: (N,) metres.
        zone: (N,) UTM zone.
        south: (N,) whether the zone is of the southern hemisphere.
        lat, lon: (N,) degrees on WGS84.
    """

    east_m: NDArray[np.float64]
    north_m: NDArray[np.float64]
    zone: NDArray[np.int16]
    south: NDArray[np.bool_]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]

    @classmethod
    def from_latlon(cls, lat: ArrayLike, lon: ArrayLike) -> Positions:
        """Make positions of degrees, NaN where unknown, each in its own UTM zone.

        Raises:
            PositionError: an infinite value or one outside its range.
        """
        lat, lon = latlon_arrays(np.atleast_1d(lat), np.atleast_1d(lon))
        return cls(*latlon_to_utm(lat, lon), lat, lon)

    @classmethod
    def from_utm(cls, east_m: ArrayLike, north_m: ArrayLike, zone: ArrayLike, south: ArrayLike) -> Positions:
        """Make positions of UTM metres, NaN where unknown; ``zone`` and ``south`` may be one for all.

        The coordinates stay in the zone given, even somewhat outside it. Zone 0 makes a planar row.

        Raises:
            PositionError: a zone that does not exist, or coordinates far outside UTM's.
        """
        east, north, known = _metres(east_m, north_m)
        zones = np.where(known, np.broadcast_to(zone, east.shape), 0)
        lat, lon = utm_to_latlon(east, north, zones, south)
        lost = (zones > 0) & np.isnan(lat)
        if lost.any():
            row = int(np.flatnonzero(lost)[0])
            raise PositionError(
                f"Position {row} is east {east[row]} m, north {north[row]} m in UTM zone {zones[row]}; "
                "expected east of some 100000 to 900000 and north of 0 to 10000000. Are the two swapped?"
            )
        is_south = np.broadcast_to(np.asarray(south, dtype=np.bool_), east.shape) & (zones > 0)
        return cls(east, north, zones.astype(np.int16), is_south, lat, lon)

    @classmethod
    def planar(cls, east_m: ArrayLike, north_m: ArrayLike) -> Positions:
        """Make positions of metres in a plane with no zone; NaN where unknown."""
        east, north, _ = _metres(east_m, north_m)
        n, nan = len(east), np.full(len(east), np.nan)
        return cls(east, north, np.zeros(n, np.int16), np.zeros(n, np.bool_), nan, nan.copy())

    @classmethod
    def unknown(cls, n: int) -> Positions:
        """Make ``n`` unknown positions."""
        return cls.planar(np.full(n, np.nan), np.full(n, np.nan))

    @classmethod
    def concatenate(cls, parts: Sequence[Positions]) -> Positions:
        """Put positions one after another."""
        parts = [*parts, cls.unknown(0)]
        return cls(
            np.concatenate([p.east_m for p in parts]),
            np.concatenate([p.north_m for p in parts]),
            np.concatenate([p.zone for p in parts]),
            np.concatenate([p.south for p in parts]),
            np.concatenate([p.lat for p in parts]),
            np.concatenate([p.lon for p in parts]),
        )

    def take(self, rows: ArrayLike) -> Positions:
        """Return the rows that indices or a boolean mask of N choose."""
        chosen = np.asarray(rows)
        if chosen.dtype != np.bool_:
            chosen = chosen.astype(np.int64)
        return Positions(
            self.east_m[chosen],
            self.north_m[chosen],
            self.zone[chosen],
            self.south[chosen],
            self.lat[chosen],
            self.lon[chosen],
        )

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N,) whether anything is known of the row's position."""
        return np.isfinite(self.east_m) | np.isfinite(self.lat)

    @property
    def is_geographic(self) -> bool:
        """Whether no row is planar, so that every known one has a latitude and longitude."""
        return not self._planar.any()

    def zones(self) -> tuple[tuple[int, bool], ...]:
        """Return the (zone, south) in use, sorted."""
        used = self.zone > 0
        pairs = {
            (int(key) // 2, bool(key % 2))
            for key in np.unique(self.zone[used].astype(int) * 2 + self.south[used])
        }
        return tuple(sorted(pairs))

    def __len__(self) -> int:
        return len(self.east_m)

    @property
    def _planar(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.east_m) & (self.zone == 0))


def metric_coordinates(*positions: Positions) -> list[NDArray[np.float64]]:
    """Put several sets of positions into one frame in which distances are metres.

    The frame is the UTM plane when all known rows share one zone and hemisphere, as the field's benchmarks
    measure; else geocentric metres, in which positions of different zones (or near a pole) are as far apart
    as on Earth. Planar positions stay in their plane.

    Returns:
        One (N, 2) or (N, 3) array each; rows of unknown positions are NaN.

    Raises:
        PositionError: planar positions together with geographic ones.
    """
    if _share_a_plane(positions):
        return [np.stack([p.east_m, p.north_m], axis=1) for p in positions]
    return [to_geocentric(p.lat, p.lon) for p in positions]


def distances_m(a: Positions, b: Positions) -> NDArray[np.float64]:
    """Return the (N,) metres from each row of ``a`` to the same row of ``b``; NaN where either is unknown.

    Measured in the UTM plane when all share one zone and hemisphere, else along the ellipsoid.

    Raises:
        PositionError: different lengths, or planar positions together with geographic ones.
    """
    if len(a) != len(b):
        raise PositionError(f"{len(a)} positions against {len(b)}; expected the same number, row by row")
    if _share_a_plane((a, b)):
        return np.hypot(a.east_m - b.east_m, a.north_m - b.north_m)
    known = a.known & b.known
    distances = np.full(len(a), np.nan)
    distances[known] = Geod(ellps="WGS84").inv(a.lon[known], a.lat[known], b.lon[known], b.lat[known])[2]
    return distances


def geodesic_m(lat: ArrayLike, lon: ArrayLike, place: LatLon) -> NDArray[np.float64]:
    """Return the (N,) metres along the ellipsoid from degrees to one place; NaN where unknown."""
    lat, lon = latlon_arrays(np.atleast_1d(lat), np.atleast_1d(lon))
    known = np.isfinite(lat)
    count = int(known.sum())
    metres = np.full(len(lat), np.nan)
    to_lon, to_lat = np.full(count, place.lon), np.full(count, place.lat)
    metres[known] = Geod(ellps="WGS84").inv(lon[known], lat[known], to_lon, to_lat)[2]
    return metres


def _share_a_plane(positions: Sequence[Positions]) -> bool:
    every = Positions.concatenate(positions)
    planar, known = every._planar, every.known
    if planar.any():
        if (known & ~planar).any():
            on_earth = int((known & ~planar).sum())
            raise PositionError(
                f"{int(planar.sum())} positions are metres in a plane with no UTM zone and {on_earth} are on "
                "Earth; no distance joins them. Give all of them a zone, or none"
            )
        return True
    no_zone = known & (every.zone == 0)
    return len(every.zones()) <= 1 and not no_zone.any()


def _metres(
    east_m: ArrayLike, north_m: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return both as (N,) arrays, NaN in both wherever either is, and where they are known."""
    east, north = np.broadcast_arrays(
        np.atleast_1d(np.asarray(east_m, dtype=np.float64)),
        np.atleast_1d(np.asarray(north_m, dtype=np.float64)),
    )
    infinite = np.isinf(east) | np.isinf(north)
    if infinite.any():
        row = int(np.flatnonzero(infinite)[0])
        raise PositionError(
            f"Position {row} is east {east[row]} m, north {north[row]} m; expected finite metres. "
            "Give NaN for an unknown position"
        )
    known = ~(np.isnan(east) | np.isnan(north))
    return np.where(known, east, np.nan), np.where(known, north, np.nan), known
