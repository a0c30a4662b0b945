"""Adding photos to an index: its own model describes those that are not there yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from landfall.datasets import PhotoListing, PhotoSet, load_photos
from landfall.errors import PhotoError
from landfall.extraction import Progress
from landfall.index import Change, changing
from landfall.localization.change_report import ChangeReport
from landfall.localization.describing import check_same_model, describe_for, forget_work
from landfall.localization.listed import check_any, source_of, told_path
from landfall.localization.photo_records import Stamp, records_of, stamps_of
from landfall.localization.thumbnails import show_photos, shown
from landfall.localization.upkeep import keep_up
from landfall.models import Model
from landfall.photos import PhotoProblem, content_hash


def add_photos(
    index_path: str | PathLike[str],
    photos: str | Path,
    *,
    model: Model | None = None,
    device: str | None = None,
    batch_size: int = 16,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] | None = None,
) -> ChangeReport:
    """Add photos that have a position; an add that was killed goes on when it is repeated.

    A photo that is there already, with the same name and content, is counted and left alone. One whose name
    is there with other content fails: ``update_index`` takes new content.

    Args:
        index_path: the index folder.
        photos: a folder (at any depth), a CSV, or one photo.
        model: only checked to be the index's own, which describes the photos.
        device: where it runs.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
        progress: told after each batch how far the description is, and then how far the thumbnails are.

    Raises:
        DatasetError: nothing to index at ``photos``; the message tells why.
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
        ModelError: ``model`` is not the index's own.
    """
    listing = load_photos(photos, workers=workers)
    placed = listing.photos.take(listing.photos.positions.known)
    check_any(photos, listing, placed)
    with changing(index_path, device=device) as change:
        if model is not None:
            check_same_model(change.index, model)
        report = add_listed(
            change,
            listing,
            what=f"adding {told_path(photos)}",
            source=source_of(photos, listing),
            batch_size=batch_size,
            workers=workers,
            say=say,
            progress=progress,
        )
    if report.added:
        report = replace(report, index=keep_up(report.index, say=say))
    return report


def add_listed(
    change: Change,
    listing: PhotoListing,
    *,
    what: str,
    source: str | None,
    batch_size: int = 16,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] | None = None,
) -> ChangeReport:
    """Add those of the listed photos that have a position, by a fresh change, and commit it.

    What is worked out from all photos is not learned anew: ``keep_up`` does that.

    Args:
        change: of the index; it is committed where a photo is added.
        listing: the photos.
        what: this is, in words, for the person whose unfinished work of another change is dropped.
        source: what tells of the photos of their folder; None where they are named one by one.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
        progress: told after each batch how far the description is, and then how far the thumbnails are.

    Raises:
        IndexStoreError: the index can't be written.
    """
    placed = listing.photos.take(listing.photos.positions.known)
    root = told_path(placed.root)
    stamps = stamps_of(placed.paths)
    sorted_out = _sort_out(change, root, placed, stamps)
    failed = [*listing.failed, *sorted_out.refused]
    index, added, seconds = change.index, 0, {}
    alike: tuple[tuple[str, str], ...] = ()
    if sorted_out.fresh:
        fresh = placed.take(np.array(sorted_out.fresh, np.int64))
        fresh_stamps = [stamps[row] for row in sorted_out.fresh]
        described = describe_for(
            change,
            fresh,
            fresh_stamps,
            what,
            batch_size=batch_size,
            workers=workers,
            say=say,
            progress=progress,
        )
        failed += described.failures
        added, seconds = len(described), dict(described.seconds)
        if added:
            hashes = index.find_hashes(described.content_hashes)
            alike = tuple(
                (name, hashes[content])
                for name, content in zip(described.names, described.content_hashes, strict=True)
                if content in hashes
            )
            records = records_of(
                fresh,
                fresh_stamps,
                described,
                first_id=change.records.next_id(),
                first_row=change.append_described(described.array),
                folder=change.records.folder(root, source),
                workers=workers,
            )
            change.records.insert(records)
            failed += show_photos(
                change,
                [shown(record, fresh.root) for record in records],
                workers=workers,
                say=say,
                progress=progress,
            )
            index = change.commit()
    # Whatever was left unfinished is done now, or was of photos that are there.
    forget_work(change)
    return ChangeReport(
        index=index,
        added=added,
        unchanged=sorted_out.already,
        alike=alike,
        without_position=listing.without_position,
        failed=tuple(failed),
        seconds=seconds,
    )


@dataclass(frozen=True)
class _SortedOut:
    """Rows of new photos; how many are there already; those whose name is taken by other content."""

    fresh: list[int]
    already: int
    refused: list[PhotoProblem]


def _sort_out(change: Change, root: str, placed: PhotoSet, stamps: Sequence[Stamp]) -> _SortedOut:
    index = change.index
    folders = [folder.id for folder in index.folders().values() if folder.root == root]
    known = {
        record.photo: record
        for record in index.stored_records.of_names(placed.names)
        if record.folder in folders
    }
    fresh: list[int] = []
    already = 0
    refused: list[PhotoProblem] = []
    for row, name in enumerate(placed.names):
        record = known.get(name)
        if record is None:
            fresh.append(row)
        elif stamps[row] == (record.bytes, record.mtime_ns):
            already += 1
        else:
            try:
                same = content_hash(placed.root / name) == record.content_hash
            except PhotoError as error:
                refused.append(PhotoProblem(name, error.reason))
                continue
            already += same
            if not same:
                reason = "indexed with other content; `landfall index update` takes the new one"
                refused.append(PhotoProblem(name, reason))
    return _SortedOut(fresh, already, refused)
