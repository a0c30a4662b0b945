"""Bringing an index up to date with the folders that its photos are in, in one change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from landfall.datasets import PhotoListing, PhotoSet, load_named, load_photos
from landfall.errors import UsageError
from landfall.extraction import Progress
from landfall.geo import Positions
from landfall.index import Change, Folder, Index, PhotoRecord, changing
from landfall.localization.change_report import ChangeReport
from landfall.localization.describing import describe_for, forget_work
from landfall.localization.differences import Differences, differences_of
from landfall.localization.listed import told_path
from landfall.localization.photo_records import Stamp, records_of
from landfall.localization.thumbnails import Shown, show_photos
from landfall.localization.upkeep import keep_up
from landfall.photos import PhotoProblem

# More than this share of a folder's photos gone at once is more likely a disk that is not there.
_LIKELY_GONE = 0.5


def update_index(
    index_path: str | PathLike[str],
    photos: str | Path | None = None,
    *,
    rehash: bool = False,
    force: bool = False,
    device: str | None = None,
    batch_size: int = 16,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] | None = None,
) -> ChangeReport:
    """Bring an index up to date: new, changed, moved and gone photos, positions; all of it, or nothing.

    Changed photos are described anew, moved ones keep their descriptors, and both their ids. Photos that were
    removed from the index and are still in their folder come back.

    Args:
        index_path: the index folder.
        photos: the folder or CSV that is to be looked at, as it was added; all of them by default.
        rehash: read every file, also one with the length and the date that it had.
        force: take photos out even where more than half of a folder's are gone.
        device: where the index's model runs.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
        progress: told after each batch how far the description is, and then how far the thumbnails are.

    Raises:
        UsageError: ``photos`` are not in the index, a folder is missing, or most of its photos are gone.
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    with changing(index_path, device=device) as change:
        index = change.index
        folders = _chosen(index, photos)
        looked = [_look(index, folder, rehash, force, workers) for folder in folders]
        found = [each.found for each in looked]
        todo = _Todo.of(folders, found)
        described, problems, seconds = _describe(
            change, todo, batch_size=batch_size, workers=workers, say=say, progress=progress
        )
        report = ChangeReport(
            index=index,
            added=sum(record.id < 0 for record in described),
            removed=sum(len(each.gone) for each in found),
            changed=sum(record.id > 0 for record in described),
            moved=sum(len(each.moved) for each in found),
            relocated=sum(len(each.relocated) for each in found),
            unchanged=sum(each.unchanged for each in found),
            without_position=tuple(problem for each in looked for problem in each.without_position),
            failed=(*(problem for each in looked for problem in each.failed), *problems),
            seconds=seconds,
        )
        if _apply(change, folders, found, described):
            report = replace(report, index=change.commit())
        forget_work(change)
    if report.index is not index:
        report = replace(report, index=keep_up(report.index, say=say))
    return report


@dataclass(frozen=True)
class _Looked:
    """What was found of one folder, and what there is to tell of its photos."""

    found: Differences
    without_position: list[PhotoProblem]
    failed: list[PhotoProblem]


@dataclass(frozen=True)
class _Todo:
    """Photos to be described, of all folders; ids are those of changed photos, -1 for new ones."""

    photos: PhotoSet
    stamps: list[Stamp]
    names: list[str]
    folders: list[int]
    ids: list[int]

    @classmethod
    def of(cls, folders: Sequence[Folder], found: Sequence[Differences]) -> _Todo:
        rows: list[tuple[Folder, Differences, int, int]] = []
        for folder, each in zip(folders, found, strict=True):
            rows += [(folder, each, row, -1) for row in each.fresh]
            rows += [(folder, each, row, record.id) for row, record in each.changed]
        parts = [
            each.placed.take(np.array([row for _, of, row, _ in rows if of is each], np.int64))
            for each in found
        ]
        return cls(
            # Absolute names, for the photos may be of several folders.
            photos=PhotoSet(
                root=Path(),
                names=tuple(str(path) for part in parts for path in part.paths),
                positions=Positions.concatenate([part.positions for part in parts]),
                heading_deg=np.concatenate([np.empty(0), *(part.heading_deg for part in parts)]),
                taken_at=np.concatenate([np.empty(0, "datetime64[s]"), *(part.taken_at for part in parts)]),
            ),
            stamps=[each.stamps[row] for _, each, row, _ in rows],
            names=[each.placed.names[row] for _, each, row, _ in rows],
            folders=[folder.id for folder, *_ in rows],
            ids=[known for *_, known in rows],
        )


