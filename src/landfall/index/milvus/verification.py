"""Whether an index in Milvus is what was written: its files, every entity, every number, and its photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from landfall.cores import available_cores
from landfall.errors import IndexStoreError
from landfall.index.manifest import what_is_wrong
from landfall.index.milvus.manifest import read_milvus_manifest
from landfall.index.milvus.pending import STORING, is_pending
from landfall.index.milvus.reader import MilvusIndex
from landfall.index.milvus.records import at_once, vector_of
from landfall.index.milvus.schema import SCALARS, VECTOR, photo_id, root_of
from landfall.index.rows_writing import first_not_finite
from landfall.index.verification import IndexProblem, problems_of_model, problems_of_photos


def verify_milvus(
    folder: Path,
    *,
    photos: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[IndexProblem]:
    """Look through a whole index in Milvus, every entity once; ``verify_index`` says the rest."""
    manifest = read_milvus_manifest(folder)
    problems = [
        IndexProblem(name, reason)
        for name, entry in manifest.files.items()
        if (reason := what_is_wrong(folder / name, entry, hashed_up_to_bytes=float("inf"))) is not None
    ]
    if problems:
        return problems
    if is_pending(folder):
        why = "a change was killed or lost the server; the next change of the index ends it"
        problems.append(IndexProblem(STORING, why))
    try:
        index = MilvusIndex.open(folder)
        problems += problems_of_model(folder, manifest.model.sha256)
        problems += _of_entities(index)
        if photos:
            problems += problems_of_photos(index, workers or available_cores(), progress)
    except IndexStoreError as error:
        problems.append(IndexProblem(str(folder), str(error)))
    return problems


def _of_entities(index: MilvusIndex) -> Iterator[IndexProblem]:
    manifest = index.manifest
    known = manifest.ids_by_root()
    count, last = 0, -1
    step = at_once(manifest.descriptor_dim)
    for part in index.collection.iterate((*SCALARS, VECTOR), at_once=step):
        vectors = np.stack([vector_of(entity) for entity in part])
        if (row := first_not_finite(vectors)) is not None:
            yield IndexProblem(part[row]["photo"], "its descriptor holds NaN or infinity")
        for entity in part:
            photo, root = entity["photo"], root_of(entity)
            if entity["id"] != photo_id(root, photo):
                yield IndexProblem(photo, f"its number is {entity['id']}, not {photo_id(root, photo)}")
            if entity["id"] <= last:
                yield IndexProblem(photo, "it is there twice")
            if root not in known:
                yield IndexProblem(photo, f"it is of {root}, which the index folder doesn't know")
            if not (abs(entity["lat"]) <= 90 and abs(entity["lon"]) <= 180):
                yield IndexProblem(photo, "it lies outside -90 to 90 and -180 to 180 degrees")
            last = entity["id"]
        count += len(part)
    if count != manifest.photos:
        what = f"it has {count} photos, and the manifest tells of {manifest.photos}"
        yield IndexProblem(str(index.collection.address), what)
