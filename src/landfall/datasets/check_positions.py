"""Which positions of a set look wrong: far from all others, latitude and longitude swapped, at 0,0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.name_columns import parse_names
from landfall.datasets.spots import spots
from landfall.geo import Positions, distances_m, to_geocentric

LINK_M = 1000.0
"""Photos no farther apart than this are of one place, however densely they are taken otherwise."""
LINK_SPACINGS = 20.0
"""So are photos no farther apart than this many times the median distance to the nearest other spot."""
STRAY_SHARE = 0.005
"""A place of at most this share of all spots (or of one spot) may be a stray; a larger one is a city."""
STRAYS_SHARE = 0.2
"""If more spots than this share were strays, the set is scattered by nature and none of them is strange."""
NAME_TOLERANCE_M = 10.0
"""Names write degrees to 5 decimals, a metre; beyond this their two positions are not the same."""
EXIF_TOLERANCE_M = 200.0
"""A telephone's position may be this far off between houses; beyond it the two are not of one place."""
SWAPPED_SHARE = 0.05
"""If exchanging latitude and longitude leaves at most this share of an error, they were exchanged."""
ZERO_DEG = 1e-4


@dataclass(frozen=True, eq=False)
class StrangePositions:
    """Rows of a set of positions that look wrong.

    Attributes:
        zero: rows at latitude 0, longitude 0: a position that was never filled in.
        swapped: rows that lie among the others once latitude and longitude are exchanged.
        far: rows far from all others, none of those above.
        far_m: (len(far),) metres to the nearest photo that is not far.
    """

    zero: NDArray[np.int64]
    swapped: NDArray[np.int64]
    far: NDArray[np.int64]
    far_m: NDArray[np.float64]


def strange_positions(positions: Positions) -> StrangePositions:
    """Look for positions that can't be right.

    The spots are parted into places by single linkage. A place of very few spots is far off when its
    distance to everything else exceeds both the linking distance and the width of the largest place; two
    cities are two places of many spots, and neither is far off. Fewer than five spots tell nothing.

    Args:
        positions: all photos of one dataset, either all planar or all on earth (unknown rows are left out).
    """
    none = np.zeros(0, dtype=np.int64)
    rows = np.flatnonzero(positions.known)
    zero = rows[(np.abs(positions.lat[rows]) < ZERO_DEG) & (np.abs(positions.lon[rows]) < ZERO_DEG)]
    rows = np.setdiff1d(rows, zero)
    known = positions.take(rows)
    spot_of = spots(known)
    _, firsts = np.unique(spot_of, return_index=True)
    if len(firsts) < 5:
        return StrangePositions(zero, none, none, np.zeros(0))
    metres = _metres(known)
    points = metres[firsts]
    places, link_m = _places(points)
    sizes = np.bincount(places)
    main = int(np.argmax(sizes))

    swapped_spots = _swapped(known.take(firsts), points, places == main, link_m)
    small = sizes <= max(1.0, STRAY_SHARE * len(points))
    small[main] = False
    far_spots = small[places] & ~swapped_spots
    main_points = points[places == main]
    reach_m = float(np.quantile(np.linalg.norm(main_points - np.median(main_points, axis=0), axis=1), 0.95))
    gap_m = _nearest(points[~small[places]], points)
    far_spots &= gap_m > 2.0 * reach_m
    if far_spots.sum() > STRAYS_SHARE * len(points):
        far_spots[:] = False
    far = np.flatnonzero(far_spots[spot_of])
    return StrangePositions(
        zero=zero,
        swapped=rows[np.flatnonzero(swapped_spots[spot_of])],
        far=rows[far],
        far_m=gap_m[spot_of[far]],
    )


