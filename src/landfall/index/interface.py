"""What an index and a change of it are to those who use them, wherever photos and descriptors lie.

Two kinds of index have it: a folder that holds all (``reader``, ``change``), and a folder whose photos and
descriptors lie in Milvus (``milvus``). Either is opened, searched and changed by the same calls, and
``Index.open`` and ``changing`` find out which it is.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landfall.geo import Positions
from landfall.index.among import Among, rows_among
from landfall.index.manifest import MODEL, FileEntry
from landfall.index.match import Match
from landfall.index.records import Folder, PhotoRecord
from landfall.index.rows import Matrix

if TYPE_CHECKING:
    from landfall.models import Model
    from landfall.models.card import ModelCard

# A change that was killed keeps its work here.
WORK = "adding"


class IndexedPhoto(NamedTuple):
    """An indexed photo's number, name and position in degrees WGS84."""

    id: int
    photo: str
    lat: float
    lon: float


class IndexFacts(Protocol):
    """What every index's manifest tells."""

    @property
    def generation(self) -> int:
        """1 for a new index, one more with every change."""
        ...

    @property
    def descriptor_dim(self) -> int:
        """D."""
        ...

    @property
    def descriptor_dtype(self) -> Literal["float32", "float16"]:
        """The precision that descriptors are kept in."""
        ...

    @property
    def model(self) -> ModelCard:
        """The card of the model, whose file travels in the folder."""
        ...

    @property
    def derived(self) -> Mapping[str, str]:
        """What was worked out from the index, by name: its file or folder."""
        ...

    @property
    def files(self) -> Mapping[str, FileEntry]:
        """The files in the folder."""
        ...

    @property
    def root(self) -> str | None:
        """The folder of the photos when they were indexed, where all are of one."""
        ...


class StoredRecords(Protocol):
    """The records of an index, looked up by what callers know of a photo.

    Only ``all`` tells rows that mean something to every kind of index.
    """

    def __len__(self) -> int: ...

    def all(self) -> Iterator[PhotoRecord]:
        """Yield every record in the order of rows, with some thousands in memory at a time."""
        ...

    def texts(self, column: str) -> list[str]:
        """Return a column of every photo, in the order of rows."""
        ...

    def of_ids(self, ids: Sequence[int]) -> list[PhotoRecord]:
        """Return the records of those ids that are there."""
        ...

    def of_names(self, names: Sequence[str]) -> list[PhotoRecord]:
        """Return the records of those names that are there, in whatever folder."""
        ...

    def of_hashes(self, hashes: Sequence[str]) -> dict[str, PhotoRecord]:
        """Return the (first) record of those content hashes that are there."""
        ...

    def of_folder(self, folder: int) -> dict[str, PhotoRecord]:
        """Return the records of a folder's photos, by name."""
        ...


