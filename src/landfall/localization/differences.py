"""What differs between a folder of photos and what an index has of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from landfall.cores import available_cores
from landfall.datasets import PhotoListing, PhotoSet
from landfall.errors import PhotoError
from landfall.index import PhotoRecord
from landfall.localization.photo_records import Stamp, stamps_of
from landfall.photos import PhotoProblem, content_hash

# Positions and headings that differ by less are the same number, written and read again.
_SAME_DEG = 1e-9


@dataclass
class Differences:
    """What is to be done for one folder, in terms of N photos that are found there with a position.

    Attributes:
        placed: the N photos.
        stamps: (N,) of their files.
        fresh: rows of photos that are not indexed.
        changed: rows and records of indexed photos with new content.
        moved: records as they are to be, of photos that are there under another name.
        relocated: records as they are to be, whose position, heading or time alone is another.
        touched: records as they are to be, of files that were written again with the same bytes.
        gone: records of photos that are no longer there.
        unchanged: how many are as they were, the touched ones among them.
        failed: photos that could not be read; what is indexed of them stays.
    """

    placed: PhotoSet
    stamps: list[Stamp]
    fresh: list[int] = field(default_factory=list)
    changed: list[tuple[int, PhotoRecord]] = field(default_factory=list)
    moved: list[PhotoRecord] = field(default_factory=list)
    relocated: list[PhotoRecord] = field(default_factory=list)
    touched: list[PhotoRecord] = field(default_factory=list)
    gone: list[PhotoRecord] = field(default_factory=list)
    unchanged: int = 0
    failed: list[PhotoProblem] = field(default_factory=list)


def differences_of(
    listing: PhotoListing,
    indexed: dict[str, PhotoRecord],
    *,
    rehash: bool = False,
    workers: int | None = None,
) -> Differences:
    """Compare the photos that are found with those that are indexed of the same folder.

    A file with the length and the date that it had is taken to have its bytes, too.

    Args:
        listing: of the folder. What it lists with no position, or can't read, stays as it is indexed.
        indexed: records by name.
        rehash: read every file, whatever its length and date.
        workers: threads that read files; one a core by default.
    """
    placed = listing.photos.take(listing.photos.positions.known)
    found = Differences(placed, stamps_of(placed.paths))
    rows = {name: row for row, name in enumerate(placed.names)}
    found.fresh = [row for name, row in rows.items() if name not in indexed]
    found.gone = _gone(placed.root, listing, [record for name, record in indexed.items() if name not in rows])
    there = [(row, indexed[name]) for name, row in rows.items() if name in indexed]
    doubtful = [
        (row, record)
        for row, record in there
        if rehash or found.stamps[row] != (record.bytes, record.mtime_ns)
    ]
    hashes = _hashes(found, [row for row, _ in doubtful], workers)
    for row, record in there:
        content = hashes.get(row, record.content_hash)
        if content is None:
            continue
        if content != record.content_hash:
            found.changed.append((row, record))
        else:
            _compare(found, row, record)
    _find_moved(found, workers)
    return found


def _gone(root: Path, listing: PhotoListing, unlisted: Sequence[PhotoRecord]) -> list[PhotoRecord]:
    """Return the records whose file is not there, or that a table lists no longer."""
    named = {problem.photo for problem in (*listing.without_position, *listing.failed)}
    return [
        record
        for record in unlisted
        if _is_missing(root / record.photo) or (listing.is_table and record.photo not in named)
    ]


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # a folder that may not be entered, a disk that fails: nobody knows
        return False
    return False


def _hashes(found: Differences, rows: Sequence[int], workers: int | None) -> dict[int, str | None]:
    """Return content hashes by row; None for photos that can't be read, which are entered as failed."""

    def read(row: int) -> str | PhotoError:
        try:
            return content_hash(found.placed.root / found.placed.names[row])
        except PhotoError as error:
            return error

    hashes: dict[int, str | None] = {}
    with ThreadPoolExecutor(workers or available_cores()) as pool:
        for row, told in zip(rows, pool.map(read, rows), strict=True):
            hashes[row] = None if isinstance(told, PhotoError) else told
            if isinstance(told, PhotoError):
                found.failed.append(PhotoProblem(found.placed.names[row], told.reason))
    return hashes


def _compare(found: Differences, row: int, record: PhotoRecord) -> None:
    """Enter a photo whose content is as it was."""
    located = _located(found, row, record)
    if located != record:
        found.relocated.append(_stamped(found, row, located))
        return
    found.unchanged += 1
    stamped = _stamped(found, row, record)
    if stamped != record:
        found.touched.append(stamped)


def _located(found: Differences, row: int, record: PhotoRecord) -> PhotoRecord:
    """Return a record with the position, heading and time that are told now, where they are others."""
    photos = found.placed
    lat, lon = float(photos.positions.lat[row]), float(photos.positions.lon[row])
    changes: dict[str, Any] = {}
    if abs(lat - record.lat) > _SAME_DEG or abs(lon - record.lon) > _SAME_DEG:
        changes |= {"lat": lat, "lon": lon}
    heading = float(photos.heading_deg[row])
    if not np.isnan(heading) and (
        record.heading_deg is None or abs(heading - record.heading_deg) > _SAME_DEG
    ):
        changes["heading_deg"] = heading
    taken_at = photos.taken_at[row].item()
    if taken_at is not None and taken_at != record.taken_at:
        changes["taken_at"] = taken_at
    return replace(record, **changes) if changes else record


def _stamped(found: Differences, row: int, record: PhotoRecord) -> PhotoRecord:
    stamp = found.stamps[row]
    return record if stamp is None else replace(record, bytes=stamp[0], mtime_ns=stamp[1])


def _find_moved(found: Differences, workers: int | None) -> None:
    """Take what is new under one name and gone under another as moved, if the bytes are the same."""
    lengths = {record.bytes for record in found.gone}
    candidates = [row for row in found.fresh if (stamp := found.stamps[row]) and stamp[0] in lengths]
    if not candidates:
        return
    gone: dict[str, list[PhotoRecord]] = {}
    for record in found.gone:
        gone.setdefault(record.content_hash, []).append(record)
    done, taken = set(), set()
    for row, content in _hashes(found, candidates, workers).items():
        if content is None:
            done.add(row)
        elif gone.get(content):
            record = gone[content].pop()
            done.add(row)
            taken.add(record.id)
            renamed = replace(_located(found, row, record), photo=found.placed.names[row])
            found.moved.append(_stamped(found, row, renamed))
    found.fresh = [row for row in found.fresh if row not in done]
    found.gone = [record for record in found.gone if record.id not in taken]
