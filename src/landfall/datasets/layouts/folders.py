"""Two bare folders, ``database/`` and ``queries/``, with photos of any name in any depth.

Positions come from ``@`` names where there are such, else from EXIF; photos with neither stay, unknown.
"""

from __future__ import annotations

from pathlib import Path

from landfall.datasets.layouts.layout import Loaded, missing_of_pair, read_pair


class FoldersLayout:
    """``<root>/{database,queries}``."""

    name = "folders"
    looks_for = "two folders, database and queries"

    def missing(self, root: Path) -> str | None:
        """Return which folder ``root`` lacks, None if it has both."""
        if not root.is_dir():
            return "it is no folder"
        lacks = missing_of_pair(root)
        return f"no folder {' and no folder '.join(lacks)}" if lacks else None

    def splits(self, root: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Return nothing: the two folders are all there is."""
        return ()

    def load(self, root: Path, split: str | None) -> Loaded:  # noqa: ARG002
        """Read both folders."""
        return read_pair(root, root)
