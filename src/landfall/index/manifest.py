"""The manifest of an index folder: what it is made of. Where it stands, the index is whole.

No other file of an index is ever changed after it was committed. A change makes new files, named by their
*generation*, and replaces the manifest by a rename; ``docs/index_format.md`` tells the whole of it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from landfall.errors import IndexStoreError
from landfall.files import hash_stream, sync_folder, write_text
from landfall.models.card import ModelCard

# What is read; an index is written in the oldest format that says what it holds.
NEWEST_FORMAT = 3
FORMAT, _FORMAT_WITH_THUMBNAILS = 2, 3
MANIFEST = "manifest.json"
MODEL = "model.safetensors"
LOCK = "lock"
# What a search goes through where it doesn't look at every row: a derived folder.
SEARCH = "search"
# How the model's descriptors are whitened before they are stored or searched, where they are: a derived file.
WHITENING = "whitening"

# Opening an index checks the hashes of files up to this size, and the lengths of all.
HASHED_ON_OPENING_BYTES = 32 * 2**20

# An index of format 1 has one file of each kind, under these names.
_PHOTOS_1, _DESCRIPTORS_1 = "photos.sqlite", "descriptors.npy"
_OF_A_GENERATION = re.compile(r".+-\d{6,}(?:\.\d+)?(?:\.[^.]+)?(?:\.tmp|-journal)?")


def file_of(name: str, generation: int, suffix: str, number: int = 0) -> str:
    """Return the file name of a part made in a generation; ``number`` tells several of one kind apart."""
    return f"{name}-{generation:06d}{f'.{number}' if number else ''}{suffix}"


def photos_file(generation: int) -> str:
    """Return the name of the file of records made in a generation."""
    return file_of("photos", generation, ".sqlite")


def descriptors_file(generation: int, number: int = 0) -> str:
    """Return the name of a segment made in a generation."""
    return file_of("descriptors", generation, ".npy", number)


def thumbnails_file(generation: int, number: int = 0) -> str:
    """Return the name of a segment of thumbnails made in a generation."""
    return file_of("thumbnails", generation, ".sqlite", number)


class FileEntry(BaseModel):
    """A file of the index as it was written: its length and the blake2b-128 of its bytes, in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int = Field(ge=0)
    blake2b: str = Field(pattern="^[0-9a-f]{32}$")


class Segment(BaseModel):
    """A ``.npy`` file of descriptors, and how many rows it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    rows: int = Field(ge=0)


class ThumbnailSegment(BaseModel):
    """A file of thumbnails, and how many it has, those of removed photos among them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    pictures: int = Field(ge=0)


