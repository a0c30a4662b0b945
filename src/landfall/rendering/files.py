"""Writing what was drawn, so that a reader never meets half a file."""

from __future__ import annotations

from pathlib import Path

from landfall.files import write_bytes


def write_output(path: Path, content: bytes | str) -> None:
    """Write beside ``path`` and rename; text is UTF-8 with line feeds. Missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content.encode() if isinstance(content, str) else content)
