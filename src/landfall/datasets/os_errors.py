"""What the operating system refuses, told as every other trouble with a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from landfall.errors import DatasetError


@contextmanager
def os_errors_told(path: str | Path) -> Iterator[None]:
    """Turn an ``OSError`` met while ``path`` is read into a ``DatasetError`` that names the file."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"{error.filename or path} can't be read: {error.strerror or error}. "
            "Expected files and folders that may be read."
        ) from error
