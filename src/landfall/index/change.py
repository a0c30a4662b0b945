"""One change of an index, all or nothing: new files first, then the manifest that names them.

A change holds the index's lock, so that there is one at a time. It writes files that nobody reads yet, named
by its generation; ``commit`` brings them to the disk and replaces the manifest by a rename. That is the
moment the change happens. What the new manifest no longer names is removed afterwards; what a killed change
left behind, by the next one. Readers need no lock: the files they have open stay readable.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexBusyError, IndexStoreError
from landfall.files import hold, sync, sync_folder
from landfall.index.interface import Change
from landfall.index.manifest import (
    LOCK,
    MODEL,
    SEARCH,
    WHITENING,
    Manifest,
    OfFiles,
    Segment,
    Thumbnails,
    ThumbnailSegment,
    damaged,
    descriptors_file,
    entry_of,
    file_of,
    format_for,
    leftovers,
    photos_file,
    store_of,
    thumbnails_file,
    write_manifest,
)
from landfall.index.reader import FolderIndex, check_is_index
from landfall.index.records_writing import RecordsEdit
from landfall.index.rows import DescriptorRows, Matrix
from landfall.index.rows_writing import blocks_of, write_rows
from landfall.index.store import created_by, take
from landfall.index.thumbnails_writing import (
    ThumbnailsWriting,
    count_thumbnails,
    has_dead_thumbnails,
    join_thumbnails,
)

if TYPE_CHECKING:
    from landfall.models.pca import Whitening

# A search reads each segment by itself, so that many small ones would slow it down.
MOST_SEGMENTS = 16
_DERIVED_NAME = re.compile(r"[a-z][a-z0-9-]*")
_TAKEN_NAMES = ("photos", "descriptors", "model", "thumbnails")


class FolderChange(Change):
    """A change of a folder index that is being made, all or nothing; see ``changing``.

    Args:
        index: as it is before.
    """

    def __init__(self, index: FolderIndex) -> None:
        self.index: FolderIndex = index
        self.generation = index.manifest.generation + 1
        self._segments = list(index.manifest.segments)
        self._thumbnails = index.manifest.thumbnails
        self._derived = dict(index.manifest.derived)
        self._numbering = index.manifest.numbering
        self._dtype = index.manifest.descriptor_dtype
        self._dim = index.manifest.descriptor_dim
        self._new: list[str] = []
        self._edit: RecordsEdit | None = None
        self._shrink = False

    @property
    def records(self) -> RecordsEdit:
        """The records as they will be."""
        if self._edit is None:
            name = self._name(photos_file(self.generation))
            self._edit = RecordsEdit(
                self.folder / name, self.folder / self.index.manifest.records, self.index.manifest
            )
        return self._edit

    @property
    def rows(self) -> int:
        """How many rows are stored so far, dead ones among them: the next one's number."""
        return sum(segment.rows for segment in self._segments)

    def append(self, descriptors: Matrix, rows: NDArray[np.int64] | None = None) -> int:
        """Store descriptors (M, D), or those at ``rows`` of them, and return the first one's stored row.

        Raises:
            IndexStoreError: they are of another length than the index's, hold numbers that can't be stored,
                or can't be written.
        """
        if descriptors.ndim != 2 or descriptors.shape[1] != self._dim:
            raise IndexStoreError(
                f"Descriptors of shape {descriptors.shape} can't be added to {self.folder}, which holds "
                f"descriptors of {self._dim} numbers. They were made by another model."
            )
        first = self.rows
        self._segments.append(self._written(descriptors, rows))
        return first

    def append_described(self, descriptors: Matrix) -> int:
        """Store descriptors (M, D) as the index's model makes them, whitened where the index is.

        Raises:
            IndexStoreError: as for ``append``.
        """
        whitening = self.index.whitening
        if whitening is None:
            return self.append(descriptors)
        from landfall.index.kinds.whitening import WhitenedRows  # brings in torch

        return self.append(WhitenedRows(descriptors, whitening))

    @property
    def thumbnail_px(self) -> int | None:
        """The longest side of the thumbnails that the index is to have; None where it is to show none."""
        return None if self._thumbnails is None else self._thumbnails.longest_side_px

    def show_photos(self, longest_side_px: int) -> None:
        """Let the index show its photos, by thumbnails of this size from now on.

        Those of another size that it has go: they are drawn anew, or taken over with ``append_thumbnails``.
        """
        if self.thumbnail_px != longest_side_px:
            self._thumbnails = Thumbnails(longest_side_px=longest_side_px)

    def hide_photos(self) -> None:
        """Let the index show no photos; the thumbnails that it has go with the commit."""
        self._thumbnails = None

    def append_thumbnails(self, file: Path) -> None:
        """Keep the pictures of a finished file of ``ThumbnailsWriting``, which stays where it is.

        Raises:
            IndexStoreError: the file can't be read or written.
        """
        count = count_thumbnails(file)
        if count:
            name = self._thumbnails_name()
            with writing(self.folder):
                take(file, self.folder / name, own=file.is_relative_to(self.folder))
            self._show(name, count)

    @contextmanager
    def writing_thumbnails(self) -> Iterator[ThumbnailsWriting]:
        """Give a new file of thumbnails to be filled; at the end of the block its pictures are kept.

        Raises:
            IndexStoreError: it can't be written.
        """
        name = self._thumbnails_name()
        with ThumbnailsWriting(self.folder / name) as file:
            yield file
        if count := count_thumbnails(self.folder / name):
            self._show(name, count)

    def whiten(self, whitening: Whitening) -> None:
        """Store the descriptors whitened from now on, those that are there and those to come.

        Rows of removed photos go, as with ``compact``. Call it on a fresh change.

        Args:
            whitening: fitted on the index.
        """
        from landfall.index.kinds.whitening import WhitenedRows, save_whitening  # brings in torch

        self._dim = len(whitening.projection)
        self._rewrite(WhitenedRows(self.index.descriptors, whitening))
        self.put(WHITENING, ".safetensors", lambda path: save_whitening(whitening, path))

    def compact(self, *, half: bool = False) -> None:
        """Drop the rows that no photo has, number the others anew and store them in one segment.

        Only of what was there before this change; call it on a fresh one.

        Args:
            half: store them in half precision from now on.
        """
        if half:
            self._dtype = "float16"
        self._rewrite(self.index.descriptors)

    def put(self, name: str, suffix: str, writer: Callable[[Path], None]) -> None:
        """Keep a file of something that was worked out from the index, in place of an earlier one.

        Later changes carry it over as it is, so it must say itself what it is of: ``manifest.generation`` for
        what depends on every photo, ``manifest.numbering`` for what holds stored rows.

        Args:
            name: "calibration" or the like: lower-case letters, digits and hyphens.
            suffix: of the file, ".json".
            writer: called with the path to write to.

        Raises:
            IndexStoreError: it can't be written.
        """
        if not _DERIVED_NAME.fullmatch(name) or name in _TAKEN_NAMES:
            raise ValueError(f"A derived file can't be called {name!r}")
        file = self._name(file_of(name, self.generation, suffix))
        with writing(self.folder):
            writer(self.folder / file)
        self._derived[name] = file

    def put_folder(self, name: str, writer: Callable[[Path], None]) -> None:
        """Keep a folder of files, without folders in it, in the same way.

        Args:
            name: as for ``put``.
            writer: called with the path of the folder to make.

        Raises:
            IndexStoreError: it can't be written.
        """
        if not _DERIVED_NAME.fullmatch(name) or name in _TAKEN_NAMES:
            raise ValueError(f"A derived folder can't be called {name!r}")
        folder = self._name(file_of(name, self.generation, ""))
        with writing(self.folder):
            writer(self.folder / folder)
        self._derived[name] = folder

    def drop(self, name: str) -> None:
        """Let go of a derived file, if there is one."""
        self._derived.pop(name, None)

    def commit(self) -> FolderIndex:
        """Make the change, in one moment, and open the index as it then is.

        Raises:
            IndexStoreError: a record has a row that is not stored, or something can't be written; the index
                is then as it was.
        """
        earlier = self.index.manifest
        photos, last, root, records = earlier.photos, -1, earlier.root, earlier.records
        if self._edit is not None or earlier.format == 1:
            edit = self.records
            photos, last, root = edit.finish(shrink=self._shrink)
            records = edit.path.name
        if last >= self.rows:
            raise damaged(self.folder / records, f"a photo has row {last} of {self.rows}")
        with writing(self.folder):
            self._join_small_segments()
            self._join_thumbnails(self.folder / records)
            named = [MODEL, records, *(segment.file for segment in self._segments)]
            if self._thumbnails is not None:
                named += sorted(self._thumbnails.files)
            for derived in self._derived.values():
                named += self._files_of(derived)
            for name in named:
                if PurePosixPath(name).parts[0] in self._new:
                    sync(self.folder / name)
            manifest = Manifest(
                format=format_for(self._thumbnails),
                created_by=created_by(),
                generation=self.generation,
                numbering=self._numbering,
                photos=photos,
                descriptor_dim=self._dim,
                descriptor_dtype=self._dtype,
                model=earlier.model,
                root=root,
                records=records,
                segments=tuple(self._segments),
                thumbnails=self._thumbnails,
                derived=self._derived,
                files={name: earlier.files.get(name) or entry_of(self.folder / name) for name in named},
            )
            write_manifest(self.folder, manifest)
            sweep(self.folder, manifest)
        self._new.clear()
        return self.index.latest()

    def abandon(self) -> None:
        """Remove what was written and not committed."""
        if self._edit is not None:
            self._edit.close()
        for name in self._new:
            # Should one stay, the next change removes it; an error that is on its way says more.
            with suppress(OSError):
                remove(self.folder / name)

    def _files_of(self, derived: str) -> list[str]:
        """Return the names of a derived file, or of those in a derived folder."""
        path = self.folder / derived
        if not path.is_dir():
            return [derived]
        if derived in self._new:
            sync_folder(path)
        return sorted(f"{derived}/{inside.name}" for inside in path.iterdir())

    def _rewrite(self, live: Matrix) -> None:
        """Store the live photos' descriptors (N, D) in one segment and number them anew."""
        self._segments = [self._written(live, None)]
        self.records.renumber()
        self._numbering = self.generation
        self._shrink = True
        # It knows stored rows, and those have other numbers now.
        self.drop(SEARCH)

    def _name(self, file: str) -> str:
        self._new.append(file)
        return file

    def _written(self, descriptors: Matrix, rows: NDArray[np.int64] | None) -> Segment:
        number = sum(name.startswith("descriptors-") for name in self._new)
        name = self._name(descriptors_file(self.generation, number))
        shape = (len(descriptors) if rows is None else len(rows), self._dim)
        with writing(self.folder):
            write_rows(self.folder / name, blocks_of(descriptors, rows), shape, self._dtype)
        return Segment(file=name, rows=shape[0])

    def _join_small_segments(self) -> None:
        first = join_from([segment.rows for segment in self._segments])
        if first >= len(self._segments) - 1:
            return
        parts = [np.load(self.folder / each.file, mmap_mode="r") for each in self._segments[first:]]
        self._segments[first:] = [self._written(DescriptorRows(parts, None), None)]

    def _thumbnails_name(self) -> str:
        number = sum(name.startswith("thumbnails-") for name in self._new)
        return self._name(thumbnails_file(self.generation, number))

    def _show(self, name: str, pictures: int) -> None:
        if self._thumbnails is None:
            raise ValueError(f"{self.folder} shows no photos, so it takes no thumbnails")
        segments = (*self._thumbnails.segments, ThumbnailSegment(file=name, pictures=pictures))
        self._thumbnails = self._thumbnails.model_copy(update={"segments": segments})

    def _join_thumbnails(self, records: Path) -> None:
        """Join small files of thumbnails; all of them where room is given back."""
        if self._thumbnails is None:
            return
        segments = self._thumbnails.segments
        paths = [self.folder / segment.file for segment in segments]
        if self._shrink and (len(paths) > 1 or has_dead_thumbnails(paths, records)):
            first = 0
        else:
            first = join_from([segment.pictures for segment in segments])
        if first >= len(segments):
            return
        name = self._thumbnails_name()
        pictures = join_thumbnails(paths[first:], records, self.folder / name)
        joined = (ThumbnailSegment(file=name, pictures=pictures),) if pictures else ()
        self._thumbnails = self._thumbnails.model_copy(update={"segments": (*segments[:first], *joined)})


