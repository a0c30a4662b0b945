"""How an index in Milvus comes to be: its place looked at, its photos stored, its folder committed."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from landfall.errors import IndexStoreError
from landfall.files import read_json, sync, write_json
from landfall.index.manifest import MODEL, entry_of, write_manifest
from landfall.index.milvus.address import MilvusAddress
from landfall.index.milvus.collection import Collection
from landfall.index.milvus.manifest import KeptFolder, MilvusManifest
from landfall.index.milvus.reader import MilvusIndex, check_is_own
from landfall.index.milvus.schema import check_dimensions, photo_id
from landfall.index.milvus.vector_index import choose_vector_index
from landfall.index.milvus.writing import Progress, store_photos
from landfall.index.records import PhotoRecord
from landfall.index.store import Building, created_by
from landfall.models import ModelCard, read_card

# In the building folder: what the collection is known by, and how much of it is stored.
_STORE, _JOURNAL = "store.json", "stored.json"


class MilvusBuilding:
    """A build whose photos go to a collection.

    Args:
        building: the folder's part of it.
        address: where the collection is to be.

    Raises:
        IndexStoreError: the server can't be asked, or holds a collection of that name already.
    """

    def __init__(self, building: Building, address: MilvusAddress) -> None:
        self._building = building
        self._address = address
        self._collection = Collection(address)
        told = read_json(building.folder / _STORE)
        if told is None:
            told = {"index_id": uuid.uuid4().hex}
            write_json(building.folder / _STORE, told, durable=True)
        self._index_id = str(told["index_id"])
        described = self._collection.describe()
        if described is not None and described.index_id != self._index_id:
            raise IndexStoreError(
                f"{address} exists already. Choose another collection, or drop that one if it is no longer "
                "wanted."
            )
        self._exists = described is not None

    def commit(
        self,
        records: Sequence[PhotoRecord],
        descriptors: Path,
        model: Path,
        *,
        card: ModelCard | None = None,
        root: str | None = None,
        source: str | None = None,
        say: Callable[[str], None] = lambda _: None,
        progress: Progress = lambda _done, _of: None,
    ) -> MilvusIndex:
        """Store all photos, then make the index in one moment, and open it.

        Args:
            records: of the N photos of one folder; their rows are those of ``descriptors``.
            descriptors: a ``.npy`` file (N, D) float32 or float16.
            model: the file of the model that made them.
            card: that model's card; read from the file by default.
            root: the folder that the photos are in.
            source: what tells of its photos, the folder itself or a CSV.
            say: told in a sentence what is chosen.
            progress: called with photos stored, of how many.

        Raises:
            IndexStoreError: the parts don't belong together, the server refuses, or the folder can't be
                written. What is stored is kept, and the same build goes on there.
        """
        if card is None:
            card = read_card(model)
        matrix = np.load(descriptors, mmap_mode="r")
        count, dim = matrix.shape
        check_dimensions(dim)
        if dim != card.descriptor_dim or sorted(record.row for record in records) != list(range(count)):
            raise IndexStoreError(
                f"{len(records)} photos of {card.name}, which makes {card.descriptor_dim} numbers, came with "
                f"descriptors of shape {matrix.shape}. Each photo needs its own descriptor."
            )
        choice = choose_vector_index(self._address.vector_index, count, dim, embedded=self._address.embedded)
        say(choice.reason)
        half = self._half()
        if not self._exists:
            self._collection.create(self._index_id, dim, choice, half=half)
        self._collection.load()
        folder = KeptFolder(id=1, root=root, source=source)
        numbered = [_numbered(record, folder) for record in records]
        _check_numbers(numbered)
        say(f"Storing {count} photos in {self._address}")
        store_photos(
            self._collection,
            numbered,
            {folder.id: folder.root},
            matrix,
            self._building.folder / _JOURNAL,
            half=half,
            progress=progress,
        )
        if choice.kind != "flat":
            say(f"Waiting for the server to build its {choice.kind.upper()} index")
            if not self._collection.wait_until_indexed():
                say("It makes no headway. Until it is built, searches find less than they will.")
        out = self._building.out
        try:
            shutil.copyfile(model, out / MODEL)
            sync(out / MODEL)
            manifest = MilvusManifest(
                store=str(self._address),
                index_id=self._index_id,
                created_by=created_by(),
                generation=1,
                photos=count,
                descriptor_dim=dim,
                descriptor_dtype=matrix.dtype.name,
                half=half,
                model=card,
                root=root,
                folders=(folder,),
                vector_index=choice.kind,
                vector_parameters=dict(choice.build),
                files={MODEL: entry_of(out / MODEL)},
            )
            check_is_own(self._collection, manifest, out)
            write_manifest(out, manifest)
            shutil.rmtree(self._building.folder, ignore_errors=True)
        except OSError as error:
            raise IndexStoreError(
                f"{out} can't be written: {error.strerror or error}. What is stored is kept; mend that "
                "and run the same again."
            ) from error
        self._building.close()
        return MilvusIndex(out, manifest, self._collection)

    def _half(self) -> bool:
        described = self._collection.describe() if self._exists else None
        if described is not None:
            return described.half
        if self._address.precision == "float":
            return False
        held = self._collection.holds_half()
        if self._address.precision == "half" and not held:
            raise IndexStoreError(
                f"{self._address}: servers hold vectors in half precision from 2.4 on, and this one is "
                "older. Leave out vector=half."
            )
        return held


def _numbered(record: PhotoRecord, folder: KeptFolder) -> PhotoRecord:
    return replace(record, id=photo_id(folder.root, record.photo), folder=folder.id)


def _check_numbers(records: Sequence[PhotoRecord]) -> None:
    names: dict[int, str] = {}
    for record in records:
        other = names.setdefault(record.id, record.photo)
        if other != record.photo:
            raise IndexStoreError(
                f"{record.photo} and {other} have the same number in Milvus, which is worked out from folder "
                "and name; chance has it so. Rename one of them."
            )
