"""What an index knows of each photo, in one SQLite file.

A row of the table belongs to a row of the descriptors; ``id`` is the photo's number for as long as the index
lives, and is what a match and the outside world know it by.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from landfall.errors import IndexStoreError

# SQLite takes 999 variables in a statement in its older builds.
_VARIABLES = 900

_TABLE = """
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,
    photo TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL,
    lat REAL NOT NULL,
    lon REAL NOT NULL,
    altitude_m REAL,
    heading_deg REAL,
    taken_at TEXT,
    bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    "row" INTEGER NOT NULL UNIQUE
)
"""


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """An indexed photo.

    Args:
        id: its number in the index, unique.
        photo: its name, relative to the folder that was indexed, with forward slashes; unique.
        content_hash: of the file's bytes.
        lat, lon: where it was taken, degrees WGS84.
        altitude_m, heading_deg, taken_at: None where unknown.
        bytes: length of the file.
        width, height: pixels of the upright photo.
        row: its descriptor's row, 0 to N - 1, unique.
    """

    id: int
    photo: str
    content_hash: str
    lat: float
    lon: float
    altitude_m: float | None
    heading_deg: float | None
    taken_at: datetime | None
    bytes: int
    width: int
    height: int
    row: int


_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(PhotoRecord))


def write_records(path: Path, records: Iterable[PhotoRecord]) -> None:
    """Write a new file of records.

    Raises:
        IndexStoreError: two records share an id, a name or a row.
    """
    path.unlink(missing_ok=True)
    marks = ", ".join("?" for _ in fields(PhotoRecord))
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(_TABLE)
            connection.executemany(
                f"INSERT INTO photos ({_COLUMNS}) VALUES ({marks})",
                (_stored(record) for record in records),
            )
            connection.execute("CREATE INDEX photos_by_hash ON photos (content_hash)")
    except sqlite3.IntegrityError as error:
        raise IndexStoreError(
            f"The photos can't be indexed together ({error}): each needs an id, a name and a row of its own."
        ) from error


class Records:
    """A file of records, read only. Each call has a connection of its own, so threads may share this."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[PhotoRecord]:
        """Return every record in the order of descriptor rows."""
        return [_record(row) for row in self._select(f'SELECT {_COLUMNS} FROM photos ORDER BY "row"')]

    def columns(self, *names: str) -> list[tuple[Any, ...]]:
        """Return some columns of every record, in the order of descriptor rows, each as a tuple."""
        wanted = ", ".join(f'"{name}"' for name in names)
        rows = self._select(f'SELECT {wanted} FROM photos ORDER BY "row"')
        return list(zip(*rows, strict=True)) if rows else [() for _ in names]

    def names_of(self, hashes: Sequence[str]) -> dict[str, str]:
        """Return, for those content hashes that are indexed, the name of the (first) photo that has it."""
        names: dict[str, str] = {}
        for start in range(0, len(hashes), _VARIABLES):
            part = list(hashes[start : start + _VARIABLES])
            marks = ", ".join("?" for _ in part)
            found = self._select(
                f'SELECT content_hash, photo FROM photos WHERE content_hash IN ({marks}) ORDER BY "row"',
                part,
            )
            for content_hash, photo in found:
                names.setdefault(content_hash, photo)
        return names

    def _select(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
                return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise IndexStoreError(
                f"{self._path} can't be read ({error}). Copy the index again from where it came, or build it "
                "anew."
            ) from error


def _stored(record: PhotoRecord) -> tuple[Any, ...]:
    values = [value.isoformat() if isinstance(value, datetime) else value for value in astuple(record)]
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)


def _record(row: tuple[Any, ...]) -> PhotoRecord:
    values = dict(zip((field.name for field in fields(PhotoRecord)), row, strict=True))
    taken_at = values["taken_at"]
    return PhotoRecord(
        **{**values, "taken_at": None if taken_at is None else datetime.fromisoformat(taken_at)}
    )
