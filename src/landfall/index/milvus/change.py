"""A change of an index in Milvus: gathered, written down, then made on the server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexBusyError, IndexStoreError
from landfall.files import hold, sync
from landfall.index.change import remove, sweep, writing
from landfall.index.interface import Change
from landfall.index.manifest import LOCK, MODEL, entry_of, file_of, write_manifest
from landfall.index.milvus.collection import Collection
from landfall.index.milvus.manifest import KeptFolder, MilvusManifest, read_milvus_manifest
from landfall.index.milvus.pending import finish_pending, is_pending, write_pending
from landfall.index.milvus.reader import MilvusIndex, address_of, check_is_own
from landfall.index.milvus.records import at_once
from landfall.index.milvus.schema import photo_id, root_of
from landfall.index.records import PhotoRecord
from landfall.index.rows import Matrix
from landfall.index.rows_writing import blocks_of
from landfall.index.store import created_by


class RecordsGathered:
    """The photos that a change stores and takes out.

    Args:
        index: as it is before.
    """

    def __init__(self, index: MilvusIndex) -> None:
        self._index = index
        self._folders = {folder.root: folder for folder in index.manifest.folders}
        self.stored: dict[int, PhotoRecord] = {}
        # For photos that are there and keep their descriptor: the id that it has now, by that it will have.
        self.kept: dict[int, int] = {}
        self._out: set[int] = set()

    @property
    def folders(self) -> tuple[KeptFolder, ...]:
        """The folders as they will be."""
        return tuple(self._folders.values())

    @property
    def removed(self) -> list[int]:
        """The ids that will be there no more."""
        return sorted(self._out - set(self.stored))

    def insert(self, records: Iterable[PhotoRecord]) -> None:
        """Enter photos, each under the id that its folder and name give it.

        A record without a row keeps the descriptor that is stored under its id.

        Raises:
            IndexStoreError: two photos have one id.
        """
        roots = {folder.id: folder.root for folder in self.folders}
        entered: dict[int, PhotoRecord] = {}
        for record in records:
            number = photo_id(roots[record.folder], record.photo)
            if (other := entered.get(number) or self.stored.get(number)) is not None:
                raise _of_one_number(record.photo, other.photo)
            entered[number] = replace(record, id=number)
            if record.row < 0:
                self.kept[number] = record.id
        asked = [number for number in entered if number not in self._out]
        for entity in self._index.collection.get(asked, ("id", "photo", "root")):
            record = entered[int(entity["id"])]
            if (entity["photo"], root_of(entity)) != (record.photo, roots[record.folder]):
                raise _of_one_number(record.photo, entity["photo"])
        self.stored.update(entered)

    def delete(self, ids: Iterable[int]) -> None:
        """Take photos out."""
        for each in ids:
            self.stored.pop(each, None)
            self._out.add(each)

    def folder(self, root: str | None, source: str | None) -> int:
        """Return the number of the folder at ``root``, entered if it is new."""
        known = self._folders.get(root)
        if known is None:
            number = max((folder.id for folder in self.folders), default=0) + 1
            known = KeptFolder(id=number, root=root, source=source)
        elif known.source is None and source is not None:
            known = known.model_copy(update={"source": source})
        self._folders[root] = known
        return known.id

    def next_id(self) -> int:
        """Return 1: what number photos come with is no matter, for ``insert`` gives them theirs."""
        return 1

    def with_hashes(self, hashes: Iterable[str]) -> list[PhotoRecord]:
        """Return the photos that have one of these contents, those entered here among them."""
        wanted = set(hashes)
        there = [
            record
            for record in self._index.stored_records.with_hashes(sorted(wanted))
            if record.id not in self._out and record.id not in self.stored
        ]
        return [*there, *(record for record in self.stored.values() if record.content_hash in wanted)]

    def has_name(self, folder: int, photo: str) -> bool:
        """Tell whether a folder has a photo of that name."""
        (root,) = (each.root for each in self.folders if each.id == folder)
        number = photo_id(root, photo)
        if number in self.stored:
            return True
        if number in self._out or folder not in self._index.folders():
            return False
        return bool(self._index.collection.get([number], ("id",)))


class MilvusChange(Change):
    """A change that is being made; see ``changing``.

    Args:
        index: as it is before.
    """

    def __init__(self, index: MilvusIndex) -> None:
        self.index: MilvusIndex = index
        self.generation = index.manifest.generation + 1
        self._records = RecordsGathered(index)
        self._parts: list[tuple[Matrix, NDArray[np.int64]]] = []
        self._derived = dict(index.manifest.derived)
        self._new: list[str] = []

    @property
    def records(self) -> RecordsGathered:
        """The records as they will be."""
        return self._records

    @property
    def rows(self) -> int:
        """How many descriptors came so far: the next one's row."""
        return sum(len(rows) for _, rows in self._parts)

    def append(self, descriptors: Matrix, rows: NDArray[np.int64] | None = None) -> int:
        """Keep descriptors (M, D), or those at ``rows`` of them, for ``commit``; they are read then.

        Raises:
            IndexStoreError: they are of another length than the index's.
        """
        dim = self.index.manifest.descriptor_dim
        if descriptors.ndim != 2 or descriptors.shape[1] != dim:
            raise IndexStoreError(
                f"Descriptors of shape {descriptors.shape} can't be added to {self.folder}, which holds "
                f"descriptors of {dim} numbers. They were made by another model."
            )
        first = self.rows
        self._parts.append((descriptors, np.arange(len(descriptors)) if rows is None else rows))
        return first

    def put(self, name: str, suffix: str, writer: Callable[[Path], None]) -> None:
        """Keep a file of something that was worked out from the index, in place of an earlier one."""
        file = file_of(name, self.generation, suffix)
        self._new.append(file)
        with writing(self.folder):
            writer(self.folder / file)
        self._derived[name] = file

    def commit(self) -> MilvusIndex:
        """Make the change and open the index as it then is.

        Raises:
            IndexStoreError: the disk or the server refuses. Once it is written down, the change is made by
                whichever is next to change the index; the message of the server's trouble says so.
        """
        stored, removed = self._records.stored, self._records.removed
        with writing(self.folder):
            manifest = self._manifest()
            for name in self._new:
                sync(self.folder / name)
            if stored or removed:
                records, blocks = self._in_order()
                write_pending(self.folder, manifest, records, blocks, removed)
            else:
                write_manifest(self.folder, manifest)
        self._new.clear()
        if stored or removed:
            finish_pending(self.folder, self.index.collection)
        with writing(self.folder):
            sweep(self.folder, manifest)
        return self.index.latest()

    def abandon(self) -> None:
        """Remove what was written and not committed."""
        for name in self._new:
            # Should one stay, the next change removes it; an error that is on its way says more.
            with suppress(OSError):
                remove(self.folder / name)

    def _manifest(self) -> MilvusManifest:
        earlier = self.index.manifest
        folders = self._records.folders
        named = [MODEL, *self._derived.values()]
        return earlier.model_copy(
            update={
                "created_by": created_by(),
                "generation": self.generation,
                "root": folders[0].root if len(folders) == 1 else None,
                "folders": folders,
                "derived": self._derived,
                "files": {name: earlier.files.get(name) or entry_of(self.folder / name) for name in named},
            }
        )

    def _in_order(self) -> tuple[list[PhotoRecord], Iterable[NDArray[np.floating]]]:
        """Return the records in the order of the blocks of descriptors that come with them."""
        stored, kept = self._records.stored, self._records.kept
        fresh = sorted((each for each in stored.values() if each.id not in kept), key=lambda each: each.row)
        staying = [stored[number] for number in kept if number in stored]
        records = [replace(each, row=row) for row, each in enumerate([*fresh, *staying])]
        rows = np.array([each.row for each in fresh], np.int64)
        ids = np.array([kept[each.id] for each in staying], np.int64)
        return records, self._blocks(rows, ids)

    def _blocks(self, rows: NDArray[np.int64], ids: NDArray[np.int64]) -> Iterator[NDArray[np.floating]]:
        first = 0
        for matrix, own in self._parts:
            here = rows[(rows >= first) & (rows < first + len(own))] - first
            yield from blocks_of(matrix, own[here])
            first += len(own)
        step = at_once(self.index.manifest.descriptor_dim)
        for start in range(0, len(ids), step):
            yield self.index.descriptors.of_ids(ids[start : start + step])


@contextmanager
def changing_milvus(path: str | os.PathLike[str], *, device: str | None = None) -> Iterator[MilvusChange]:
    """Do what ``changing`` does for an index in Milvus; a change that was killed is ended first.

    Raises:
        IndexStoreError: another process is changing the index, its folder can't be written, or the server
            can't be asked.
    """
    folder = Path(path)
    busy = IndexBusyError(f"{folder} is being changed by another process. Wait until it is done.")
    with writing(folder):
        lock = hold(folder / LOCK, busy)
    with lock:
        if is_pending(folder):
            manifest = read_milvus_manifest(folder)
            collection = Collection(address_of(manifest))
            check_is_own(collection, manifest, folder)
            collection.load()
            finish_pending(folder, collection)
        change = MilvusChange(MilvusIndex.open(folder, device=device))
        with writing(folder):
            sweep(folder, change.index.manifest)
        try:
            yield change
        finally:
            change.abandon()


def _of_one_number(photo: str, other: str) -> IndexStoreError:
    return IndexStoreError(
        f"{photo} and {other} have the same number in Milvus, which is worked out from folder and name: they "
        "are the same, or chance has it so. Rename one of them."
    )
