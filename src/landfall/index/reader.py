"""An index folder, opened to be searched."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landfall.errors import IndexStoreError
from landfall.index.among import Among
from landfall.index.interface import Index, IndexedPhoto
from landfall.index.manifest import (
    MANIFEST,
    SEARCH,
    WHITENING,
    Manifest,
    check_files,
    damaged,
    read_manifest,
)
from landfall.index.match import Match
from landfall.index.records import SECONDS, Folder, PhotoRecord, Records
from landfall.index.rows import DescriptorRows
from landfall.index.thumbnails import ThumbnailFiles

if TYPE_CHECKING:
    from landfall.index.kinds import SearchStructure
    from landfall.models import Model
    from landfall.models.pca import Whitening

# A writer may commit between the reading of the manifest and of what it names; then both are read again.
_TRIES = 20


class FolderIndex(Index):
    """An index whose photos and descriptors lie in its folder. Threads may share one.

    It is of one generation and stays so: whatever is added or removed meanwhile, it answers as when it was
    opened. ``latest`` gives the newest. Rows are numbered 0 to N - 1 through the photos of the generation.

    Args:
        path: the folder.
        manifest: what it is made of.
        device: where its model runs and its searches are computed; a GPU where there is one, by default.
        model: its model, where that is loaded already.

    Raises:
        IndexStoreError: a file of it is missing or damaged.
    """

    def __init__(
        self, path: Path, manifest: Manifest, *, device: str | None = None, model: Model | None = None
    ) -> None:
        super().__init__(path, device=device, model=model)
        self.manifest: Manifest = manifest
        # Opened here and kept open, so that all stay readable when a later generation removes the files.
        self._records = Records(path, manifest)
        segments = [_mapped(path, manifest, segment.file, segment.rows) for segment in manifest.segments]
        self.descriptors: DescriptorRows = DescriptorRows(
            segments, self._records.rows() if manifest.dead_rows else None
        )
        self.stored = DescriptorRows(segments, None)
        self.thumbnails = ThumbnailFiles(path, manifest)
        self.structure = _structure(path, manifest, self.stored)
        self.whitening = _whitening(path, manifest)
        # Small, and wanted with nearly every answer; read now, for a later generation may remove it.
        self._notes = {
            name: _read(path / file) for name, file in manifest.derived.items() if file.endswith(".json")
        }
        if len(self.descriptors) != manifest.photos:
            raise damaged(
                path / manifest.records,
                f"it has {len(self.descriptors)} photos, and {MANIFEST} tells of {manifest.photos}",
            )

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, device: str | None = None) -> FolderIndex:
        """Open a finished index, as it is now.

        Args:
            path: the folder.
            device: where its model runs and its searches are computed; a GPU where there is one, by default.

        Raises:
            IndexStoreError: there is none, its build was interrupted, it is of a newer Landfall, or damaged.
            ModelError: no such device here.
        """
        if device is not None:
            from landfall.models.device import resolve_device  # brings in torch

            resolve_device(device)
        folder = Path(path)
        check_is_index(folder)
        return _opened(folder, device=device, model=None)

    def latest(self) -> FolderIndex:
        """Return this index, or the newest generation if it was changed since; a loaded model is taken along.

        Raises:
            IndexStoreError: the newest generation can't be opened.
        """
        if read_manifest(self.path) == self.manifest:
            return self
        return _opened(self.path, device=self.device, model=self._model)

    def __len__(self) -> int:
        return self.manifest.photos

    def search(
        self, descriptors: NDArray[np.floating], k: int, *, among: Among | None = None
    ) -> list[list[Match]]:
        """Return, for each of the queries' ``descriptors`` (Q, D), its ``k`` nearest photos, nearest first.

        Args:
            descriptors: (Q, D), of this index's model.
            k: how many; all there are where there are fewer.
            among: look among these photos only; among all by default.

        Raises:
            UsageError: ``k`` is below 1, the descriptors have another length than the index's, or no photo
                meets ``among``.
        """
        distances, rows = self.search_rows(descriptors, k, among=among)
        used = np.unique(rows)
        photos = dict(zip(used.tolist(), self.photos(used), strict=True))
        return [
            [
                _match(photos[row], distance, rank)
                for rank, (distance, row) in enumerate(zip(near, found, strict=True), start=1)
            ]
            for near, found in zip(distances.tolist(), rows.tolist(), strict=True)
        ]

    def search_rows(
        self, descriptors: NDArray[np.floating], k: int, *, among: Among | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return distances and rows (Q, min(k, N)) of the nearest photos; ``search_exact`` says the rest."""
        from landfall.index.exact import search_exact  # brings in torch, which opening an index does not need

        if self.whitening is not None:
            from landfall.index.kinds.whitening import apply_whitening

            descriptors = apply_whitening(self.whitening, descriptors)
        rows = None if among is None else self.rows_among(among)
        if self.structure is not None:
            return self._search_with(self.structure, descriptors, k, rows)
        if rows is None:
            return search_exact(self.descriptors, descriptors, k, device=self.device)
        distances, found = search_exact(self.descriptors.only(rows), descriptors, k, device=self.device)
        return distances, rows[found]

    def _search_with(
        self,
        structure: SearchStructure[Any],
        descriptors: NDArray[np.floating],
        k: int,
        rows: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Search through a structure, which knows stored rows."""
        from landfall.index.kinds import search_with

        allowed = None if rows is None and not self.manifest.dead_rows else self.descriptors.stored(rows)
        distances, stored = search_with(
            structure, self.stored, descriptors, k, allowed=allowed, device=self.device
        )
        return distances, np.searchsorted(self.stored_rows, stored) if self.manifest.dead_rows else stored

    @property
    def stored_rows(self) -> NDArray[np.int64]:
        """(N,) each photo's stored row, ascending: the same until ``manifest.numbering`` changes."""
        return self.descriptors.stored()

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """(N,) the photos' ids, in the order of rows."""
        return self._records.numbers("id")[0].astype(np.int64)

    @cached_property
    def latlon(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitudes and longitudes (N,) in degrees, in the order of rows."""
        lat, lon = self._records.numbers("lat", "lon")
        return lat, lon

    @cached_property
    def heading_deg(self) -> NDArray[np.float64]:
        """(N,) where the cameras looked, degrees clockwise from north, NaN where unknown."""
        return self._records.numbers("heading_deg")[0]

    @cached_property
    def taken_s(self) -> NDArray[np.float64]:
        """(N,) whole seconds since 1970 when the photos were taken, NaN where unknown.

        A camera's own clock, of no known zone, counts as it stands.
        """
        return self._records.numbers(SECONDS)[0]

    def photos(self, rows: ArrayLike | None = None) -> list[IndexedPhoto]:
        """Return number, name and position of the photos at ``rows``, of every photo by default, in order."""
        stored = self.descriptors.stored(None if rows is None else np.asarray(rows, np.int64)).tolist()
        if rows is None:
            columns = ", ".join(IndexedPhoto._fields)
            return [
                IndexedPhoto(*row)
                for row in self._records.select(f'SELECT {columns} FROM photos ORDER BY "row"')
            ]
        found = self._records.at(stored, ", ".join(IndexedPhoto._fields))
        return [IndexedPhoto(*found[row]) for row in stored]

    def records(self) -> list[PhotoRecord]:
        """Return all that is known of every photo, in the order of rows."""
        if not self.manifest.dead_rows:
            return list(self._records.all())
        return [replace(record, row=row) for row, record in enumerate(self._records.all())]

    @property
    def stored_records(self) -> Records:
        """The file of records, for those who change the index: rows in it are stored rows."""
        return self._records

    def folders(self) -> dict[int, Folder]:
        """Return the folders that the photos are in, by the number that records tell."""
        return self._records.folders()

    def path_of(self, photo_id: int) -> Path | None:
        """Return where a photo's file was when it was indexed; None where nobody said, or no such photo is.

        It may have moved since.
        """
        found = self._records.select(
            "SELECT root, photo FROM photos JOIN folders ON folders.id = folder WHERE photos.id = ?",
            [photo_id],
        )
        return Path(found[0][0], found[0][1]) if found and found[0][0] is not None else None

    @property
    def has_thumbnails(self) -> bool:
        """Whether the index's owner lets its photos be shown, by the thumbnails that it holds."""
        return self.manifest.thumbnails is not None

    def thumbnail(self, photo_id: int) -> bytes | None:
        """Return a small JPEG of an indexed photo; None where there is none, or no such photo is.

        It is upright and says nothing of where or when the photo was taken.

        Raises:
            IndexStoreError: a file of the index is damaged.
        """
        found = self._records.select("SELECT content_hash FROM photos WHERE id = ?", [photo_id])
        return self.thumbnails.get(found[0][0]) if found else None

    def derived(self, name: str) -> Path | None:
        """Return the file of something that was worked out from the index; None where there is none."""
        file = self.manifest.derived.get(name)
        return None if file is None else self.path / file

    def note(self, name: str) -> str | None:
        """Return the text of a derived JSON file of this generation; None where there is none."""
        return self._notes.get(name)

    def info(self) -> dict[str, Any]:
        """Return what the index is made of, as JSON values; positions in degrees, None for an empty index."""
        lat, lon = self.latlon
        bounds = None
        if len(self):
            bounds = [float(lat.min()), float(lon.min()), float(lat.max()), float(lon.max())]
        return {
            "index": str(self.path),
            "format": self.manifest.format,
            "created_by": self.manifest.created_by,
            "generation": self.manifest.generation,
            "indexed": len(self),
            "dead_rows": self.manifest.dead_rows,
            "segments": len(self.manifest.segments),
            "model": self.manifest.model.name,
            "descriptor_dim": self.manifest.descriptor_dim,
            "descriptor_dtype": self.manifest.descriptor_dtype,
            "root": self.manifest.root,
            "folders": [folder.root for folder in self.folders().values()],
            "whitened": self.whitening is not None,
            "search": None if self.structure is None else self.structure.describe(),
            "thumbnails": self._thumbnails_info(),
            "derived": sorted(self.manifest.derived),
            "bytes": sum(entry.bytes for entry in self.manifest.files.values()),
            "bounds": bounds,
        }

    def _thumbnails_info(self) -> dict[str, int] | None:
        told = self.manifest.thumbnails
        if told is None:
            return None
        return {
            "longest_side_px": told.longest_side_px,
            "stored": told.pictures,
            "bytes": sum(self.manifest.files[name].bytes for name in told.files),
        }


def check_is_index(folder: Path) -> None:
    """Look whether a folder is a finished index.

    Raises:
        IndexStoreError: it is not there, no folder, unfinished, or something else.
    """
    if not folder.is_dir():
        what = "is a file, not an index folder" if folder.exists() else "does not exist"
        raise IndexStoreError(f"{folder} {what}. Build an index with `landfall index build PHOTOS --out I`.")
    if (folder / MANIFEST).exists():
        return
    if (folder / "building").is_dir():
        raise IndexStoreError(
            f"{folder} is not finished: its build was interrupted or is still running. "
            "Run the same `landfall index build` again to go on."
        )
    raise IndexStoreError(
        f"{folder} is not an index: it has no {MANIFEST}. "
        "Give the folder that `landfall index build` wrote with --out."
    )


def _opened(folder: Path, *, device: str | None, model: Model | None) -> FolderIndex:
    for _ in range(_TRIES):
        manifest = read_manifest(folder)
        try:
            check_files(folder, manifest)
            return FolderIndex(folder, manifest, device=device, model=model)
        except IndexStoreError:
            if read_manifest(folder) == manifest:
                raise
    raise IndexStoreError(f"{folder} is changed faster than it can be opened. Try again.")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from error


def _structure(folder: Path, manifest: Manifest, stored: DescriptorRows) -> SearchStructure[Any] | None:
    """Return the structure that the index is searched with; None where all rows are looked at."""
    name = manifest.derived.get(SEARCH)
    if name is None:
        return None
    from landfall.index.kinds import load_structure  # brings in torch and faiss, which most do without

    structure = load_structure(folder / name)
    structure.check(stored)
    return structure


def _whitening(folder: Path, manifest: Manifest) -> Whitening | None:
    """Return what queries go through before they are searched; None where they are searched as they are."""
    name = manifest.derived.get(WHITENING)
    if name is None:
        return None
    from landfall.index.kinds.whitening import load_whitening  # brings in torch

    return load_whitening(folder / name)


def _mapped(folder: Path, manifest: Manifest, name: str, rows: int) -> NDArray[np.floating]:
    path = folder / name
    try:
        # Copy-on-write: torch takes no read-only memory, and nothing written here would reach the file.
        segment: NDArray[np.floating] = np.load(path, mmap_mode="c")
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from error
    expected = (rows, manifest.descriptor_dim)
    if segment.shape != expected or segment.dtype != manifest.descriptor_dtype:
        raise IndexStoreError(
            f"{path} is an array {segment.shape} of {segment.dtype}; {MANIFEST} tells of {expected} of "
            f"{manifest.descriptor_dtype}. Build the index anew."
        )
    return segment


def _match(photo: IndexedPhoto, distance: float, rank: int) -> Match:
    return Match(photo.id, photo.photo, photo.lat, photo.lon, distance, rank)
