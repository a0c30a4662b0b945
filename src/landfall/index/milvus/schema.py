"""What a collection holds of each photo, and the way there and back.

Every entity is whole: the collection alone says where each photo was and what it looks like. Conditions are
on numbers only, so that nothing a person named ever becomes part of an expression.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError
from landfall.index.among import seconds_of
from landfall.index.records import PhotoRecord

Kind = Literal["INT64", "INT32", "DOUBLE", "VARCHAR"]

# The server refuses longer vectors.
MOST_DIMENSIONS = 32_768
VECTOR = "vector"
# Stands for "unknown" where a column is of numbers; older servers have no NULL, and newer ones no NaN.
UNKNOWN = -9e18
UNKNOWN_DIRECTION = -1.0
# JSON readers that know doubles alone, as browsers do, keep integers of this many bits.
ID_BITS = 53
_KEY_BITS = 63
# A path on Linux is no longer.
_MOST_NAME_BYTES = 4096


@dataclass(frozen=True)
class Field:
    """A scalar field of the collection."""

    name: str
    kind: Kind
    most_bytes: int | None = None


FIELDS = (
    Field("id", "INT64"),
    Field("photo", "VARCHAR", _MOST_NAME_BYTES),
    Field("root", "VARCHAR", _MOST_NAME_BYTES),
    Field("root_key", "INT64"),
    Field("content_hash", "VARCHAR", 64),
    Field("content_key", "INT64"),
    Field("lat", "DOUBLE"),
    Field("lon", "DOUBLE"),
    Field("altitude_m", "DOUBLE"),
    Field("heading_deg", "DOUBLE"),
    Field("direction_deg", "DOUBLE"),
    Field("taken_at", "VARCHAR", 64),
    Field("taken_s", "DOUBLE"),
    Field("bytes", "INT64"),
    Field("width", "INT32"),
    Field("height", "INT32"),
    Field("mtime_ns", "INT64"),
)
SCALARS = tuple(field.name for field in FIELDS)


def photo_id(root: str | None, photo: str) -> int:
    """Return the number of a photo: a function of its folder and name, so that storing it again is no copy.

    53 bits of BLAKE2b: ten million photos have two of one number with a chance of 1 in 180, and the second
    is then refused by name.
    """
    return _hashed("\0".join(("" if root is None else f"/{root}", photo)), ID_BITS)


def key_of(text: str | None) -> int:
    """Return a number that stands for a text in conditions; callers compare the text itself, too."""
    return _hashed("" if text is None else f"/{text}", _KEY_BITS)


def entity_of(record: PhotoRecord, root: str | None, vector: NDArray[np.floating]) -> dict[str, Any]:
    """Return a photo as the collection takes it.

    Raises:
        IndexStoreError: its name or folder is too long.
    """
    for text in (record.photo, root or ""):
        if len(text.encode(errors="surrogatepass")) > _MOST_NAME_BYTES:
            raise IndexStoreError(
                f"{text[:80]}...: a name of more than {_MOST_NAME_BYTES} bytes can't be stored in Milvus. "
                "Rename it."
            )
    heading = _number(record.heading_deg)
    return {
        "id": record.id,
        "photo": record.photo,
        "root": "" if root is None else root,
        "root_key": key_of(root),
        "content_hash": record.content_hash,
        "content_key": key_of(record.content_hash),
        "lat": record.lat,
        "lon": record.lon,
        "altitude_m": _number(record.altitude_m),
        "heading_deg": heading,
        "direction_deg": UNKNOWN_DIRECTION if heading == UNKNOWN else heading % 360.0,
        "taken_at": "" if record.taken_at is None else record.taken_at.isoformat(),
        "taken_s": UNKNOWN if record.taken_at is None else float(math.floor(seconds_of(record.taken_at))),
        "bytes": record.bytes,
        "width": record.width,
        "height": record.height,
        "mtime_ns": int(UNKNOWN) if record.mtime_ns is None else record.mtime_ns,
        VECTOR: vector,
    }


def record_of(entity: Mapping[str, Any], folder: int, row: int = -1) -> PhotoRecord:
    """Return what an entity tells of its photo."""
    return PhotoRecord(
        id=int(entity["id"]),
        photo=entity["photo"],
        content_hash=entity["content_hash"],
        lat=float(entity["lat"]),
        lon=float(entity["lon"]),
        altitude_m=_known(entity["altitude_m"]),
        heading_deg=_known(entity["heading_deg"]),
        taken_at=datetime.fromisoformat(entity["taken_at"]) if entity["taken_at"] else None,
        bytes=int(entity["bytes"]),
        width=int(entity["width"]),
        height=int(entity["height"]),
        row=row,
        folder=folder,
        mtime_ns=None if entity["mtime_ns"] == int(UNKNOWN) else int(entity["mtime_ns"]),
    )


def root_of(entity: Mapping[str, Any]) -> str | None:
    """Return the folder that a photo is in; None where nobody said."""
    return str(entity["root"]) or None


def check_dimensions(dim: int) -> None:
    """Refuse descriptors that Milvus can't hold.

    Raises:
        IndexStoreError: they are too long.
    """
    if not 2 <= dim <= MOST_DIMENSIONS:
        raise IndexStoreError(
            f"The model's descriptors have {dim} numbers, and Milvus takes 2 to {MOST_DIMENSIONS}. Shorten "
            "them by a model with whitening, or build an index in a folder (leave out --store)."
        )


def _number(value: float | None) -> float:
    return UNKNOWN if value is None or math.isnan(value) else float(value)


def _known(value: float) -> float | None:
    return None if value == UNKNOWN else float(value)


def _hashed(text: str, bits: int) -> int:
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - bits)
