"""A new file of an index's records: written for a new index, or as a changed copy of an earlier one."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from itertools import islice
from pathlib import Path

from landfall.errors import IndexStoreError
from landfall.index.manifest import Manifest
from landfall.index.records import (
    COLUMNS,
    PhotoRecord,
    record_of,
    see_format_1,
    stored_values,
)
from landfall.index.sqlite_file import VARIABLES

# AUTOINCREMENT: the number of a removed photo is never given to another one.
_TABLES = """
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    root TEXT UNIQUE,
    source TEXT
);
CREATE TABLE photos (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    photo TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    lat REAL NOT NULL,
    lon REAL NOT NULL,
    altitude_m REAL,
    heading_deg REAL,
    taken_at TEXT,
    bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    "row" INTEGER NOT NULL UNIQUE,
    folder INTEGER NOT NULL REFERENCES folders (id),
    mtime_ns INTEGER,
    UNIQUE (photo, folder)
);
"""
_BY_HASH = "CREATE INDEX photos_by_hash ON photos (content_hash)"
_INSERT = f"INSERT INTO photos ({COLUMNS}) VALUES ({', '.join('?' for _ in fields(PhotoRecord))})"


def write_records(
    path: Path, records: Iterable[PhotoRecord], *, root: str | None = None, source: str | None = None
) -> None:
    """Write a new file of records of the photos of one folder, number 1.

    Raises:
        IndexStoreError: two records share an id, a name or a row.
    """
    path.unlink(missing_ok=True)
    with _told(path), closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_TABLES)
        connection.execute("INSERT INTO folders VALUES (1, ?, ?)", [root, source])
        connection.executemany(_INSERT, map(stored_values, records))
        connection.execute(_BY_HASH)


class RecordsEdit:
    """A changed copy of a file of records, in a file that nobody reads yet.

    Args:
        path: the file to be.
        earlier: the file that is copied; it stays as it is.
        manifest: that ``earlier`` belongs to.

    Raises:
        IndexStoreError: the copy can't be written; from every method.
    """

    def __init__(self, path: Path, earlier: Path, manifest: Manifest) -> None:
        self.path = path
        with _told(path):
            path.unlink(missing_ok=True)
            if manifest.format == 1:
                self._connection = self._open()
                self._rewrite(earlier, manifest.root)
            else:
                shutil.copyfile(earlier, path)
                self._connection = self._open()

    def insert(self, records: Iterable[PhotoRecord]) -> None:
        """Enter new photos; each needs an id, a row, and a name in its folder, of its own."""
        with _told(self.path):
            self._connection.executemany(_INSERT, map(stored_values, records))

    def delete(self, ids: Iterable[int]) -> None:
        """Take photos out; their rows are dead from then on."""
        with _told(self.path):
            self._connection.executemany("DELETE FROM photos WHERE id = ?", ((each,) for each in ids))

    def replace(self, records: Sequence[PhotoRecord]) -> None:
        """Change all that is known of photos that keep their ids, which may take each other's names."""
        self.delete(record.id for record in records)
        self.insert(records)

    def folder(self, root: str | None, source: str | None) -> int:
        """Return the number of the folder at ``root``, entered if it is new.

        A folder whose photos were named one by one so far takes the ``source``.
        """
        with _told(self.path):
            known = self._connection.execute("SELECT id, source FROM folders WHERE root IS ?", [root])
            found = known.fetchone()
            if found is None:
                made = self._connection.execute(
                    "INSERT INTO folders (root, source) VALUES (?, ?)", [root, source]
                )
                assert made.lastrowid is not None  # an INSERT always has one
                return made.lastrowid
            if found[1] is None and source is not None:
                self._connection.execute("UPDATE folders SET source = ? WHERE id = ?", [source, found[0]])
            return int(found[0])

    def next_id(self) -> int:
        """Return the first number that no photo has or ever had."""
        with _told(self.path):
            found = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'photos'")
            return int((found.fetchone() or (0,))[0]) + 1

    def with_hashes(self, hashes: Iterable[str]) -> Iterator[PhotoRecord]:
        """Yield the photos that have one of these contents, those entered here among them."""
        waiting = iter(hashes)
        while part := list(islice(waiting, VARIABLES)):
            marks = ", ".join("?" for _ in part)
            with _told(self.path):
                rows = self._connection.execute(
                    f"SELECT {COLUMNS} FROM photos WHERE content_hash IN ({marks})", part
                ).fetchall()
            yield from map(record_of, rows)

    def has_name(self, folder: int, photo: str) -> bool:
        """Tell whether a folder has a photo of that name."""
        with _told(self.path):
            asked = "SELECT 1 FROM photos WHERE photo = ? AND folder = ?"
            return self._connection.execute(asked, [photo, folder]).fetchone() is not None

    def renumber(self) -> None:
        """Give the photos the rows 0 to N - 1 in the order that they have."""
        with _told(self.path):
            self._connection.executescript(
                """
                CREATE TEMP TABLE renumbered AS
                    SELECT id, row_number() OVER (ORDER BY "row") - 1 AS fresh FROM photos;
                CREATE UNIQUE INDEX temp.renumbered_by_id ON renumbered (id);
                UPDATE photos SET "row" = -1 - "row";
                UPDATE photos SET "row" = (SELECT fresh FROM renumbered WHERE renumbered.id = photos.id);
                DROP TABLE renumbered;
                """
            )

    def finish(self, *, shrink: bool = False) -> tuple[int, int, str | None]:
        """Close the file, complete but not yet on the disk.

        Args:
            shrink: give back the room of what was taken out.

        Returns:
            how many photos there are, the last row in use (-1 where none is), and the one folder in use.
        """
        with _told(self.path):
            photos, last = self._connection.execute(
                'SELECT count(*), IFNULL(max("row"), -1) FROM photos'
            ).fetchone()
            used = "SELECT root FROM folders WHERE id IN (SELECT folder FROM photos)"
            roots = [root for (root,) in self._connection.execute(used)]
            self._connection.commit()
            if shrink:
                self._connection.execute("VACUUM")
            self.close()
        return int(photos), int(last), roots[0] if len(roots) == 1 else None

    def close(self) -> None:
        """Close the file as it is."""
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path)
        # A half-written copy is thrown away whole, so nothing has to be undone or waited for.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _rewrite(self, earlier: Path, root: str | None) -> None:
        connection = self._connection
        connection.executescript(_TABLES)
        connection.execute("ATTACH ? AS earlier", [str(earlier)])
        see_format_1(connection, "earlier", root)
        connection.execute("INSERT INTO main.folders SELECT * FROM temp.folders")
        connection.execute(
            f'INSERT INTO main.photos ({COLUMNS}) SELECT {COLUMNS} FROM temp.photos ORDER BY "row"'
        )
        connection.execute("DROP VIEW temp.photos")
        connection.execute("DROP TABLE temp.folders")
        connection.execute(_BY_HASH)
        connection.commit()
        connection.execute("DETACH earlier")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell of what SQLite refuses as of something that the user can do something about."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise IndexStoreError(
            f"The photos can't be indexed together ({error}): each needs an id, a row, and a name in its "
            "folder, of its own."
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise IndexStoreError(
            f"{path} can't be written ({error}). The index is as it was; look at the disk and try again."
        ) from error
