"""The records of the photos in a collection, and their descriptors, as other parts of Landfall see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError
from landfall.index.milvus.collection import MESSAGE_BYTES, PAGE, Collection
from landfall.index.milvus.manifest import MilvusManifest
from landfall.index.milvus.schema import SCALARS, UNKNOWN, VECTOR, key_of, photo_id, record_of, root_of
from landfall.index.records import PhotoRecord

_NUMBERS = ("lat", "lon", "heading_deg", "taken_s")


class MilvusRecords:
    """Records looked up in a collection; rows are places in the ascending order of ids.

    Args:
        collection: loaded.
        manifest: of the index.
    """

    def __init__(self, collection: Collection, manifest: MilvusManifest) -> None:
        self._collection = collection
        self._manifest = manifest

    def __len__(self) -> int:
        return self._collection.count()

    def all(self) -> Iterator[PhotoRecord]:
        """Yield every record by ascending id, with some thousands in memory at a time."""
        row = 0
        for part in self._collection.iterate(SCALARS):
            for entity in part:
                yield self._record(entity, row)
                row += 1

    def texts(self, column: str) -> list[str]:
        """Return a column of every photo, by ascending id."""
        return [str(entity[column]) for part in self._collection.iterate(("id", column)) for entity in part]

    def of_ids(self, ids: Sequence[int]) -> list[PhotoRecord]:
        """Return the records of those ids that are there."""
        return [self._record(entity) for entity in self._collection.get(ids, SCALARS)]

    def of_names(self, names: Sequence[str]) -> list[PhotoRecord]:
        """Return the records of those names that are there, in whatever folder.

        A photo's number is that of its folder and name, so none has to be searched for.
        """
        wanted = set(names)
        ids = [photo_id(root, name) for root in self._manifest.ids_by_root() for name in wanted]
        return [record for record in self.of_ids(ids) if record.photo in wanted]

    def of_folder(self, folder: int) -> dict[str, PhotoRecord]:
        """Return the records of a folder's photos, by name."""
        root = self._manifest.folders_by_id()[folder].root
        found = self._collection.get([key_of(root)], SCALARS, field="root_key")
        return {entity["photo"]: self._record(entity) for entity in found if root_of(entity) == root}

    def with_hashes(self, hashes: Sequence[str]) -> list[PhotoRecord]:
        """Return the photos that have one of these contents, by ascending id."""
        wanted = set(hashes)
        found = self._collection.get([key_of(each) for each in wanted], SCALARS, field="content_key")
        records = [self._record(entity) for entity in found if entity["content_hash"] in wanted]
        return sorted(records, key=lambda record: record.id)

    def of_hashes(self, hashes: Sequence[str]) -> dict[str, PhotoRecord]:
        """Return the (first) record of those content hashes that are there."""
        found: dict[str, PhotoRecord] = {}
        for record in self.with_hashes(hashes):
            found.setdefault(record.content_hash, record)
        return found

    def _record(self, entity: Mapping[str, Any], row: int = -1) -> PhotoRecord:
        folder = self._manifest.ids_by_root().get(root_of(entity))
        if folder is None:
            raise IndexStoreError(
                f"{self._collection.address} has photos of {root_of(entity)}, which this index folder "
                "doesn't know: another copy of the folder added them. Take that copy."
            )
        return record_of(entity, folder, row)


class Columns:
    """Ids, positions, headings and times of all photos, read once: some 40 bytes a photo.

    Args:
        collection: loaded.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    @cached_property
    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        ids, numbers = [np.empty(0, np.int64)], [np.empty((0, len(_NUMBERS)))]
        for part in self._collection.iterate(("id", *_NUMBERS)):
            ids.append(np.array([entity["id"] for entity in part], np.int64))
            numbers.append(np.array([[entity[name] for name in _NUMBERS] for entity in part], np.float64))
        found, table = np.concatenate(ids), np.concatenate(numbers)
        table[table == UNKNOWN] = np.nan
        order = np.argsort(found)
        return found[order], table[order]

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) ascending."""
        return self._table[0]

    def number(self, name: str) -> NDArray[np.float64]:
        """Return a column (N,), by ascending id, NaN where unknown."""
        return np.ascontiguousarray(self._table[1][:, _NUMBERS.index(name)])

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of some ids.

        Raises:
            IndexStoreError: one is not among those that were read.
        """
        known = self.ids
        rows = np.searchsorted(known, ids)
        if ids.size and (not len(known) or (known[np.minimum(rows, len(known) - 1)] != ids).any()):
            raise IndexStoreError(
                f"{self._collection.address} was changed since it was opened. Open the index anew."
            )
        return rows


class MilvusRows:
    """The descriptors (N, D) of a collection, seen as a matrix whose rows are read when asked for.

    Args:
        collection: loaded.
        columns: tell which id a row has.
        dim: D.
        dtype: that rows are given in.
    """

    ndim = 2

    def __init__(self, collection: Collection, columns: Columns, dim: int, dtype: str) -> None:
        self._collection = collection
        self._columns = columns
        self._dim = dim
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""
        return len(self), self._dim

    def __len__(self) -> int:
        return len(self._columns.ids)

    def __getitem__(self, key: slice | NDArray[np.integer]) -> NDArray[np.floating]:
        """Return the rows that a slice or an integer array (M,) chooses, as an array (M, D)."""
        return self.of_ids(self._columns.ids[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all rows in memory: for small indexes and for tests."""
        if copy is False:
            raise ValueError("Descriptors that lie in a store can't be had as an array without a copy")
        return np.array(self[:], dtype=dtype)

    def of_ids(self, ids: NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the descriptors (M, D) of some ids, in their order.

        Raises:
            IndexStoreError: one is not there.
        """
        rows = np.empty((len(ids), self._dim), self.dtype)
        step = at_once(self._dim)
        for first in range(0, len(ids), step):
            part = ids[first : first + step]
            unique, places = np.unique(part, return_inverse=True)
            found = {
                int(entity["id"]): vector_of(entity)
                for entity in self._collection.get(unique.tolist(), ("id", VECTOR))
            }
            if gone := sorted(set(unique.tolist()) - set(found)):
                raise IndexStoreError(
                    f"{self._collection.address} has no photo {gone[0]} any more. Open the index anew."
                )
            if found:
                rows[first : first + step] = np.stack([found[each] for each in unique.tolist()])[places]
        return rows


def vector_of(entity: Mapping[str, Any]) -> NDArray[np.floating]:
    """Return an entity's descriptor (D,), as float32, or float16 where the collection is in that."""
    vector = entity[VECTOR]
    if isinstance(vector, list) and len(vector) == 1 and isinstance(vector[0], bytes):
        vector = vector[0]
    return np.frombuffer(vector, np.float16) if isinstance(vector, bytes) else np.asarray(vector, np.float32)


def at_once(dim: int) -> int:
    """Return how many entities with vectors are read or written together."""
    return max(1, min(PAGE, MESSAGE_BYTES // (4 * dim)))
