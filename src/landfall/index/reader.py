"""An index folder, opened to be searched."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError
from landfall.geo import Positions
from landfall.index.manifest import (
    DESCRIPTORS,
    MANIFEST,
    MODEL,
    PHOTOS,
    Manifest,
    check_files,
    read_manifest,
)
from landfall.index.match import Match
from landfall.index.records import PhotoRecord, Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landfall.models import Model


class IndexedPhoto(NamedTuple):
    """An indexed photo's number, name and position in degrees WGS84."""

    id: int
    photo: str
    lat: float
    lon: float


class Index:
    """Geotagged photos that queries are found among. Threads may share one.

    Args:
        path: the folder.
        manifest: what it is made of.
        device: where its model runs and its searches are computed; a GPU where there is one, by default.
    """

    def __init__(self, path: Path, manifest: Manifest, *, device: str | None = None) -> None:
        self.path = path
        self.manifest = manifest
        self.device = device
        self._records = Records(path / PHOTOS)
        self._model: Model | None = None
        self._loading = Lock()

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, device: str | None = None) -> Index:
        """Open a finished index.

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
        if not folder.is_dir():
            what = "is a file, not an index folder" if folder.exists() else "does not exist"
            raise IndexStoreError(
                f"{folder} {what}. Build an index with `landfall index build PHOTOS --out I`."
            )
        if not (folder / MANIFEST).exists():
            if (folder / "building").is_dir():
                raise IndexStoreError(
                    f"{folder} is not finished: its build was interrupted or is still running. "
                    "Run the same `landfall index build` again to go on."
                )
            raise IndexStoreError(
                f"{folder} is not an index: it has no {MANIFEST}. "
                "Give the folder that `landfall index build` wrote with --out."
            )
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        index = cls(folder, manifest, device=device)
        expected = (manifest.photos, manifest.descriptor_dim)
        if index.descriptors.shape != expected or index.descriptors.dtype != manifest.descriptor_dtype:
            raise IndexStoreError(
                f"{folder / DESCRIPTORS} is an array {index.descriptors.shape} of {index.descriptors.dtype}; "
                f"{MANIFEST} tells of {expected} of {manifest.descriptor_dtype}. Build the index anew."
            )
        return index

    def __len__(self) -> int:
        return self.manifest.photos

    def search(self, descriptors: NDArray[np.floating], k: int) -> list[list[Match]]:
        """Return, for each of the queries' ``descriptors`` (Q, D), its ``k`` nearest photos, nearest first.

        Raises:
            UsageError: ``k`` is below 1, or the descriptors have another length than the index's.
        """
        distances, rows = self.search_rows(descriptors, k)
        photos = self._photos
        return [
            [
                _match(photos[row], distance, rank)
                for rank, (distance, row) in enumerate(zip(near, found, strict=True), start=1)
            ]
            for near, found in zip(distances.tolist(), rows.tolist(), strict=True)
        ]

    def search_rows(
        self, descriptors: NDArray[np.floating], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return distances and rows (Q, min(k, N)) of the nearest photos; ``search_exact`` says the rest."""
        from landfall.index.exact import search_exact  # brings in torch, which opening an index does not need

        return search_exact(self.descriptors, descriptors, k, device=self.device)

    @cached_property
    def descriptors(self) -> NDArray[np.floating]:
        """The photos' descriptors (N, D), mapped from the file and not read into memory."""
        # Copy-on-write: torch takes no read-only memory, and nothing written here would reach the file.
        mapped: NDArray[np.floating] = np.load(self.path / DESCRIPTORS, mmap_mode="c")
        return mapped

    @property
    def model(self) -> Model:
        """The model that described the photos, and must describe the queries; loaded when first asked for."""
        with self._loading:
            if self._model is None:
                from landfall.models import load_model

                self._model = load_model(self.path / MODEL, device=self.device)
            return self._model

    @cached_property
    def positions(self) -> Positions:
        """Where the photos were taken, in the order of descriptor rows."""
        lat, lon = self._records.columns("lat", "lon")
        return Positions.from_latlon(np.array(lat, np.float64), np.array(lon, np.float64))

    def photos(self) -> list[IndexedPhoto]:
        """Return number, name and position of every photo, in the order of descriptor rows."""
        return list(self._photos)

    def records(self) -> list[PhotoRecord]:
        """Return all that is known of every photo, in the order of descriptor rows."""
        return self._records.all()

    def find_hashes(self, hashes: Sequence[str]) -> dict[str, str]:
        """Return, for those content hashes that are indexed, the name of the (first) photo that has it."""
        return self._records.names_of(hashes)

    def info(self) -> dict[str, Any]:
        """Return what the index is made of, as JSON values; positions in degrees, None for an empty index."""
        lat, lon = self.positions.lat, self.positions.lon
        bounds = None
        if len(self):
            bounds = [float(lat.min()), float(lon.min()), float(lat.max()), float(lon.max())]
        return {
            "index": str(self.path),
            "format": self.manifest.format,
            "created_by": self.manifest.created_by,
            "indexed": len(self),
            "model": self.manifest.model.name,
            "descriptor_dim": self.manifest.descriptor_dim,
            "descriptor_dtype": self.manifest.descriptor_dtype,
            "root": self.manifest.root,
            "bytes": sum(entry.bytes for entry in self.manifest.files.values()),
            "bounds": bounds,
        }

    @cached_property
    def _photos(self) -> list[IndexedPhoto]:
        return [IndexedPhoto(*row) for row in zip(*self._records.columns(*IndexedPhoto._fields), strict=True)]


def _match(photo: IndexedPhoto, distance: float, rank: int) -> Match:
    return Match(photo.id, photo.photo, photo.lat, photo.lon, distance, rank)
