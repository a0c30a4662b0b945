"""Whether an index is what was written: every file's bytes, every row, every number, and its photos."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from landfall.cores import available_cores
from landfall.errors import IndexStoreError, ModelError, PhotoError
from landfall.index.interface import Index
from landfall.index.manifest import MODEL, read_manifest, store_of, what_is_wrong
from landfall.index.reader import FolderIndex, check_is_index
from landfall.index.records import PhotoRecord
from landfall.index.rows_writing import blocks_of, first_not_finite
from landfall.models import read_card
from landfall.photos import content_hash

# Photos whose files are looked at together; their records are what is held in memory.
_TOGETHER = 4096


@dataclass(frozen=True)
class IndexProblem:
    """What is wrong with an index.

    Args:
        where: the file of the index, or the photo.
        reason: in words.
    """

    where: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return asdict(self)


def verify_index(
    path: str | os.PathLike[str],
    *,
    photos: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[IndexProblem]:
    """Look through a whole index, and return what is wrong with it; nothing, where it is whole.

    A generation that is replaced meanwhile is looked at to its end as far as its files are still there.

    Args:
        path: the index folder.
        photos: also read every photo, whether it is still there with the bytes that were indexed.
        workers: threads that read photos; one a core by default.
        progress: called with photos read, of how many.

    Raises:
        IndexStoreError: no index, or a manifest that can't be read.
    """
    folder = Path(path)
    check_is_index(folder)
    if store_of(folder) is not None:
        from landfall.index.milvus.verification import verify_milvus  # builds on this module

        return verify_milvus(folder, photos=photos, workers=workers, progress=progress)
    manifest = read_manifest(folder)
    problems = [
        IndexProblem(name, reason)
        for name, entry in manifest.files.items()
        if (reason := what_is_wrong(folder / name, entry, hashed_up_to_bytes=float("inf"))) is not None
    ]
    if problems and read_manifest(folder) != manifest:
        return verify_index(path, photos=photos, workers=workers, progress=progress)
    if problems:
        return problems
    try:
        index = FolderIndex(folder, manifest)
        problems += [
            *problems_of_model(folder, manifest.model.sha256),
            *_of_records(index),
            *_of_descriptors(index),
            *_of_thumbnails(index),
        ]
        if photos:
            problems += problems_of_photos(index, workers or available_cores(), progress)
    except IndexStoreError as error:
        if read_manifest(folder) != manifest:
            return verify_index(path, photos=photos, workers=workers, progress=progress)
        problems.append(IndexProblem(str(folder), str(error)))
    return problems


def problems_of_model(folder: Path, expected_sha256: str | None) -> Iterator[IndexProblem]:
    """Yield what is wrong with the model in an index folder."""
    try:
        found = read_card(folder / MODEL)
    except ModelError as error:
        yield IndexProblem(MODEL, str(error))
        return
    if found.sha256 != expected_sha256:
        yield IndexProblem(
            MODEL, f"its weights are {found.sha256}, and the manifest tells of {expected_sha256}"
        )


def _of_records(index: FolderIndex) -> Iterator[IndexProblem]:
    records, name = index.stored_records, index.manifest.records
    for (told,) in records.select("PRAGMA integrity_check"):
        if told != "ok":
            yield IndexProblem(name, str(told))
    if len(records) != len(index):
        yield IndexProblem(name, f"it has {len(records)} photos, and the manifest tells of {len(index)}")
    rows = records.rows()
    if len(rows) and (rows[0] < 0 or rows[-1] >= index.manifest.rows):
        yield IndexProblem(name, f"rows {rows[0]} to {rows[-1]} are used; {index.manifest.rows} are stored")
    if (rows[1:] == rows[:-1]).any():
        yield IndexProblem(name, "photos share a row")
    lost = records.select("SELECT count(*) FROM photos WHERE folder NOT IN (SELECT id FROM folders)")[0][0]
    if lost:
        yield IndexProblem(name, f"{lost} photos are of no known folder")
    wrong = records.select("SELECT count(*) FROM photos WHERE abs(lat) > 90 OR abs(lon) > 180")[0][0]
    if wrong:
        yield IndexProblem(name, f"{wrong} photos lie outside -90 to 90 and -180 to 180 degrees")


def _of_descriptors(index: FolderIndex) -> Iterator[IndexProblem]:
    first = 0
    for block in blocks_of(index.descriptors):
        if (row := first_not_finite(block)) is not None:
            (photo,) = index.photos([first + row])
            yield IndexProblem(photo.photo, f"descriptor {first + row} holds NaN or infinity")
        first += len(block)


def _of_thumbnails(index: FolderIndex) -> Iterator[IndexProblem]:
    for path, reason in index.thumbnails.problems():
        yield IndexProblem(path.name, reason)
    told = index.manifest.thumbnails
    counts = index.thumbnails.counts()
    for segment in () if told is None else told.segments:
        if counts[segment.file] != segment.pictures:
            reason = f"it has {counts[segment.file]} pictures, and the manifest tells of {segment.pictures}"
            yield IndexProblem(segment.file, reason)


def problems_of_photos(
    index: Index, workers: int, progress: Callable[[int, int], None] | None
) -> Iterator[IndexProblem]:
    """Yield the photos that are not where they were, or not what they were."""
    roots = {folder.id: folder.root for folder in index.folders().values()}

    def look(record: PhotoRecord) -> IndexProblem | None:
        root = roots[record.folder]
        if root is None:
            return IndexProblem(record.photo, "nobody said which folder it is in")
        try:
            found = content_hash(Path(root) / record.photo)
        except PhotoError as error:
            return IndexProblem(record.photo, error.reason)
        same = found == record.content_hash
        return None if same else IndexProblem(record.photo, "its bytes are not those that were indexed")

    done, records = 0, index.stored_records.all()
    with ThreadPoolExecutor(workers) as pool:
        while part := list(islice(records, _TOGETHER)):
            yield from filter(None, pool.map(look, part))
            done += len(part)
            if progress is not None:
                progress(done, len(index))
