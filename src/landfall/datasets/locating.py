"""Where the photos of one folder were taken: by their ``@`` names, else by their EXIF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.cores import available_cores
from landfall.datasets.name_columns import NOT_A_POSITION_NAME, parse_names
from landfall.datasets.photo_set import PhotoSet
from landfall.errors import PhotoError
from landfall.geo import Positions
from landfall.photos import PhotoMetadata, read_metadata

NO_ZONE = "its name gives metres with no UTM zone"


@dataclass(frozen=True, eq=False)
class Located:
    """N photos with their positions, and what there is to say of some rows.

    Attributes:
        photos: the N photos.
        without_position: row -> why its position is unknown.
        failed: row -> why it can't be read; its position is unknown, too.
        remarks: row -> a field of its name that was left out for making no sense.
        by_exif: rows whose position is that of their EXIF.
    """

    photos: PhotoSet
    without_position: Mapping[int, str] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)
    remarks: Mapping[int, str] = field(default_factory=dict)
    by_exif: frozenset[int] = frozenset()


def locate(root: Path, names: Sequence[str], *, planar: bool, workers: int | None = None) -> Located:
    """Find the positions of photos.

    The name rules where it gives a position; only the other photos are opened. Their headers are read in
    threads.

    Args:
        root: the folder the names are relative to.
        names: N paths relative to ``root``.
        planar: whether names that give metres with no zone count as positions. They do only if no name
            here gives a zone, since no distance joins the two.
        workers: threads that read headers; some a core by default.
    """
    columns = parse_names(names)
    positions, no_zone = drop_planar(columns.positions, planar=planar)
    reasons = {**columns.reasons, **dict.fromkeys(np.flatnonzero(no_zone).tolist(), NO_ZONE)}
    rows = np.flatnonzero(~positions.known).tolist()
    heading_deg, taken_at = columns.heading_deg.copy(), columns.taken_at.copy()
    lat, lon = np.full(len(names), np.nan), np.full(len(names), np.nan)
    without_position: dict[int, str] = {}
    failed: dict[int, str] = {}
    for row, metadata in zip(rows, _headers([root / names[row] for row in rows], workers), strict=True):
        if isinstance(metadata, PhotoError):
            failed[row] = metadata.reason
            continue
        if metadata.location is None:
            why_name, why_exif = reasons[row], metadata.location_problem or "no position in EXIF"
            without_position[row] = why_exif if why_name == NOT_A_POSITION_NAME else f"{why_name}; {why_exif}"
        else:
            lat[row], lon[row] = metadata.location.lat, metadata.location.lon
        if metadata.heading_deg is not None:
            heading_deg[row] = metadata.heading_deg % 360.0
        if metadata.taken_at is not None:
            # The column has no time zone; what the camera's clock showed is kept.
            taken_at[row] = np.datetime64(metadata.taken_at.replace(tzinfo=None), "s")
    by_exif = np.isfinite(lat)
    merged = Positions.concatenate([positions, Positions.from_latlon(lat, lon)]).take(
        np.arange(len(names)) + np.where(by_exif, len(names), 0)
    )
    photos = PhotoSet(root, tuple(names), merged, heading_deg, taken_at)
    return Located(
        photos, without_position, failed, columns.remarks, frozenset(np.flatnonzero(by_exif).tolist())
    )


def drop_planar(positions: Positions, *, planar: bool) -> tuple[Positions, NDArray[np.bool_]]:
    """Make metres with no zone unknown, unless they are wanted and are all there is.

    Returns:
        The positions, and (N,) which rows were dropped.
    """
    no_zone = positions.known & np.isnan(positions.lat)
    if planar and no_zone[positions.known].all():
        return positions, np.zeros(len(positions), dtype=np.bool_)
    rows = np.where(no_zone, len(positions), np.arange(len(positions)))
    return Positions.concatenate([positions, Positions.unknown(1)]).take(rows), no_zone


def _headers(paths: Sequence[Path], workers: int | None) -> list[PhotoMetadata | PhotoError]:
    if not paths:
        return []

    def read(path: Path) -> PhotoMetadata | PhotoError:
        try:
            return read_metadata(path)
        except PhotoError as error:
            return error

    # Headers are waited for more than computed on, so more threads than cores pay.
    threads = workers or min(32, 4 * available_cores())
    with ThreadPoolExecutor(max_workers=min(threads, len(paths))) as pool:
        return list(pool.map(read, paths))
