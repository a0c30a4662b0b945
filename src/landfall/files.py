"""Files on disk: written whole or not at all, held by one process at a time, told apart by their content.

What is written stands beside its place first, as ``NAME.tmp``, and is renamed when it is complete: a reader,
or the next run after a kill, finds the old file or the new one and never half of one. A link stays, and what
it leads to is replaced; a device or a pipe is written into as it stands. An error of the disk comes out as
the OSError that it is; the caller knows what the user can do about it and says so.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, Any


def beside(path: Path) -> Path:
    """Return where the file or folder ``path`` stands until it is complete."""
    return path.with_name(path.name + ".tmp")


@contextmanager
def written_beside(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give the place beside ``path`` to write to, and rename it to ``path`` at the end of the block.

    A block that raises leaves ``path`` as it was and nothing beside it. What a killed process left beside it
    is written over. Where ``path`` is a link, all this happens where it leads to. A device, a FIFO or another
    thing that is no file is given itself and neither replaced nor removed.

    Args:
        path: the file to be; its folder must be there. A new folder can be made in the same way.
        durable: bring the file to the disk before the rename, so that even a power failure can't leave an
            empty one under the name. It waits for the disk.

    Raises:
        OSError: it can't be written or renamed, or a folder stands beside it already.
    """
    target = _followed(path)
    if target is None:
        yield path
        return
    working = beside(target)
    if working.is_dir():
        # Not made here, so it must not go when the block fails.
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(working))
    try:
        yield working
        if durable:
            sync(working)
        working.replace(target)
    except BaseException:
        _remove(working)
        raise


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file as ``written_beside`` does."""
    with written_beside(path, durable=durable) as working:
        working.write_bytes(content)


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a file of UTF-8 text, its line ends as they are, as ``written_beside`` does."""
    write_bytes(path, text.encode(), durable=durable)


def write_json(path: Path, value: Any, *, durable: bool = False) -> None:
    """Write a value as a line of JSON, in bounded memory, as ``written_beside`` does."""
    with (
        written_beside(path, durable=durable) as working,
        working.open("w", encoding="utf-8") as file,
    ):
        json.dump(value, file, ensure_ascii=False)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is no file, or none that holds a whole object.

    Raises:
        OSError: it is there and can't be read.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def sync(path: Path) -> None:
    """Return when all that was written to a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Return when the names that were made, changed or removed in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hold(path: Path, busy: Exception) -> IO[str]:
    """Make the lock file ``path``, and its folder, and hold it until it is closed or the process dies.

    A holder that removes the file when it is done may do so between the two steps of another process, which
    then holds a file without a name: who removes locks must look for that after taking one.

    Args:
        path: the lock file.
        busy: what to raise where somebody else holds it.

    Raises:
        OSError: it can't be made or locked.
    """
    # Windows has no such module; what else is here must be importable there.
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise busy from None
    except BaseException:
        lock.close()
        raise
    return lock


def hash_bytes(content: bytes) -> str:
    """Return the 128-bit BLAKE2b of bytes, in hex: how Landfall tells whether two files are the same."""
    return _new_hash(content).hexdigest()


def hash_stream(stream: BufferedReader) -> str:
    """Return ``hash_bytes`` of the rest of a file that is open for reading, in bounded memory."""
    return hashlib.file_digest(stream, _new_hash).hexdigest()


def _new_hash(content: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(content, digest_size=16)


def _followed(path: Path) -> Path | None:
    """Return the file, folder or free place that ``path`` leads to; None where there is nothing to replace.

    Raises:
        OSError: links in a loop, or a folder on the way that can't be entered.
    """
    real = Path(os.path.realpath(path)) if path.is_symlink() else path
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return real
    # An open file that has no name any more is reached through /dev/fd alone.
    named = (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and real.exists()
    return real if named else None


def _remove(path: Path) -> None:
    """Remove a file or folder, if possible: the error that is on its way says more than one from here."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
