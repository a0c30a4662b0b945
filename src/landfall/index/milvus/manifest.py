"""The manifest of an index whose photos lie in Milvus. Its folder holds the model and what was worked out."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from landfall.errors import IndexStoreError
from landfall.index.manifest import MANIFEST, FileEntry, damaged
from landfall.index.milvus.vector_index import IndexChoice, Kind
from landfall.index.records import Folder
from landfall.models.card import ModelCard

FORMAT = 1


class KeptFolder(BaseModel):
    """A folder that indexed photos are in; ``records.Folder`` as the manifest tells it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    root: str | None
    source: str | None


class MilvusManifest(BaseModel):
    """What such an index is made of.

    Args:
        store: the collection's address.
        index_id: that the collection tells of itself, so that no other one is taken for it.
        format: version of the folder's layout and the collection's fields.
        created_by: the program and version that wrote it.
        generation: 1 for a new index, one more with every change.
        photos: how many there were after the last change.
        descriptor_dim: D.
        descriptor_dtype: that photos are described in; a server without half precision holds the same numbers
            in float32.
        half: whether the collection holds them in half precision.
        model: the card of the model, whose file travels in the folder.
        root: the folder of the photos, where all are of one.
        folders: all folders that photos are of.
        vector_index: the kind of the collection's vector index.
        vector_parameters: that it was built with.
        derived: what was worked out from the index, such as a calibration, by name: its file.
        files: every other file by its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: str
    index_id: str
    format: int = FORMAT
    created_by: str
    generation: int = Field(ge=1)
    photos: int = Field(ge=0)
    descriptor_dim: int = Field(ge=1)
    descriptor_dtype: Literal["float32", "float16"]
    half: bool
    model: ModelCard
    root: str | None
    folders: tuple[KeptFolder, ...]
    vector_index: Kind
    vector_parameters: dict[str, int]
    derived: dict[str, str] = Field(default_factory=dict)
    files: dict[str, FileEntry]

    @property
    def shown_files(self) -> set[str]:
        """None: a store keeps no thumbnails."""
        return set()

    @property
    def tops(self) -> set[str]:
        """The names that the files and folders of files have in the index folder."""
        return {PurePosixPath(name).parts[0] for name in self.files}

    @property
    def choice(self) -> IndexChoice:
        """The vector index."""
        return IndexChoice(self.vector_index, self.vector_parameters, "as it was made")

    def folders_by_id(self) -> dict[int, Folder]:
        """Return the folders by number."""
        return {each.id: Folder(each.id, each.root, each.source) for each in self.folders}

    def ids_by_root(self) -> dict[str | None, int]:
        """Return the numbers of folders by where they are."""
        return {each.root: each.id for each in self.folders}


def read_milvus_manifest(folder: Path) -> MilvusManifest:
    """Read the manifest of such an index.

    Raises:
        IndexStoreError: it is of a newer format, or damaged.
    """
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        found = told["format"]
        if isinstance(found, int) and found > FORMAT:
            raise IndexStoreError(
                f"{folder} is an index in Milvus of format {found}; this Landfall reads up to "
                f"format {FORMAT}. Update Landfall to open it."
            )
        return MilvusManifest.model_validate(told)
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise damaged(path, str(error).splitlines()[0]) from error