def disagreeing_names(names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find ``@`` names whose latitude and longitude are not where their east, north and zone are.

    Returns:
        The rows, and the metres between the two positions (infinite where the degrees are out of range).
    """
    columns = parse_names(names)
    both = columns.positions.known & np.isfinite(columns.positions.lat)
    both &= np.isfinite(columns.named_lat) & np.isfinite(columns.named_lon)
    on_earth = both & (np.abs(columns.named_lat) <= 90) & (np.abs(columns.named_lon) <= 180)
    rows = np.flatnonzero(on_earth)
    apart_m = np.where(both & ~on_earth, np.inf, np.nan)
    apart_m[rows] = distances_m(
        columns.positions.take(rows), Positions.from_latlon(columns.named_lat[rows], columns.named_lon[rows])
    )
    wrong = np.flatnonzero(apart_m > NAME_TOLERANCE_M)
    return wrong, apart_m[wrong]


@dataclass(frozen=True, eq=False)
class ExifDisagreement:
    """Photos whose positions are far from those in their EXIF.

    Attributes:
        rows: (M,) which photos.
        apart_m: (M,) metres between the two positions.
        swapped: (M,) whether exchanging latitude and longitude would bring them together.
    """

    rows: NDArray[np.int64]
    apart_m: NDArray[np.float64]
    swapped: NDArray[np.bool_]


def disagreeing_exif(positions: Positions, exif: Positions) -> ExifDisagreement:
    """Compare positions from names or a table with those that the photos' own EXIF gives.

    Args:
        positions: of N photos; planar and unknown rows are left out.
        exif: of the same photos; unknown rows are left out.
    """
    rows = np.flatnonzero(np.isfinite(positions.lat) & np.isfinite(exif.lat))
    apart_m = distances_m(positions.take(rows), exif.take(rows))
    rows, apart_m = rows[apart_m > EXIF_TOLERANCE_M], apart_m[apart_m > EXIF_TOLERANCE_M]
    lat, lon = positions.lat[rows], positions.lon[rows]
    swapped = np.abs(lon) <= 90
    turned = Positions.from_latlon(lon[swapped], lat[swapped])
    limit_m = np.maximum(EXIF_TOLERANCE_M, SWAPPED_SHARE * apart_m[swapped])
    swapped[swapped] = distances_m(turned, exif.take(rows[swapped])) <= limit_m
    return ExifDisagreement(rows, apart_m, swapped)


def _metres(positions: Positions) -> NDArray[np.float64]:
    """Return (N, 3) geocentric metres, or (N, 2) of the plane: over these distances zones don't matter."""
    if positions.is_geographic:
        return to_geocentric(positions.lat, positions.lon)
    return np.stack([positions.east_m, positions.north_m], axis=1)


def _places(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    """Part M points into places by single linkage; return (M,) place numbers and the linking distance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    nearest_m = np.asarray(cKDTree(points).query(points, k=2)[0])
    spacing_m = float(np.median(nearest_m[:, 1]))
    link_m = max(LINK_M, LINK_SPACINGS * spacing_m)
    # Cells in place of points: a dense city has billions of pairs within the linking distance.
    cells, cell_of = np.unique(np.floor(points / (link_m / 4)), axis=0, return_inverse=True)
    pairs = cKDTree(cells).query_pairs(4.0, output_type="ndarray")
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(cells), len(cells)))
    _, places = connected_components(graph, directed=False)
    return places[cell_of.reshape(-1)].astype(np.int64), link_m


def _swapped(
    positions: Positions, points: NDArray[np.float64], in_main: NDArray[np.bool_], link_m: float
) -> NDArray[np.bool_]:
    """Tell which spots outside the largest place fall into it with latitude and longitude exchanged."""
    result = np.zeros(len(points), dtype=np.bool_)
    if not positions.is_geographic:
        return result
    others = np.flatnonzero(~in_main & (np.abs(positions.lon) <= 90))
    exchanged = to_geocentric(positions.lon[others], positions.lat[others])
    result[others] = _nearest(points[in_main], exchanged) <= link_m
    return result


def _nearest(points: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance from each of ``asked`` to the nearest of ``points``."""
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(points).query(asked)[0], dtype=np.float64)
