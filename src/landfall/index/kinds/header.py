"""The header of a structure's folder: what it is, which rows it covers, and its files' lengths."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from landfall.errors import IndexStoreError
from landfall.files import beside, sync, write_text, written_beside

HEADER = "structure.json"


class Header(BaseModel):
    """What a structure is.

    Args:
        format: version of the folder's layout.
        kind: its name in the registry.
        options: the kind's, with nothing left to derive.
        dim: D.
        covered: how many rows it knows, from row 0 on.
        fingerprint: of those rows.
        files: every other file of the folder and its length in bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    kind: str
    options: dict[str, Any]
    dim: int = Field(ge=1)
    covered: int = Field(ge=0)
    fingerprint: str
    files: dict[str, int] = Field(default_factory=dict)


def write_structure(folder: Path, header: Header, write: Callable[[Path], None]) -> None:
    """Write a structure's folder, as a whole or not at all.

    What a killed process left beside it is removed first: one process at a time may write it.

    Args:
        folder: not there yet.
        header: without its files.
        write: writes those into a folder.

    Raises:
        IndexStoreError: the folder is there, or can't be written.
    """
    if folder.exists():
        raise IndexStoreError(f"{folder} is there already. Choose another place, or delete it.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside(folder), ignore_errors=True)
        with written_beside(folder) as working:
            working.mkdir()
            write(working)
            files = {path.name: path.stat().st_size for path in sorted(working.iterdir())}
            for name in files:
                sync(working / name)
            whole = header.model_copy(update={"files": files})
            write_text(working / HEADER, whole.model_dump_json(indent=2), durable=True)
    except (OSError, RuntimeError) as error:  # faiss tells of a full disk by the second
        raise IndexStoreError(
            f"{folder} can't be written: {error}. Mend that and build the structure again."
        ) from error


def read_header(folder: Path) -> Header:
    """Read a folder's header, and check that its files are there at their lengths.

    Raises:
        IndexStoreError: there is none, it is of a newer format, or a file is missing or cut short.
    """
    path = folder / HEADER
    try:
        header = Header.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise IndexStoreError(
            f"{folder} holds no search structure: it has no {HEADER}. Build it anew."
        ) from None
    except (OSError, ValidationError) as error:
        raise IndexStoreError(
            f"{path} can't be used; it is damaged or of a newer Landfall ({error}). Build it anew."
        ) from error
    for name, length in header.files.items():
        file = folder / name
        found = file.stat().st_size if file.exists() else None
        if found != length:
            what = "is missing" if found is None else f"has {found} bytes instead of {length}"
            raise IndexStoreError(f"{file} {what}. Build the search structure anew.")
    return header
