"""New files of thumbnails: filled as the pictures are made, or joined from earlier ones."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType

from landfall.errors import IndexStoreError
from landfall.files import written_beside
from landfall.index.sqlite_file import uri_of

_TABLE = "CREATE TABLE IF NOT EXISTS thumbnails (content_hash TEXT PRIMARY KEY NOT NULL, jpeg BLOB NOT NULL)"
_LIVE = "content_hash IN (SELECT content_hash FROM records.photos)"


class ThumbnailsWriting:
    """A file of thumbnails that is being filled; one that is there already is gone on with.

    What ``put`` has kept outlives a kill and a power failure.

    Args:
        path: the file.

    Raises:
        IndexStoreError: it can't be written; from every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _told(path):
            _make_own(path)
            self._connection = sqlite3.connect(path, check_same_thread=False)
            try:
                self._connection.execute(_TABLE)
                self._connection.commit()
            except BaseException:
                self._connection.close()
                raise

    def held(self, hashes: Sequence[str]) -> set[str]:
        """Return those of some hundred content hashes that a picture is there of."""
        marks = ", ".join("?" for _ in hashes)
        with _told(self.path):
            found = self._connection.execute(
                f"SELECT content_hash FROM thumbnails WHERE content_hash IN ({marks})", list(hashes)
            )
            return {each for (each,) in found}

    def put(self, pictures: Iterable[tuple[str, bytes]]) -> None:
        """Keep pictures, content hash and JPEG; one that is there already stays."""
        with _told(self.path), self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO thumbnails VALUES (?, ?)", pictures)

    def close(self) -> None:
        """Close the file as it is."""
        self._connection.close()

    def __enter__(self) -> ThumbnailsWriting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def join_thumbnails(parts: Sequence[Path], records: Path, path: Path) -> int:
    """Write the pictures of several files to a new one, without the dead ones; return how many.

    Args:
        parts: finished files, of which the last one's picture of a photo counts.
        records: the photos whose pictures are kept.
        path: the new file.

    Raises:
        IndexStoreError: a file can't be read or written.
    """
    path.unlink(missing_ok=True)
    with _told(path), closing(sqlite3.connect(path, uri=True, isolation_level=None)) as connection:
        # A half-written file is thrown away whole, so nothing has to be undone or waited for.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_TABLE)
        connection.execute("ATTACH ? AS records", [uri_of(records)])
        for part in reversed(parts):
            connection.execute("ATTACH ? AS part", [uri_of(part)])
            connection.execute(
                "INSERT OR IGNORE INTO main.thumbnails "
                f"SELECT content_hash, jpeg FROM part.thumbnails WHERE {_LIVE} ORDER BY rowid"
            )
            connection.execute("DETACH part")
        return int(connection.execute("SELECT count(*) FROM main.thumbnails").fetchone()[0])


def count_thumbnails(path: Path) -> int:
    """Return how many pictures a file has."""
    with _told(path), closing(sqlite3.connect(uri_of(path), uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM thumbnails").fetchone()[0])


def has_dead_thumbnails(parts: Sequence[Path], records: Path) -> bool:
    """Tell whether a file has a picture that no photo has any more."""
    for part in parts:
        with _told(part), closing(sqlite3.connect(uri_of(part), uri=True)) as connection:
            connection.execute("ATTACH ? AS records", [uri_of(records)])
            if connection.execute(f"SELECT 1 FROM thumbnails WHERE NOT {_LIVE} LIMIT 1").fetchone():
                return True
    return False


def _make_own(path: Path) -> None:
    """Copy a file that a commit has linked to, so that what goes into it from now on is not in the index."""
    if path.exists() and path.stat().st_nlink > 1:
        with written_beside(path) as working:
            shutil.copyfile(path, working)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell of what SQLite refuses as of something that the user can do something about."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise IndexStoreError(
            f"{path} can't be written ({error}). The index is as it was; look at the disk and try again."
        ) from error
