"""An index whose photos lie in Milvus, opened to be searched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landfall.errors import IndexStoreError, UsageError
from landfall.index.among import Among
from landfall.index.interface import Index, IndexedPhoto
from landfall.index.manifest import check_files, damaged
from landfall.index.match import Match
from landfall.index.milvus.address import MilvusAddress, parse_address
from landfall.index.milvus.collection import Collection
from landfall.index.milvus.filters import conditions
from landfall.index.milvus.manifest import MilvusManifest, read_milvus_manifest
from landfall.index.milvus.pending import is_pending
from landfall.index.milvus.records import Columns, MilvusRecords, MilvusRows
from landfall.index.milvus.schema import root_of
from landfall.index.milvus.search import Hit, any_among, nearest
from landfall.index.milvus.vector_index import search_options
from landfall.index.records import Folder, PhotoRecord

if TYPE_CHECKING:
    from landfall.models import Model

_PHOTO = ("id", "photo", "lat", "lon")
# Of more photos the bounds are not told: all positions would have to be read.
_BOUNDS_UP_TO = 1_000_000


class MilvusIndex(Index):
    """An index whose photos and descriptors are in a collection. Threads may share one.

    A search sees what was there when the index was opened, and later changes within five seconds. Rows are
    places in the ascending order of ids, of the photos that were there when rows were first asked for. An
    approximate vector index may miss near photos; the distances of those it finds are exact.

    Args:
        path: the folder.
        manifest: what it is made of.
        collection: loaded, and looked at to be this index's own.
        device: where its model runs.
        model: its model, where that is loaded already.

    Raises:
        IndexStoreError: a file of it is missing or damaged, or the server can't be asked.
    """

    def __init__(
        self,
        path: Path,
        manifest: MilvusManifest,
        collection: Collection,
        *,
        device: str | None = None,
        model: Model | None = None,
    ) -> None:
        super().__init__(path, device=device, model=model)
        self.manifest: MilvusManifest = manifest
        self.collection = collection
        self._columns = Columns(collection)
        self.descriptors: MilvusRows = MilvusRows(
            collection, self._columns, manifest.descriptor_dim, manifest.descriptor_dtype
        )
        self._notes = {
            name: _read(path / file) for name, file in manifest.derived.items() if file.endswith(".json")
        }
        self._count = collection.count()
        collection.see_all()

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, device: str | None = None) -> MilvusIndex:
        """Open a finished index, as it is now; ``Index.open`` says the rest."""
        if device is not None:
            from landfall.models.device import resolve_device  # brings in torch

            resolve_device(device)
        folder = Path(path)
        manifest = read_milvus_manifest(folder)
        check_files(folder, manifest)
        collection = Collection(address_of(manifest))
        check_is_own(collection, manifest, folder)
        collection.load()
        return cls(folder, manifest, collection, device=device)

    def latest(self) -> MilvusIndex:
        """Return this index, or the newest generation if it was changed since; its model is taken along."""
        manifest = read_milvus_manifest(self.path)
        if manifest == self.manifest:
            return self
        return MilvusIndex(self.path, manifest, self.collection, device=self.device, model=self._model)

    def __len__(self) -> int:
        return self._count

    def search(
        self, descriptors: NDArray[np.floating], k: int, *, among: Among | None = None
    ) -> list[list[Match]]:
        """Return, for each query of ``descriptors`` (Q, D), its ``k`` nearest photos, nearest first."""
        return [
            [
                Match(hit.id, hit.entity["photo"], hit.entity["lat"], hit.entity["lon"], hit.distance, rank)
                for rank, hit in enumerate(hits, start=1)
            ]
            for hits in self._nearest(descriptors, k, among, _PHOTO)
        ]

    def search_rows(
        self, descriptors: NDArray[np.floating], k: int, *, among: Among | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return distances and rows (Q, min(k, N)) of the nearest photos."""
        found = self._nearest(descriptors, k, among, ("id",))
        width = min(map(len, found), default=0)
        distances = np.array([[hit.distance for hit in hits[:width]] for hits in found], np.float32)
        ids = np.array([[hit.id for hit in hits[:width]] for hits in found], np.int64)
        shape = (len(found), width)
        return distances.reshape(shape), self._columns.rows_of(ids.reshape(shape))

    def check_among(self, among: Among) -> None:
        """Look whether any photo meets all conditions, from as few of them as that takes."""
        if any_among(self.collection, among):
            return
        counts = "; ".join(
            f"{what}: about {self.collection.count(each)}" for what, each in conditions(among).items()
        )
        raise UsageError(
            f"None of the {len(self)} photos of {self.path} meets what was asked ({counts}). Ask for less."
        )

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) the photos' ids, ascending."""
        return self._columns.ids

    @cached_property
    def latlon(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitudes and longitudes (N,) in degrees, in the order of rows."""
        return self._columns.number("lat"), self._columns.number("lon")

    @cached_property
    def heading_deg(self) -> NDArray[np.float64]:
        """(N,) where the cameras looked, degrees clockwise from north, NaN where unknown."""
        return self._columns.number("heading_deg")

    @cached_property
    def taken_s(self) -> NDArray[np.float64]:
        """(N,) whole seconds since 1970 when the photos were taken, NaN where unknown."""
        return self._columns.number("taken_s")

    def photos(self, rows: ArrayLike | None = None) -> list[IndexedPhoto]:
        """Return number, name and position of the photos at ``rows``, of every photo by default, in order."""
        if rows is None:
            return [_photo(entity) for part in self.collection.iterate(_PHOTO) for entity in part]
        ids = self._columns.ids[np.asarray(rows, np.int64)].tolist()
        found = {int(entity["id"]): entity for entity in self.collection.get(sorted(set(ids)), _PHOTO)}
        return [_photo(found[each]) for each in ids]

    def records(self) -> list[PhotoRecord]:
        """Return all that is known of every photo, in the order of rows."""
        return list(self.stored_records.all())

    @property
    def stored_records(self) -> MilvusRecords:
        """The records, for those who change the index."""
        return MilvusRecords(self.collection, self.manifest)

    def folders(self) -> dict[int, Folder]:
        """Return the folders that the photos are in, by the number that records tell."""
        return self.manifest.folders_by_id()

    def path_of(self, photo_id: int) -> Path | None:
        """Return where a photo's file was when it was indexed; None where nobody said or it is not there."""
        found = self.collection.get([photo_id], ("root", "photo"))
        root = root_of(found[0]) if found else None
        return None if root is None else Path(root, found[0]["photo"])

    def derived(self, name: str) -> Path | None:
        """Return the file of something that was worked out from the index; None where there is none."""
        file = self.manifest.derived.get(name)
        return None if file is None else self.path / file

    def note(self, name: str) -> str | None:
        """Return the text of a derived JSON file of this generation; None where there is none."""
        return self._notes.get(name)

    def info(self) -> dict[str, Any]:
        """Return what the index is made of, as JSON values; None where there is nothing to say."""
        bounds = None
        if 0 < len(self) <= _BOUNDS_UP_TO:
            lat, lon = self.latlon
            bounds = [float(lat.min()), float(lon.min()), float(lat.max()), float(lon.max())]
        manifest = self.manifest
        return {
            "index": str(self.path),
            "format": manifest.format,
            "created_by": manifest.created_by,
            "generation": manifest.generation,
            "indexed": len(self),
            "dead_rows": None,
            "segments": None,
            "model": manifest.model.name,
            "descriptor_dim": manifest.descriptor_dim,
            "descriptor_dtype": manifest.descriptor_dtype,
            "root": manifest.root,
            "folders": [folder.root for folder in manifest.folders],
            "whitened": False,
            "search": {"kind": f"milvus {manifest.vector_index}", **manifest.vector_parameters},
            "thumbnails": None,
            "derived": sorted(manifest.derived),
            "bytes": sum(entry.bytes for entry in manifest.files.values()),
            "bounds": bounds,
            "store": manifest.store,
            "vectors": "float16" if manifest.half else "float32",
            "unfinished_change": is_pending(self.path),
        }

    def _nearest(
        self, descriptors: NDArray[np.floating], k: int, among: Among | None, fields: Sequence[str]
    ) -> list[list[Hit]]:
        queries = np.asarray(descriptors, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.manifest.descriptor_dim:
            raise UsageError(
                f"Queries of shape {queries.shape} can't be searched among descriptors of "
                f"{self.manifest.descriptor_dim} numbers. Were they made by the same model?"
            )
        if not np.isfinite(queries).all():
            raise UsageError("A query's descriptor holds NaN or infinity. Describe that photo again.")
        manifest = self.manifest
        found = nearest(
            self.collection,
            queries,
            k,
            among=among,
            fields=fields,
            options=lambda limit: search_options(
                manifest.vector_index, manifest.vector_parameters, limit, filtered=among is not None
            ),
            half=manifest.half,
        )
        if among is not None and not any(found):
            self.check_among(among)
        return found


def address_of(manifest: MilvusManifest) -> MilvusAddress:
    """Return the address that a manifest tells."""
    return parse_address(manifest.store)


def check_is_own(collection: Collection, manifest: MilvusManifest, folder: Path) -> None:
    """Look whether a collection is the one that an index folder was built with.

    Raises:
        IndexStoreError: there is none, or it is another one.
    """
    described = collection.describe()
    if described is None:
        raise IndexStoreError(
            f"{collection.address} has no collection {collection.name}, where {folder} keeps its photos. "
            "Bring it back from a backup, or build the index anew."
        )
    expected = (manifest.index_id, manifest.descriptor_dim, manifest.half)
    if (described.index_id, described.dim, described.half) != expected:
        raise IndexStoreError(
            f"The collection {collection.name} at {collection.address} is not the one that {folder} was "
            "built with. Give that one back its name, or build the index anew."
        )


def _photo(entity: dict[str, Any]) -> IndexedPhoto:
    return IndexedPhoto(int(entity["id"]), entity["photo"], float(entity["lat"]), float(entity["lon"]))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from error
