"""How an index folder comes to be: begun, gone on with after a kill, and committed in one moment.

While it is being built the folder holds ``building/`` alone:

- ``lock``: held by the builder, freed by its death;
- ``plan.json``: what is being built, so that only the same build goes on with it;
- whatever the builder puts there: the fitted model, the unfinished extraction;
- ``ready/``: the finished files, while they are being made.

The commit moves the files of ``ready/`` into the folder, then writes ``manifest.json`` by a rename: that is
the moment the index comes to be. Last it removes ``building/``. What went into ``ready/`` still stands in
``building/`` until then, so a commit that was killed is simply repeated.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError
from landfall.files import beside, hold, read_json, sync, write_json
from landfall.index.manifest import (
    MANIFEST,
    MODEL,
    Manifest,
    Segment,
    Thumbnails,
    ThumbnailSegment,
    descriptors_file,
    entry_of,
    format_for,
    photos_file,
    thumbnails_file,
    write_manifest,
)
from landfall.index.reader import FolderIndex
from landfall.index.records import PhotoRecord
from landfall.index.records_writing import write_records
from landfall.index.rows_writing import blocks_of, first_not_finite, not_storable
from landfall.index.thumbnails_writing import count_thumbnails
from landfall.models import ModelCard, read_card

BUILDING = "building"
PLAN = "plan.json"
# A new index is of the first generation.
PHOTOS, DESCRIPTORS, THUMBNAILS = photos_file(1), descriptors_file(1), thumbnails_file(1)
# What an unfinished index folder may hold: the last ones only if its commit was interrupted.
_UNFINISHED = {BUILDING, PHOTOS, DESCRIPTORS, THUMBNAILS, MODEL, beside(Path(MANIFEST)).name}


class Building:
    """An index that is being built; the process holds it until ``close`` or its death.

    Args:
        out: the index folder.
        plan: what is being built.
        resumed: an earlier, interrupted build of the same plan is gone on with.
    """

    def __init__(self, out: Path, plan: Mapping[str, Any], lock: IO[str], *, resumed: bool) -> None:
        self.out = out
        self.plan = plan
        self.resumed = resumed
        self._lock = lock

    @property
    def folder(self) -> Path:
        """Where the builder keeps its unfinished work; gone after the commit."""
        return self.out / BUILDING

    def commit(
        self,
        records: Sequence[PhotoRecord],
        descriptors: Path | NDArray[np.floating],
        model: Path,
        *,
        card: ModelCard | None = None,
        root: str | None = None,
        source: str | None = None,
        thumbnails: tuple[int, Path] | None = None,
    ) -> FolderIndex:
        """Make the index of its finished parts, in one moment, and open it.

        Args:
            records: of the N photos of one folder; their rows are 0 to N - 1.
            descriptors: (N, D) float32 or float16, or a ``.npy`` file of it. A file in ``folder`` is taken
                over without a copy.
            model: the file of the model that made them.
            card: that model's card; read from the file by default.
            root: the folder that the photos are in.
            source: what tells of its photos, the folder itself or a CSV.
            thumbnails: their longest side in pixels, and a file of ``ThumbnailsWriting`` that holds them.

        Raises:
            IndexStoreError: the parts don't belong together, or the folder can't be written.
        """
        if card is None:
            card = read_card(model)
        shape, dtype = _shape_of(descriptors)
        if sorted(record.row for record in records) != list(range(shape[0])):
            raise IndexStoreError(
                f"{len(records)} photos came with {shape[0]} descriptors, or their rows are not 0 to "
                f"{shape[0] - 1}, each once. Each photo needs its own descriptor."
            )
        if shape[1] != card.descriptor_dim:
            raise IndexStoreError(
                f"The descriptors have {shape[1]} numbers; {card.name} makes {card.descriptor_dim}. "
                "They were made by another model."
            )
        _check_finite(descriptors)
        try:
            self._make_ready(records, descriptors, model, root, source, thumbnails)
            shown = _shown(thumbnails)
            names = (PHOTOS, DESCRIPTORS, MODEL, *(shown.files if shown is not None else ()))
            files = {name: entry_of(self._ready / name) for name in names}
            for name in files:
                (self._ready / name).replace(self.out / name)
            manifest = Manifest(
                format=format_for(shown),
                created_by=created_by(),
                generation=1,
                numbering=1,
                photos=shape[0],
                descriptor_dim=shape[1],
                descriptor_dtype=dtype,
                model=card,
                root=root,
                records=PHOTOS,
                segments=(Segment(file=DESCRIPTORS, rows=shape[0]),),
                thumbnails=shown,
                files=files,
            )
            write_manifest(self.out, manifest)
            _tidy(self.out)
        except OSError as error:
            raise _unwritable(self.out, error) from error
        self.close()
        return FolderIndex.open(self.out)

    def abandon(self) -> None:
        """Remove the unfinished work, and the index folder with it if nothing else is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if not any(self.out.iterdir()):
            self.out.rmdir()
        self.close()

    def close(self) -> None:
        """Let other builders in; what is unfinished stays for the next."""
        self._lock.close()

    def __enter__(self) -> Building:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _ready(self) -> Path:
        return self.folder / "ready"

    def _make_ready(
        self,
        records: Sequence[PhotoRecord],
        descriptors: Path | NDArray[np.floating],
        model: Path,
        root: str | None,
        source: str | None,
        thumbnails: tuple[int, Path] | None,
    ) -> None:
        shutil.rmtree(self._ready, ignore_errors=True)
        self._ready.mkdir()
        write_records(self._ready / PHOTOS, records, root=root, source=source)
        self._take(model, self._ready / MODEL)
        if isinstance(descriptors, Path):
            self._take(descriptors, self._ready / DESCRIPTORS)
        else:
            np.save(self._ready / DESCRIPTORS, descriptors)
        if thumbnails is not None:
            self._take(thumbnails[1], self._ready / THUMBNAILS)
        for path in self._ready.iterdir():
            sync(path)

    def _take(self, source: Path, target: Path) -> None:
        take(source, target, own=source.resolve().is_relative_to(self.folder.resolve()))


