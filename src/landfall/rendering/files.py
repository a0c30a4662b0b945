"""Writing what was drawn, so that a reader never meets half a file."""

from __future__ import annotations

from pathlib import Path

from landfall.errors import UsageError
from landfall.files import write_bytes


def write_output(path: Path, content: bytes | str) -> None:
    """Write beside ``path`` and rename; text is UTF-8 with line feeds. Missing folders are made.

    Raises:
        UsageError: the place can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file's name that is not UTF-8 comes with surrogates, which no UTF-8 text can hold.
        write_bytes(path, content.encode(errors="backslashreplace") if isinstance(content, str) else content)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}. Choose another.") from error
