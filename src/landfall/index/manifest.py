"""The manifest of an index folder: what it is made of. Where it stands, the index is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from landfall.errors import IndexStoreError
from landfall.files import hash_stream, write_text
from landfall.models.card import ModelCard

FORMAT = 1
MANIFEST = "manifest.json"
PHOTOS = "photos.sqlite"
DESCRIPTORS = "descriptors.npy"
MODEL = "model.safetensors"

# Opening an index checks the hashes of files up to this size, and the lengths of all.
HASHED_ON_OPENING_BYTES = 32 * 2**20


class FileEntry(BaseModel):
    """A file of the index as it was written: its length and the blake2b-128 of its bytes, in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int = Field(ge=0)
    blake2b: str = Field(pattern="^[0-9a-f]{32}$")


class Manifest(BaseModel):
    """What an index is made of.

    Args:
        format: version of the folder's layout.
        created_by: the program and version that wrote it.
        photos: N, how many are indexed.
        descriptor_dim: D.
        descriptor_dtype: of the numbers stored; searches compute in float32.
        model: the card of the model, whose file travels in the folder.
        root: the folder that the photos were in when they were indexed; a hint, for it may have moved.
        files: every other file of the folder by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    created_by: str
    photos: int = Field(ge=0)
    descriptor_dim: int = Field(ge=1)
    descriptor_dtype: Literal["float32", "float16"]
    model: ModelCard
    root: str | None
    files: dict[str, FileEntry]


def entry_of(path: Path) -> FileEntry:
    """Return the length and hash of a file's bytes."""
    with path.open("rb") as file:
        return FileEntry(bytes=path.stat().st_size, blake2b=hash_stream(file))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest beside its place and rename it there: the moment an index comes to be."""
    write_text(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n", durable=True)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder that has one.

    Raises:
        IndexStoreError: it is of a newer format, or damaged.
    """
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        found = told["format"]
        if isinstance(found, int) and found > FORMAT:
            raise IndexStoreError(
                f"{folder} is an index of format {found}, by {told.get('created_by', 'a newer one')}; this "
                f"Landfall reads up to format {FORMAT}. Update Landfall to open it."
            )
        return Manifest.model_validate(told)
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def check_files(folder: Path, manifest: Manifest) -> None:
    """Look whether every file of an index is there and, as far as that is quick, as it was written.

    Raises:
        IndexStoreError: one is missing, has another length, or (up to a size) another hash.
    """
    for name, entry in manifest.files.items():
        path = folder / name
        try:
            found = path.stat().st_size
            if found != entry.bytes:
                raise _damaged(path, f"it has {found} bytes, not the {entry.bytes} that were written")
            if entry.bytes <= HASHED_ON_OPENING_BYTES and entry_of(path) != entry:
                raise _damaged(path, "its bytes are not those that were written")
        except FileNotFoundError as error:
            raise _damaged(path, "it is missing") from error
        except OSError as error:
            raise _damaged(path, error.strerror or str(error)) from error


def _damaged(path: Path, what: str) -> IndexStoreError:
    return IndexStoreError(
        f"{path} is damaged: {what}. Copy the index again from where it came, or build it anew."
    )
