"""Bringing the photos of other indexes into one, without describing them again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from os import PathLike
from pathlib import Path

import numpy as np

from landfall.errors import IndexStoreError, ModelError, UsageError
from landfall.files import beside, sync, sync_folder, written_beside
from landfall.index import Change, FolderIndex, Index, PhotoRecord, changing
from landfall.index.change import FolderChange
from landfall.index.manifest import MANIFEST, WHITENING, FileEntry, read_manifest
from landfall.localization.change_report import ChangeReport
from landfall.localization.upkeep import keep_up
from landfall.photos import PhotoProblem

# Records looked at together; their hashes are looked up in one go.
_TOGETHER = 4096
# Positions that differ by less, some centimetre, are the same.
_SAME_DEG = 1e-7
_TRIES = 20


def merge_indexes(
    into: str | PathLike[str],
    others: Sequence[str | PathLike[str]],
    *,
    say: Callable[[str], None] = lambda _: None,
) -> ChangeReport:
    """Bring the photos of other indexes of the same model into one, all of them in one moment.

    A photo with the content and the position of one that is there is counted and left out. Photos get new
    ids; the other indexes stay as they are. Thumbnails come along where both have them.

    Args:
        into: the index folder; where there is none, it is made as a copy of the first other.
        others: index folders.
        say: told in a sentence what is done beside.

    Raises:
        ModelError: an index was made by another model, or with photos of another size.
        UsageError: no others, or ``into`` among them.
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    into = Path(into)
    opened = [Index.open(other) for other in others]
    if not opened:
        raise UsageError("There is nothing to merge: give at least one other index.")
    if any(into.resolve() == other.path.resolve() for other in opened):
        raise UsageError(f"{into} can't be merged into itself. Give other indexes.")
    for other in opened[1:]:
        _check_goes_with(opened[0], other)
    copied = 0
    if not into.exists():
        copied = _copy(opened.pop(0).path, into)
    if not opened:
        return ChangeReport(index=Index.open(into), added=copied)
    with changing(into) as change:
        added = unchanged = 0
        failed: list[PhotoProblem] = []
        for other in opened:
            _check_goes_with(change.index, other)
        for other in opened:
            _say_of_thumbnails(change, other, say)
            entered, problems = _bring(change, other)
            added += entered
            failed += problems
            unchanged += len(other) - entered - len(problems)
        index = change.commit() if added else change.index
    if added:
        index = keep_up(index, say=say)
    return ChangeReport(index=index, added=copied + added, unchanged=unchanged, failed=tuple(failed))


def _check_goes_with(index: Index, other: Index) -> None:
    own, theirs = index.manifest.model, other.manifest.model
    if own.sha256 != theirs.sha256:
        raise ModelError(
            f"{index.path} was described by {own.name}, and {other.path} by {theirs.name}, whose weights are "
            "others. Descriptors of two models can't be compared: build one of them anew with the model of "
            "the other."
        )
    if _whitening_of(index) != _whitening_of(other):
        raise IndexStoreError(
            f"{index.path} and {other.path} were not whitened alike, so that their descriptors can't be "
            "compared. Merge indexes first, and whiten the one that comes of it; one in Milvus can't be."
        )
    if own.input_spec != theirs.input_spec:
        raise ModelError(
            f"{index.path} was described from photos of {own.input_spec}, and {other.path} from photos of "
            f"{theirs.input_spec}. Build one of them anew with --resize."
        )