class Thumbnails(BaseModel):
    """The thumbnails of an index that may show its photos.

    Args:
        longest_side_px: of those that are made.
        segments: the files that hold them, the newest last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest_side_px: int = Field(ge=1)
    segments: tuple[ThumbnailSegment, ...] = ()

    @property
    def files(self) -> set[str]:
        """The names of the files that hold them."""
        return {segment.file for segment in self.segments}

    @property
    def pictures(self) -> int:
        """How many are stored, those of removed photos among them."""
        return sum(segment.pictures for segment in self.segments)


class Manifest(BaseModel):
    """What an index is made of.

    Args:
        format: version of the folder's layout.
        created_by: the program and version that wrote it.
        generation: 1 for a new index, one more with every change.
        numbering: the generation in which stored rows were last numbered anew; a derived file that holds row
            numbers of another numbering is of no use.
        photos: N, how many are indexed.
        descriptor_dim: D.
        descriptor_dtype: of the numbers stored; searches compute in float32.
        model: the card of the model, whose file travels in the folder.
        root: the folder of the photos when they were indexed, where all are of one; a hint, it may have
            moved.
        records: the file that says what is known of each photo.
        segments: the files of descriptors; a photo's stored row counts through them in this order.
        thumbnails: of the photos, where the owner lets them be shown; None where not.
        derived: what was worked out from the index, such as a calibration, by name: its file or folder.
        files: every other file by its name, that of its folder before it where it lies in one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    created_by: str
    generation: int = Field(ge=0)
    numbering: int = Field(ge=0)
    photos: int = Field(ge=0)
    descriptor_dim: int = Field(ge=1)
    descriptor_dtype: Literal["float32", "float16"]
    model: ModelCard
    root: str | None
    records: str
    segments: tuple[Segment, ...]
    thumbnails: Thumbnails | None = None
    derived: dict[str, str] = Field(default_factory=dict)
    files: dict[str, FileEntry]

    @model_serializer(mode="wrap")
    def _without_thumbnails(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave thumbnails out where there are none: a Landfall that knows none takes the manifest, too."""
        told: dict[str, Any] = serialise(self)
        if self.thumbnails is None:
            del told["thumbnails"]
        return told

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = {self.records, *(segment.file for segment in self.segments), *self.derived.values()}
        named |= self.shown_files
        if unlisted := sorted(named - set(self.files) - self.tops):
            raise ValueError(f"{', '.join(unlisted)} is named and not among the files")
        if any(not _lies_inside(name) for name in self.files):
            raise ValueError("a file lies outside the folder")
        if self.photos > self.rows:
            raise ValueError(f"{self.photos} photos can't share {self.rows} descriptors")
        return self

    @property
    def shown_files(self) -> set[str]:
        """The names of the files of thumbnails."""
        return set() if self.thumbnails is None else self.thumbnails.files

    @property
    def tops(self) -> set[str]:
        """The names that the files and folders of files have in the index folder."""
        return {PurePosixPath(name).parts[0] for name in self.files}

    @property
    def rows(self) -> int:
        """How many descriptors are stored, those of removed photos among them."""
        return sum(segment.rows for segment in self.segments)

    @property
    def dead_rows(self) -> int:
        """How many stored descriptors belong to no photo any more."""
        return self.rows - self.photos


def format_for(thumbnails: Thumbnails | None) -> int:
    """Return the oldest format that says what an index holds."""
    return FORMAT if thumbnails is None else _FORMAT_WITH_THUMBNAILS


def entry_of(path: Path) -> FileEntry:
    """Return the length and hash of a file's bytes."""
    with path.open("rb") as file:
        return FileEntry(bytes=path.stat().st_size, blake2b=hash_stream(file))


class OfFiles(Protocol):
    """A manifest, as far as it tells of the files of an index folder."""

    @property
    def files(self) -> dict[str, FileEntry]:
        """Every file but the manifest by its name."""
        ...

    @property
    def shown_files(self) -> set[str]:
        """The names of the files of thumbnails."""
        ...

    @property
    def tops(self) -> set[str]:
        """The names that the files and folders of files have in the index folder."""
        ...


def write_manifest(folder: Path, manifest: BaseModel) -> None:
    """Write the manifest beside its place and rename it there: the moment a generation comes to be.

    What it names must be on the disk; the names of those files are brought there first, and its own last.
    """
    sync_folder(folder)
    write_text(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n", durable=True)
    sync_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder that has one.

    Raises:
        IndexStoreError: it is of a newer format, or damaged.
    """
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if "store" in told:
            raise IndexStoreError(
                f"{folder} keeps its photos in {told['store']}, and this can only be done with an index that "
                "lies in its folder. docs/milvus.md tells what can be done with the other kind."
            )
        found = told["format"]
        if isinstance(found, int) and found > NEWEST_FORMAT:
            raise IndexStoreError(
                f"{folder} is an index of format {found}, by {told.get('created_by', 'a newer one')}; this "
                f"Landfall reads up to format {NEWEST_FORMAT}. Update Landfall to open it."
            )
        return Manifest.model_validate(_of_format_1(told) if found == 1 else told)
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise damaged(path, str(error).splitlines()[0]) from error


def store_of(folder: Path) -> str | None:
    """Return the address of the store that an index keeps its photos in; None where it is the folder.

    Raises:
        IndexStoreError: the manifest can't be read.
    """
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        store = told.get("store")
    except (OSError, ValueError, AttributeError) as error:
        raise damaged(path, str(error)) from error
    return None if store is None else str(store)


def check_files(folder: Path, manifest: OfFiles) -> None:
    """Look whether every file of an index is there and, as far as that is quick, as it was written.

    Raises:
        IndexStoreError: one is missing, has another length, or (up to a size) another hash.
    """
    shown = manifest.shown_files
    for name, entry in manifest.files.items():
        # Answers don't rest on thumbnails, and many opened indexes never show one.
        hashed_up_to_bytes = -1 if name in shown else HASHED_ON_OPENING_BYTES
        if reason := what_is_wrong(folder / name, entry, hashed_up_to_bytes=hashed_up_to_bytes):
            raise damaged(folder / name, reason)


def what_is_wrong(path: Path, entry: FileEntry, *, hashed_up_to_bytes: float) -> str | None:
    """Return in words how a file differs from what was written; None where it does not."""
    try:
        found = path.stat().st_size
        if found != entry.bytes:
            return f"it has {found} bytes, not the {entry.bytes} that were written"
        if entry.bytes <= hashed_up_to_bytes and entry_of(path) != entry:
            return "its bytes are not those that were written"
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return error.strerror or str(error)
    return None


def leftovers(folder: Path, manifest: OfFiles) -> list[Path]:
    """Return the files of earlier or unfinished generations that the manifest does not name.

    Only names that a generation gives count: what somebody else put into the folder stays.
    """
    return [
        path
        for path in folder.iterdir()
        if path.name not in manifest.tops
        and (path.name in (_PHOTOS_1, _DESCRIPTORS_1) or _OF_A_GENERATION.fullmatch(path.name))
    ]


def damaged(path: Path, what: str) -> IndexStoreError:
    """Return the error that tells of a damaged file, to be raised."""
    return IndexStoreError(
        f"{path} is damaged: {what}. Copy the index again from where it came, or build it anew."
    )


def _lies_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and 1 <= len(path.parts) <= 2 and ".." not in path.parts


def _of_format_1(told: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest of format 1, which had one file of each kind, in today's words."""
    return {
        **told,
        "generation": 0,
        "numbering": 0,
        "records": _PHOTOS_1,
        "segments": [{"file": _DESCRIPTORS_1, "rows": told["photos"]}],
    }