def take(source: Path, target: Path, *, own: bool) -> None:
    """Link a file of our ``own`` to ``target``; copy one of someone else's, who may yet change it."""
    if own:
        try:
            os.link(source, target)
        except OSError:  # a file system without links
            shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target)


def created_by() -> str:
    """Return the program and version that writes, as a manifest tells it."""
    return f"landfall {version('landfall')}"


def begin(out: str | os.PathLike[str], plan: Mapping[str, Any]) -> Building:
    """Begin to build an index, or go on with an interrupted build of the same plan.

    Args:
        out: the index folder, made if it is not there.
        plan: what is being built, as JSON values under names that a user understands ("photos", "model"):
            where two plans differ, the message tells of both.

    Raises:
        IndexStoreError: ``out`` is a finished index, an unfinished one of another plan, something else that
            is not empty, being built by another process, or can't be written.
    """
    out = Path(out)
    _check_place(out)
    busy = IndexStoreError(f"{out} is being built by another process. Wait until it is done.")
    try:
        lock = hold(out / BUILDING / "lock", busy)
    except OSError as error:
        raise _unwritable(out, error) from error
    try:
        # Another builder may have finished between the first look and the lock.
        _check_place(out)
        return Building(out, plan, lock, resumed=_resume(out, plan))
    except BaseException:
        lock.close()
        raise


def _check_place(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise IndexStoreError(f"{out} is a file. Choose another place for the index.")
    held = {path.name for path in out.iterdir()}
    if MANIFEST in held:
        _tidy(out)
        raise IndexStoreError(
            f"{out} is a finished index. Choose another place, or delete it to build it anew."
        )
    if held and (BUILDING not in held or held - _UNFINISHED):
        strange = sorted(held - _UNFINISHED) or sorted(held)
        raise IndexStoreError(
            f"{out} holds other things ({', '.join(strange[:3])}). Choose a new or an empty folder."
        )


def _tidy(out: Path) -> None:
    """Remove what a build leaves behind; one killed after its commit leaves that to the next look."""
    shutil.rmtree(out / BUILDING, ignore_errors=True)


def _resume(out: Path, plan: Mapping[str, Any]) -> bool:
    """Tell whether work of the same plan is there; else clear the way and write the plan."""
    path = out / BUILDING / PLAN
    now = json.loads(json.dumps(plan))
    earlier = read_json(path)
    if earlier == now:
        return True
    if earlier is not None:
        keys = [key for key in {**earlier, **now} if earlier.get(key) != now.get(key)]
        changed = ", ".join(f"{key} ({earlier.get(key)} then, {now.get(key)} now)" for key in keys)
        raise IndexStoreError(
            f"{out} holds an unfinished build of another index. Since it was begun there changed: {changed}. "
            "Build it as it was begun, choose another place, or delete it to begin anew."
        )
    write_json(path, now)
    return False


def _shape_of(descriptors: Path | NDArray[np.floating]) -> tuple[tuple[int, int], Any]:
    array = np.load(descriptors, mmap_mode="r") if isinstance(descriptors, Path) else descriptors
    if array.ndim != 2 or array.dtype not in (np.dtype(np.float32), np.dtype(np.float16)):
        raise IndexStoreError(
            f"Descriptors of shape {array.shape} and type {array.dtype} can't be indexed; a matrix of "
            "float32 or float16, one photo a row, is expected."
        )
    return (int(array.shape[0]), int(array.shape[1])), array.dtype.name


def _check_finite(descriptors: Path | NDArray[np.floating]) -> None:
    array = np.load(descriptors, mmap_mode="r") if isinstance(descriptors, Path) else descriptors
    first = 0
    for block in blocks_of(array):
        if (row := first_not_finite(block)) is not None:
            raise not_storable(first + row, array.dtype)
        first += len(block)


def _shown(thumbnails: tuple[int, Path] | None) -> Thumbnails | None:
    """Return what the manifest tells of thumbnails, their longest side and file."""
    if thumbnails is None:
        return None
    longest_side_px, file = thumbnails
    count = count_thumbnails(file)
    segments = (ThumbnailSegment(file=THUMBNAILS, pictures=count),) if count else ()
    return Thumbnails(longest_side_px=longest_side_px, segments=segments)


def _unwritable(out: Path, error: OSError) -> IndexStoreError:
    return IndexStoreError(
        f"{out} can't be written: {error.strerror or error}. What is done so far is kept; mend that and run "
        "the same again, or choose another place."
    )