def join_from(rows: Sequence[int], most: int = MOST_SEGMENTS) -> int:
    """Return from which segment on all are to be joined to one; ``len(rows)`` where none is.

    Nothing is joined up to ``most`` segments. Then the last ones are, as far back as they are not more than
    twice what comes after them: a row is copied some log(N) times, however many small changes there are.

    Args:
        rows: of each segment, in order.
        most: segments that are left at most.
    """
    if len(rows) <= most:
        return len(rows)
    first, total = len(rows) - 1, rows[-1]
    while first > 0 and (first + 1 > most or rows[first - 1] <= 2 * total):
        first -= 1
        total += rows[first]
    return first


@contextmanager
def changing_folder(
    path: str | os.PathLike[str],
    *,
    device: str | None = None,
    opened: FolderIndex | None = None,
    of_store: str = "",
) -> Iterator[FolderChange]:
    """Do what ``changing`` does for an index that lies in its folder alone; another is refused.

    Args:
        path: the index folder.
        device: where the index's model runs.
        opened: the index as it was opened some time ago, whose loaded model and device are used.
        of_store: what to say of an index whose photos lie elsewhere.

    Raises:
        IndexBusyError: another process is changing the index.
        IndexStoreError: no index, or one that can't be written.
    """
    folder = Path(path)
    check_is_index(folder)
    if (store := store_of(folder)) is not None:
        raise IndexStoreError(f"{folder} keeps its photos in {store}. {of_store}".rstrip())
    busy = IndexBusyError(f"{folder} is being changed by another process. Wait until it is done.")
    with writing(folder):
        lock = hold(folder / LOCK, busy)
    with lock:
        change = FolderChange(FolderIndex.open(folder, device=device) if opened is None else opened.latest())
        with writing(folder):
            sweep(folder, change.index.manifest)
        try:
            yield change
        finally:
            change.abandon()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tell of an error of the disk as one that the user can do something about."""
    try:
        yield
    except OSError as error:
        raise IndexStoreError(
            f"{folder} can't be written: {error.strerror or error}. The index is as it was; mend that and "
            "run the same again."
        ) from error


def remove(path: Path) -> None:
    """Remove a file or a folder of files; one that is gone already is no matter."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sweep(folder: Path, manifest: OfFiles) -> None:
    """Remove the files of generations that are no more, or never came to be."""
    for path in leftovers(folder, manifest):
        remove(path)
    # A build that was killed after its commit leaves its folder.
    shutil.rmtree(folder / "building", ignore_errors=True)