def _bring(change: Change, other: Index) -> tuple[int, list[PhotoProblem]]:
    """Enter the photos of one index that are not there; return how many, and what was refused."""
    edit = change.records
    folders = other.folders()
    problems: list[PhotoProblem] = []
    rows: list[int] = []
    hashes: list[str] = []
    next_id, next_row = edit.next_id(), change.rows
    numbered = enumerate(other.stored_records.all())
    for part in _parts(numbered):
        there = _places(edit.with_hashes({record.content_hash for _, record in part}))
        entered = []
        for row, record in part:
            if _is_there(record, there):
                continue
            folder = edit.folder(folders[record.folder].root, folders[record.folder].source)
            if edit.has_name(folder, record.photo):
                reason = f"another photo of that name and folder is there; left out of {other.path}"
                problems.append(PhotoProblem(record.photo, reason))
                continue
            here = len(rows)
            rows.append(row)
            hashes.append(record.content_hash)
            entered.append(replace(record, id=next_id + here, row=next_row + here, folder=folder))
            there.setdefault(record.content_hash, []).append((record.lat, record.lon))
        edit.insert(entered)
    if rows:
        change.append(other.descriptors, np.array(rows, np.int64))
    if isinstance(change, FolderChange) and isinstance(other, FolderIndex) and _both_show(change, other):
        with change.writing_thumbnails() as pictures:
            for start in range(0, len(hashes), _TOGETHER):
                pictures.put(other.thumbnails.pictures(hashes[start : start + _TOGETHER]))
    return len(rows), problems


def _both_show(change: FolderChange, other: FolderIndex) -> bool:
    return change.thumbnail_px is not None and other.has_thumbnails


def _say_of_thumbnails(change: Change, other: Index, say: Callable[[str], None]) -> None:
    """Tell what becomes of thumbnails where the two indexes don't have them alike."""
    into_px = change.thumbnail_px
    theirs = other.manifest.thumbnails if isinstance(other, FolderIndex) else None
    if into_px is None and theirs is not None:
        say(
            f"{change.folder} has no thumbnails, so those of {other.path} are left out; "
            f"`landfall index thumbnails {change.folder}` makes them."
        )
    elif into_px is not None and theirs is None:
        say(
            f"{other.path} has no thumbnails, so its photos come without; "
            f"`landfall index thumbnails {change.folder}` makes them."
        )
    elif theirs is not None and theirs.longest_side_px != into_px:
        say(
            f"The thumbnails of {other.path} come along as they are: {theirs.longest_side_px} pixels, not "
            f"{into_px}."
        )


def _parts(numbered: Iterable[tuple[int, PhotoRecord]]) -> Iterator[list[tuple[int, PhotoRecord]]]:
    waiting = iter(numbered)
    while part := list(islice(waiting, _TOGETHER)):
        yield part


def _places(records: Iterable[PhotoRecord]) -> dict[str, list[tuple[float, float]]]:
    places: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        places.setdefault(record.content_hash, []).append((record.lat, record.lon))
    return places


def _is_there(record: PhotoRecord, there: dict[str, list[tuple[float, float]]]) -> bool:
    return any(
        abs(lat - record.lat) < _SAME_DEG and abs(lon - record.lon) < _SAME_DEG
        for lat, lon in there.get(record.content_hash, ())
    )


def _whitening_of(index: Index) -> FileEntry | None:
    name = index.manifest.derived.get(WHITENING)
    return None if name is None else index.manifest.files[name]


def _copy(source: Path, target: Path) -> int:
    """Copy one whole generation of an index to a new place; return how many photos it has."""
    if beside(target).is_dir():
        raise IndexStoreError(
            f"{beside(target)} is in the way: an interrupted merge left it. Delete it and run the same again."
        )
    for _ in range(_TRIES):
        manifest = read_manifest(source)
        try:
            with written_beside(target) as working:
                working.mkdir()
                for name in (*manifest.files, MANIFEST):
                    (working / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(source / name, working / name)
                    sync(working / name)
                if read_manifest(working) != manifest:
                    raise FileNotFoundError(source / MANIFEST)
            sync_folder(target.absolute().parent)
            return manifest.photos
        except OSError as error:
            # A writer may have removed files that were still to be copied.
            if read_manifest(source) == manifest:
                raise IndexStoreError(
                    f"{source} can't be copied to {target}: {error.strerror or error}. Mend that, or choose "
                    "another place."
                ) from error
    raise IndexStoreError(f"{source} is changed faster than it can be copied. Try again.")
