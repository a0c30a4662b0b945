"""A finished SQLite file of an index, read only."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any

from landfall.errors import IndexStoreError

# SQLite takes 999 variables in a statement in its older builds.
VARIABLES = 900


class SqliteFile:
    """A file that nobody changes any more. Threads may share one.

    It is opened at once and stays open: it can be read on when a later generation has removed it.

    Args:
        path: the file.
        table: that it must have.

    Raises:
        IndexStoreError: the file is not there, or is damaged.
    """

    def __init__(self, path: Path, table: str) -> None:
        self.path = path
        with self._told():
            self._connection = sqlite3.connect(
                uri_of(path), uri=True, check_same_thread=False, isolation_level=None
            )
            weakref.finalize(self, self._connection.close)
            self._connection.execute("PRAGMA temp_store = MEMORY")
            self._connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()
        # A connection is used by one thread at a time.
        self._lock = RLock()

    def select_in(self, statement: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield what a statement that ends in a column gives for values of that column."""
        waiting = iter(values)
        while part := list(islice(waiting, VARIABLES)):
            yield from self.select(f"{statement} IN ({', '.join('?' for _ in part)})", part)

    def select(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all that a statement gives."""
        with self._lock, self._told():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise IndexStoreError(
                f"{self.path} can't be read ({error}). Copy the index again from where it came, or build it "
                "anew."
            ) from error


def uri_of(path: Path) -> str:
    """Return how SQLite is asked for a finished file.

    Nobody changes it, so no lock is needed, and a folder that can't be written to will do.
    """
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"