class Index(ABC):
    """Geotagged photos that queries are found among. Threads may share one.

    Rows are numbered 0 to N - 1; ids stay a photo's own.

    Attributes:
        path: the index folder.
        manifest: what it is made of.
        device: where its model runs and its searches are computed; a GPU where there is one, by default.
        descriptors: (N, D), read when asked for.
    """

    path: Path
    manifest: IndexFacts
    device: str | None
    descriptors: Matrix

    def __init__(self, path: Path, *, device: str | None = None, model: Model | None = None) -> None:
        self.path = path
        self.device = device
        self._model = model
        self._loading = Lock()

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, device: str | None = None) -> Index:
        """Open a finished index, as it is now.

        Args:
            path: the folder.
            device: where its model runs and its searches are computed; a GPU where there is one, by default.

        Raises:
            IndexStoreError: there is none, its build was interrupted, it is of a newer Landfall, or damaged;
                or the store that its photos lie in can't be reached.
            ModelError: no such device here.
        """
        from landfall.index.opening import open_index  # knows the kinds, which all build on this module

        return open_index(path, device=device)

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
        """Where the photos were taken, in the order of rows."""
        return Positions.from_latlon(*self.latlon)

    def rows_among(self, among: Among) -> NDArray[np.int64]:
        """Return the rows (M,), ascending, of the photos that meet all conditions.

        Raises:
            UsageError: none does; the message tells how many photos each condition leaves.
        """
        return rows_among(self, among)

    def check_among(self, among: Among) -> None:
        """Look whether any photo meets all conditions.

        Raises:
            UsageError: none does; the message tells how many photos each condition leaves.
        """
        self.rows_among(among)

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def latest(self) -> Index:
        """Return this index, or the newest generation if it was changed since; a loaded model is taken along.

        Raises:
            IndexStoreError: the newest generation can't be opened.
        """

    @abstractmethod
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

    @abstractmethod
    def search_rows(
        self, descriptors: NDArray[np.floating], k: int, *, among: Among | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return distances and rows (Q, min(k, N)) of the nearest photos; ``search_exact`` says the rest."""

    @property
    @abstractmethod
    def ids(self) -> NDArray[np.int64]:
        """(N,) the photos' ids, in the order of rows."""

    @property
    @abstractmethod
    def latlon(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitudes and longitudes (N,) in degrees, in the order of rows."""

    @property
    @abstractmethod
    def heading_deg(self) -> NDArray[np.float64]:
        """(N,) where the cameras looked, degrees clockwise from north, NaN where unknown."""

    @property
    @abstractmethod
    def taken_s(self) -> NDArray[np.float64]:
        """(N,) whole seconds since 1970 when the photos were taken, NaN where unknown.

        A camera's own clock, of no known zone, counts as it stands.
        """

    @abstractmethod
    def photos(self, rows: ArrayLike | None = None) -> list[IndexedPhoto]:
        """Return number, name and position of the photos at ``rows``, of every photo by default, in order."""

    @abstractmethod
    def records(self) -> list[PhotoRecord]:
        """Return all that is known of every photo, in the order of rows."""

    @property
    @abstractmethod
    def stored_records(self) -> StoredRecords:
        """The records, for those who change the index."""

    @abstractmethod
    def folders(self) -> dict[int, Folder]:
        """Return the folders that the photos are in, by the number that records tell."""

    @abstractmethod
    def path_of(self, photo_id: int) -> Path | None:
        """Return where a photo's file was when it was indexed; None where nobody said, or no such photo is.

        It may have moved since.
        """

    @property
    def has_thumbnails(self) -> bool:
        """Whether the index's owner lets its photos be shown, by thumbnails; folders alone keep them."""
        return False

    def thumbnail(self, photo_id: int) -> bytes | None:  # noqa: ARG002
        """Return a small JPEG of an indexed photo; None where there is none, or no such photo is."""
        return None

    @property
    def content_hashes(self) -> list[str]:
        """The content hash of every photo, in the order of rows."""
        return self.stored_records.texts("content_hash")

    def find_hashes(self, hashes: Sequence[str]) -> dict[str, str]:
        """Return, for those content hashes that are indexed, the name of the (first) photo that has it."""
        return {each: record.photo for each, record in self.stored_records.of_hashes(hashes).items()}

    @abstractmethod
    def derived(self, name: str) -> Path | None:
        """Return the file of something that was worked out from the index; None where there is none."""

    @abstractmethod
    def note(self, name: str) -> str | None:
        """Return the text of a derived JSON file of this generation; None where there is none."""

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """Return what the index is made of, as JSON values; positions in degrees, None for an empty index."""


class RecordsChange(Protocol):
    """The records of an index as a change will leave them."""

    def insert(self, records: Iterable[PhotoRecord]) -> None:
        """Enter photos; each needs a row, and a name in its folder, of its own."""
        ...

    def delete(self, ids: Iterable[int]) -> None:
        """Take photos out."""
        ...

    def folder(self, root: str | None, source: str | None) -> int:
        """Return the number of the folder at ``root``, entered if it is new.

        A folder whose photos were named one by one so far takes the ``source``.
        """
        ...

    def next_id(self) -> int:
        """Return the first number for new photos."""
        ...

    def with_hashes(self, hashes: Iterable[str]) -> Iterable[PhotoRecord]:
        """Return the photos that have one of these contents, those entered here among them."""
        ...

    def has_name(self, folder: int, photo: str) -> bool:
        """Tell whether a folder has a photo of that name."""
        ...


class Change(ABC):
    """A change of an index that is being made; without ``commit``, nothing happens.

    Attributes:
        index: as it is before.
        generation: that the index has afterwards.
    """

    index: Index
    generation: int

    @property
    def folder(self) -> Path:
        """The index folder."""
        return self.index.path

    @property
    def work(self) -> Path:
        """A folder for work that is kept when the change is killed; whoever makes it removes it."""
        return self.folder / WORK

    @property
    def thumbnail_px(self) -> int | None:
        """The longest side of the thumbnails that the index then has; None where it has none."""
        return None

    @property
    @abstractmethod
    def records(self) -> RecordsChange:
        """The records as they will be."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """The row of the next descriptor that is stored."""

    @abstractmethod
    def append(self, descriptors: Matrix, rows: NDArray[np.int64] | None = None) -> int:
        """Store descriptors (M, D), or those at ``rows`` of them, and return the first one's row.

        Raises:
            IndexStoreError: they are of another length than the index's, hold numbers that can't be stored,
                or can't be written.
        """

    def append_described(self, descriptors: Matrix) -> int:
        """Store descriptors (M, D) as the index's model makes them, whitened where the index is.

        Raises:
            IndexStoreError: as for ``append``.
        """
        return self.append(descriptors)

    @abstractmethod
    def put(self, name: str, suffix: str, writer: Callable[[Path], None]) -> None:
        """Keep a file of something that was worked out from the index, in place of an earlier one.

        Args:
            name: "calibration" or the like: lower-case letters, digits and hyphens.
            suffix: of the file, ".json".
            writer: called with the path to write to.

        Raises:
            IndexStoreError: it can't be written.
        """

    @abstractmethod
    def commit(self) -> Index:
        """Make the change and open the index as it then is.

        Raises:
            IndexStoreError: something can't be stored; the message tells how the index is then.
        """
