"""What a dataset holds in numbers: counts, extent, zones, spots, ceilings (the paper's Figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.dataset import Dataset
from landfall.datasets.photo_set import PhotoSet
from landfall.datasets.spots import spots
from landfall.geo import Positions, metric_coordinates

_EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
CEILING_RADII_M = (10.0, 25.0, 50.0)


@dataclass(frozen=True, slots=True)
class SetInfo:
    """Numbers of the database or the queries.

    Attributes:
        photos: how many.
        with_position, with_heading, with_time: how many of them say so much.
        spots: how many different positions.
        photos_per_spot: the least, median and most; None without positions.
        first_taken, last_taken: ISO 8601; None without times.
    """

    photos: int
    with_position: int
    with_heading: int
    with_time: int
    spots: int
    photos_per_spot: tuple[int, float, int] | None
    first_taken: str | None
    last_taken: str | None


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """Numbers of one split.

    Attributes:
        extent_m: (east-west, north-south) of all positions in metres; None without any.
        center: (lat, lon) of the middle of all positions; None without any on earth.
        zones: UTM zones, as "31N".
        without_positive: radius in metres, as text -> queries with no database photo so near.
        ceiling: the same radii -> the percentage of all queries that any method can get right.
        problems: how many photos, rows and folders have something wrong.
    """

    name: str
    split: str | None
    layout: str
    database: SetInfo
    queries: SetInfo
    extent_m: tuple[float, float] | None
    center: tuple[float, float] | None
    zones: tuple[str, ...]
    without_positive: dict[str, int]
    ceiling: dict[str, float | None]
    problems: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain objects, lists, texts and numbers for JSON."""
        return asdict(self)

    def to_text(self) -> str:
        """Return a text for people."""
        label = self.name if self.split is None else f"{self.name}/{self.split}"
        lines = [f"{label} ({self.layout} layout)"]
        lines += [_set_line("database", self.database), _set_line("queries", self.queries)]
        if self.extent_m is None:
            lines.append("extent    unknown: no photo has a position")
            return "\n".join(lines + self._problem_lines())
        lines.append(
            f"extent    {_metres(self.extent_m[0])} east-west, {_metres(self.extent_m[1])} north-south"
        )
        if self.center is not None:
            lines.append(f"center    {self.center[0]:.5f}, {self.center[1]:.5f}")
        lines.append(f"zones     {', '.join(self.zones) or 'none'}")
        for radius, count in self.without_positive.items():
            if (ceiling := self.ceiling[radius]) is not None:
                share = f"{count} of {self.queries.photos} queries have no positive"
                lines.append(f"{radius + ' m':<9} {share}; recall at best {ceiling:.1f} %")
        return "\n".join(lines + self._problem_lines())

    def _problem_lines(self) -> list[str]:
        return [f"problems  {self.problems}; a check names them"] if self.problems else []


def describe_dataset(dataset: Dataset, *, radii_m: Sequence[float] = CEILING_RADII_M) -> DatasetInfo:
    """Count what a dataset holds. No photo is opened.

    Args:
        dataset: one split.
        radii_m: radii for which queries without a positive are counted.

    Raises:
        PositionError: planar and geographic positions in one dataset.
    """
    planes = [plane for plane in map_coordinates(dataset) if len(plane)]
    plane = np.concatenate(planes) if planes else np.zeros((0, 2))
    plane = plane[np.isfinite(plane).all(axis=1)]
    everything = Positions.concatenate([dataset.database.positions, dataset.queries.positions])
    without = {f"{radius:g}": int((dataset.positives(radius).counts == 0).sum()) for radius in radii_m}
    count = len(dataset.queries)
    return DatasetInfo(
        name=dataset.name,
        split=dataset.split,
        layout=dataset.layout,
        database=_describe(dataset.database),
        queries=_describe(dataset.queries),
        extent_m=(float(np.ptp(plane[:, 0])), float(np.ptp(plane[:, 1]))) if len(plane) else None,
        center=_center(everything),
        zones=tuple(f"{zone}{'S' if south else 'N'}" for zone, south in everything.zones()),
        without_positive=without,
        ceiling={key: 100.0 * (count - missed) / count if count else None for key, missed in without.items()},
        problems=len(dataset.problems) + len(dataset.left_out),
    )


def map_coordinates(dataset: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return database and queries as (N, 2) metres east and north in one plane, for a map.

    The UTM plane where all share one zone, and the plane of planar positions; else metres from the middle on
    an equirectangular projection, good enough to look at. Unknown rows are NaN.

    Raises:
        PositionError: planar and geographic positions in one dataset.
    """
    database, queries = metric_coordinates(dataset.database.positions, dataset.queries.positions)
    if database.shape[1] == 2:
        return database, queries
    middle = _center(Positions.concatenate([dataset.database.positions, dataset.queries.positions]))
    assert middle is not None  # three coordinates are given only for positions on earth
    return _plane(dataset.database.positions, *middle), _plane(dataset.queries.positions, *middle)


def _describe(photos: PhotoSet) -> SetInfo:
    located = photos.positions.take(photos.positions.known)
    sizes = np.bincount(spots(located))
    times = photos.taken_at[~np.isnat(photos.taken_at)]
    return SetInfo(
        photos=len(photos),
        with_position=len(located),
        with_heading=int(np.isfinite(photos.heading_deg).sum()),
        with_time=len(times),
        spots=len(sizes),
        photos_per_spot=(int(sizes.min()), float(np.median(sizes)), int(sizes.max())) if len(sizes) else None,
        first_taken=str(times.min()) if len(times) else None,
        last_taken=str(times.max()) if len(times) else None,
    )


def _set_line(noun: str, info: SetInfo) -> str:
    parts = [_plural(info.photos, "photo")]
    if info.with_position < info.photos:
        parts.append(f"{info.with_position or 'none'} with a position")
    if info.photos_per_spot is not None:
        least, median, most = info.photos_per_spot
        each = _plural(most, "photo") if least == most else f"{least} to {most} photos"
        middle = "" if least == most else f", median {median:g}"
        parts.append(f"{_plural(info.spots, 'spot')} ({each} each{middle})")
    if info.photos:
        parts.append(f"{info.with_heading} with a heading")
    if info.first_taken is not None and info.last_taken is not None:
        parts.append(f"taken {info.first_taken[:10]} to {info.last_taken[:10]}")
    return f"{noun:<9} {', '.join(parts)}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _metres(metres: float) -> str:
    return f"{metres:.0f} m" if metres <= 10_000 else f"{metres / 1000:.1f} km"


def _center(positions: Positions) -> tuple[float, float] | None:
    on_earth = np.isfinite(positions.lat)
    if not on_earth.any():
        return None
    lat, lon = positions.lat[on_earth], np.sort(positions.lon[on_earth])
    # Longitudes may straddle 180 degrees: the middle is opposite to the widest gap between them.
    gaps = np.diff(np.append(lon, lon[0] + 360.0))
    widest = int(np.argmax(gaps))
    middle = (lon[widest] + gaps[widest] / 2.0 + 180.0 + 180.0) % 360.0 - 180.0
    return float((lat.min() + lat.max()) / 2.0), float(middle)


def _plane(positions: Positions, lat: float, lon: float) -> NDArray[np.float64]:
    east_deg = (positions.lon - lon + 180.0) % 360.0 - 180.0
    east_m = np.radians(east_deg) * _EARTH_RADIUS_M * np.cos(np.radians(lat))
    return np.stack([east_m, np.radians(positions.lat - lat) * _EARTH_RADIUS_M], axis=1)
