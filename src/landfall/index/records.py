"""What an index knows of each photo, read from one SQLite file.

A row of the table belongs to a stored row of the descriptors; ``id`` is the photo's number for as long as the
index lives, is given to no other photo later, and is what a match and the outside world know it by.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.index.manifest import Manifest
from landfall.index.sqlite_file import SqliteFile

_PAGE = 4096
# Stands for NULL where a column becomes an array; no column holds it.
_NOTHING = "9e999"
# Seconds since 1970 of a time with a zone; a camera's own clock is taken as it stands.
SECONDS = "CAST(strftime('%s', taken_at) AS REAL)"


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """An indexed photo.

    Args:
        id: its number in the index, unique.
        photo: its name, relative to its folder, with forward slashes; unique in that folder.
        content_hash: of the file's bytes.
        lat, lon: where it was taken, degrees WGS84.
        altitude_m, heading_deg, taken_at: None where unknown.
        bytes: length of the file.
        width, height: pixels of the upright photo.
        row: its descriptor's row, unique.
        folder: the number of its folder.
        mtime_ns: when its file was last written, as the system tells it; None where unknown.
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
    folder: int = 1
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that indexed photos are in.

    Args:
        id: its number in the index.
        root: where it is; None where nobody said.
        source: what tells of its photos: the folder itself, or a CSV; None where they were named one by one.
    """

    id: int
    root: str | None
    source: str | None


COLUMNS = ", ".join(f'"{field.name}"' for field in fields(PhotoRecord))


class Records(SqliteFile):
    """A file of records, read only. Threads may share one.

    Args:
        folder: the index.
        manifest: of the generation that is read.

    Raises:
        IndexStoreError: the file is not there, or is damaged.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder / manifest.records, "photos")
        if manifest.format == 1:
            with self._told():
                see_format_1(self._connection, "main", manifest.root)

    def __len__(self) -> int:
        return int(self.select("SELECT count(*) FROM photos")[0][0])

    def all(self) -> Iterator[PhotoRecord]:
        """Yield every record in the order of stored rows, with some thousands in memory at a time."""
        after = -1
        page = f'SELECT {COLUMNS} FROM photos WHERE "row" > ? ORDER BY "row" LIMIT {_PAGE}'
        while rows := self.select(page, [after]):
            for record in map(record_of, rows):
                yield record
                after = record.row

    def folders(self) -> dict[int, Folder]:
        """Return the folders by number."""
        return {row[0]: Folder(*row) for row in self.select("SELECT id, root, source FROM folders")}

    def texts(self, column: str) -> list[str]:
        """Return a column of every photo, in the order of stored rows."""
        return [row[0] for row in self.select(f'SELECT "{column}" FROM photos ORDER BY "row"')]

    def numbers(self, *columns: str) -> list[NDArray[np.float64]]:
        """Return columns (N,) of numbers, or SQL expressions of them, in the order of stored rows.

        NaN stands for what is unknown. No Python object is made that lasts, so a million photos are a matter
        of a second.
        """
        wanted = ", ".join(f"IFNULL({column}, {_NOTHING})" for column in columns)
        kinds = [("row", np.int64), *((f"{at}", np.float64) for at in range(len(columns)))]
        with self._lock, self._told():
            cursor = self._connection.execute(f'SELECT "row", {wanted} FROM photos')
            table = np.fromiter(cursor, dtype=kinds)
        table = table[np.argsort(table["row"])]
        found = [np.ascontiguousarray(table[f"{at}"]) for at in range(len(columns))]
        for column in found:
            column[np.isinf(column)] = np.nan
        return found

    def rows(self) -> NDArray[np.int64]:
        """Return the stored rows (N,), ascending."""
        with self._lock, self._told():
            cursor = self._connection.execute('SELECT "row" FROM photos')
            return np.sort(np.fromiter((row for (row,) in cursor), dtype=np.int64))

    def at(self, stored: Sequence[int], columns: str) -> dict[int, tuple[Any, ...]]:
        """Return some columns of the photos at stored rows, by that row."""
        return {
            row[0]: row[1:]
            for row in self.select_in(f'SELECT "row", {columns} FROM photos WHERE "row"', stored)
        }

    def of_ids(self, ids: Sequence[int]) -> list[PhotoRecord]:
        """Return the records of those ids that are there."""
        return [record_of(row) for row in self.select_in(f"SELECT {COLUMNS} FROM photos WHERE id", ids)]

    def of_names(self, names: Sequence[str]) -> list[PhotoRecord]:
        """Return the records of those names that are there, in whatever folder."""
        return [record_of(row) for row in self.select_in(f"SELECT {COLUMNS} FROM photos WHERE photo", names)]

    def of_hashes(self, hashes: Sequence[str]) -> dict[str, PhotoRecord]:
        """Return the (first) record of those content hashes that are there."""
        rows = self.select_in(f"SELECT {COLUMNS} FROM photos WHERE content_hash", hashes)
        found: dict[str, PhotoRecord] = {}
        for record in sorted(map(record_of, rows), key=lambda each: each.row):
            found.setdefault(record.content_hash, record)
        return found

    def of_folder(self, folder: int) -> dict[str, PhotoRecord]:
        """Return the records of a folder's photos, by name."""
        rows = self.select(f"SELECT {COLUMNS} FROM photos WHERE folder = ?", [folder])
        return {record.photo: record for record in map(record_of, rows)}


def see_format_1(connection: sqlite3.Connection, schema: str, root: str | None) -> None:
    """Show a table of format 1, which knew one folder and no dates of files, as today's tables.

    Args:
        connection: the tables are made in its temporary schema, whose names come before others.
        schema: that the old table is in.
        root: the one folder.
    """
    old = COLUMNS.replace('"folder"', '1 AS "folder"').replace('"mtime_ns"', 'NULL AS "mtime_ns"')
    connection.execute(f"CREATE TEMP VIEW photos AS SELECT {old} FROM {schema}.photos")
    connection.execute("CREATE TEMP TABLE folders (id INTEGER PRIMARY KEY, root TEXT, source TEXT)")
    connection.execute("INSERT INTO temp.folders VALUES (1, ?, NULL)", [root])


def stored_values(record: PhotoRecord) -> tuple[Any, ...]:
    """Return a record as SQLite takes it."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in astuple(record)]
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)


_TAKEN_AT = [field.name for field in fields(PhotoRecord)].index("taken_at")


def record_of(row: tuple[Any, ...]) -> PhotoRecord:
    """Return the record of a row of ``COLUMNS``."""
    values = list(row)
    if values[_TAKEN_AT] is not None:
        values[_TAKEN_AT] = datetime.fromisoformat(values[_TAKEN_AT])
    return PhotoRecord(*values)
