"""A change on its way to the server: written down whole first, so that the next change ends what was killed.

``storing/`` in the index folder holds the descriptors and records of a change, then ``change.json``, whose
rename decides it: from then on the change will be made, by this process or by whichever changes the index
next. Readers may see a part of it until then.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError
from landfall.files import read_json, sync, sync_folder, write_json
from landfall.index.manifest import write_manifest
from landfall.index.milvus.collection import Collection
from landfall.index.milvus.manifest import MilvusManifest
from landfall.index.milvus.writing import Progress, remove_photos, store_photos
from landfall.index.records import PhotoRecord, record_of, stored_values
from landfall.index.rows_writing import write_rows

STORING = "storing"
_CHANGE, _RECORDS, _VECTORS, _JOURNAL = "change.json", "records.jsonl", "descriptors.npy", "stored.json"


def is_pending(folder: Path) -> bool:
    """Tell whether an index has a change that was decided and not ended."""
    return (folder / STORING / _CHANGE).exists()


def write_pending(
    folder: Path,
    manifest: MilvusManifest,
    records: Sequence[PhotoRecord],
    blocks: Iterable[NDArray[np.floating]],
    removed: Sequence[int],
) -> None:
    """Write a change down, and decide it.

    Args:
        folder: the index.
        manifest: as it will be, but for the count of photos.
        records: of the photos to store, in the order of their descriptors.
        blocks: their descriptors.
        removed: ids of the photos to take out.

    Raises:
        IndexStoreError: a descriptor can't be stored.
        OSError: the disk is full or not there.
    """
    work = folder / STORING
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shape = (len(records), manifest.descriptor_dim)
    write_rows(work / _VECTORS, blocks, shape, manifest.descriptor_dtype)
    with (work / _RECORDS).open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(stored_values(record)) + "\n")
    for name in (_VECTORS, _RECORDS):
        sync(work / name)
    told = {"manifest": manifest.model_dump(mode="json"), "removed": list(map(int, removed))}
    write_json(work / _CHANGE, told, durable=True)
    sync_folder(work)


def finish_pending(
    folder: Path, collection: Collection, *, progress: Progress = lambda _done, _of: None
) -> None:
    """Make the change that is written down: store, remove, and last the manifest.

    Raises:
        IndexStoreError: the server is not there, or refuses; the change stays written down.
    """
    work = folder / STORING
    told = read_json(work / _CHANGE)
    if told is None:
        raise IndexStoreError(f"{work / _CHANGE} is damaged. Run the change again after deleting {work}.")
    manifest = MilvusManifest.model_validate(told["manifest"])
    removed: list[int] = told["removed"]
    records = _read_records(work / _RECORDS)
    if records:
        store_photos(
            collection,
            records,
            {each.id: each.root for each in manifest.folders},
            np.load(work / _VECTORS, mmap_mode="r"),
            work / _JOURNAL,
            half=manifest.half,
            progress=progress,
        )
    remove_photos(collection, removed)
    write_manifest(folder, manifest.model_copy(update={"photos": collection.count()}))
    shutil.rmtree(work)


def _read_records(path: Path) -> list[PhotoRecord]:
    with path.open(encoding="utf-8") as file:
        rows: list[tuple[Any, ...]] = [tuple(json.loads(line)) for line in file]
    return [record_of(row) for row in rows]