def _chosen(index: Index, photos: str | Path | None) -> list[Folder]:
    """Return the folders that are to be looked at, each with what tells of its photos."""
    every = list(index.folders().values())
    if photos is None:
        if nowhere := [folder for folder in every if folder.root is None]:
            raise UsageError(
                f"{index.path} does not say where {len(nowhere)} of its folders are, so it can't be brought "
                "up to date. Build it anew."
            )
        return every
    told = told_path(photos)
    for folder in every:
        if folder.source == told or (folder.source is None and folder.root == told):
            return [replace(folder, source=told)]
    known = ", ".join(str(folder.source or folder.root) for folder in every)
    raise UsageError(
        f"{told} is not what {index.path} was made of, which is {known or 'nothing'}. Update one of these, "
        "or bring in new photos with `landfall index add`."
    )


def _look(index: Index, folder: Folder, rehash: bool, force: bool, workers: int | None) -> _Looked:
    indexed = index.stored_records.of_folder(folder.id)
    listing = _listed(index, folder, sorted(indexed), workers)
    found = differences_of(listing, indexed, rehash=rehash, workers=workers)
    if not force and len(found.gone) > _LIKELY_GONE * len(indexed):
        raise UsageError(
            f"{len(found.gone)} of the {len(indexed)} photos that {index.path} has of "
            f"{folder.source or folder.root} are gone, such as {found.gone[0].photo}. Nothing was changed. "
            "Is the right disk there? If they are gone for good, force it (--force)."
        )
    gone = {record.photo for record in found.gone}
    return _Looked(
        found,
        [problem for problem in listing.without_position if problem.photo not in indexed],
        [problem for problem in (*listing.failed, *found.failed) if problem.photo not in gone],
    )


def _listed(index: Index, folder: Folder, names: Sequence[str], workers: int | None) -> PhotoListing:
    assert folder.root is not None  # those are refused
    source = Path(folder.source or folder.root)
    if not source.exists():
        raise UsageError(
            f"{source} is not there, and {index.path} has {len(names)} photos of it. Nothing was changed. "
            "Bring it back (is a disk missing?), or take its photos out with `landfall index remove`."
        )
    if folder.source is None:
        return load_named(source, names, workers=workers)
    return load_photos(source, workers=workers)


def _describe(
    change: Change,
    todo: _Todo,
    *,
    batch_size: int,
    workers: int | None,
    say: Callable[[str], None],
    progress: Callable[[Progress], None] | None,
) -> tuple[list[PhotoRecord], list[PhotoProblem], dict[str, float]]:
    """Describe what is new or changed; return records (their id -1 where new), what failed, and seconds."""
    if not todo.names:
        return [], [], {}
    described = describe_for(
        change,
        todo.photos,
        todo.stamps,
        "an update",
        batch_size=batch_size,
        workers=workers,
        say=say,
        progress=progress,
    )
    shown = dict(zip(todo.photos.names, todo.names, strict=True))
    problems = [PhotoProblem(shown[failure.photo], failure.reason) for failure in described.failures]
    if not len(described):
        return [], problems, dict(described.seconds)
    first_row = change.append_described(described.array)
    records = records_of(todo.photos, todo.stamps, described, first_row=first_row, workers=workers)
    rows = described.rows.tolist()
    not_shown = show_photos(
        change,
        [
            Shown(todo.names[row], Path(record.photo), record.content_hash)
            for row, record in zip(rows, records, strict=True)
        ],
        workers=workers,
        say=say,
        progress=progress,
    )
    return (
        [
            replace(record, id=todo.ids[row], photo=todo.names[row], folder=todo.folders[row])
            for row, record in zip(rows, records, strict=True)
        ],
        [*problems, *not_shown],
        dict(described.seconds),
    )


def _apply(
    change: Change, folders: Sequence[Folder], found: Sequence[Differences], described: Sequence[PhotoRecord]
) -> bool:
    """Enter all that differs into the change; tell whether there is anything."""
    kept = [record for each in found for record in (*each.moved, *each.relocated, *each.touched)]
    gone = [record.id for each in found for record in each.gone]
    if not (kept or gone or described):
        return False
    changed = [record for record in described if record.id > 0]
    ids = _numbers(change.records.next_id())
    fresh = [replace(record, id=next(ids)) for record in described if record.id < 0]
    for folder in folders:
        change.records.folder(folder.root, folder.source)
    # All out before any goes in: photos may have taken each other's names.
    change.records.delete([*gone, *(record.id for record in (*kept, *changed))])
    change.records.insert([*kept, *changed, *fresh])
    return True


def _numbers(first: int) -> Iterator[int]:
    while True:
        yield first
        first += 1
