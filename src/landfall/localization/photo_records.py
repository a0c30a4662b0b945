"""What an index keeps of each photo that was described."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from landfall.cores import available_cores
from landfall.datasets import PhotoSet
from landfall.errors import IndexStoreError, PhotoError
from landfall.extraction import Descriptors
from landfall.index import PhotoRecord
from landfall.photos import PhotoMetadata, read_metadata

# Length and date of a file; None where there was none.
Stamp = tuple[int, int] | None


def stamps_of(paths: Sequence[Path]) -> list[Stamp]:
    """Return length and date of files, to be taken before they are read: one changed later has another."""
    return [_stamp(path) for path in paths]


def records_of(
    placed: PhotoSet,
    stamps: Sequence[Stamp],
    described: Descriptors,
    *,
    first_id: int = 1,
    first_row: int = 0,
    folder: int = 1,
    workers: int | None = None,
) -> list[PhotoRecord]:
    """Return the records of the photos that could be described, numbered in the order of their rows.

    Args:
        placed: N photos, each with a position.
        stamps: (N,) of their files before they were described.
        described: descriptors of M of them.
        first_id, first_row: of the first record.
        folder: number of the folder that they are in.
        workers: threads that read headers; one a core by default.

    Raises:
        IndexStoreError: a photo is no longer there.
    """
    indexed = placed.take(described.rows)
    known = [stamps[row] for row in described.rows.tolist()]
    with ThreadPoolExecutor(workers or available_cores()) as pool:
        headers = list(pool.map(_header_and_stamp, indexed.paths, known))
    lat, lon = indexed.positions.lat.tolist(), indexed.positions.lon.tolist()
    headings, times = indexed.heading_deg.tolist(), indexed.taken_at.tolist()
    return [
        PhotoRecord(
            id=first_id + at,
            photo=indexed.names[at],
            content_hash=described.content_hashes[at],
            lat=lat[at],
            lon=lon[at],
            altitude_m=header.altitude_m,
            # A name or a table says what its maker measured; the camera's own word comes second.
            heading_deg=header.heading_deg if np.isnan(headings[at]) else headings[at],
            taken_at=times[at] or header.taken_at,
            bytes=stamp[0],
            width=header.width,
            height=header.height,
            row=first_row + at,
            folder=folder,
            mtime_ns=stamp[1],
        )
        for at, (header, stamp) in enumerate(headers)
    ]


def _stamp(path: Path) -> Stamp:
    try:
        return _read_stamp(path)
    except OSError:
        return None


def _read_stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _header_and_stamp(path: Path, stamp: Stamp) -> tuple[PhotoMetadata, tuple[int, int]]:
    """Return a described photo's metadata, and its stamp; it may have gone since it was described."""
    try:
        return read_metadata(path), stamp or _read_stamp(path)
    except (PhotoError, OSError) as error:
        raise IndexStoreError(
            f"{error}: it was there when it was described. Put it back and run the same again; to go on "
            "without it, delete what is unfinished."
        ) from error
