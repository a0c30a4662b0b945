"""The field's standard layout: ``<root>/images/<split>/{database,queries}`` with positions in ``@`` names.

A bare pair ``{database,queries}`` whose names carry positions is taken, too. A photo without a valid name is
looked at for EXIF.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from landfall.datasets.layouts.layout import Loaded, missing_of_pair, read_pair
from landfall.datasets.names import is_position_name


class StandardLayout:
    """``<root>/images/<split>/{database,queries}``."""

    name = "standard"
    looks_for = "images/<split>/{database,queries}, or database and queries with names @E@N@..."

    def missing(self, root: Path) -> str | None:
        """Return what ``root`` lacks, None if it is of this layout."""
        if not root.is_dir():
            return "it is no folder"
        if self.splits(root) or _is_named_pair(root):
            return None
        if not missing_of_pair(root):
            return "no name in its database starts with @"
        images = root / "images"
        if not images.is_dir():
            return "no folder images"
        halves = [
            f"{split.relative_to(root).as_posix()} has no folder {lacks[0]}"
            for split in sorted(images.iterdir())
            if split.is_dir() and len(lacks := missing_of_pair(split)) == 1
        ]
        return ", ".join(halves) or "no split in its folder images"

    def splits(self, root: Path) -> tuple[str, ...]:
        """Return the splits that have both folders, sorted; none for a bare pair."""
        images = root / "images"
        if not images.is_dir():
            return ()
        return tuple(sorted(split.name for split in images.iterdir() if not missing_of_pair(split)))

    def load(self, root: Path, split: str | None) -> Loaded:
        """Read one split, or the bare pair if there are no splits."""
        return read_pair(root if split is None else root / "images" / split, root)


def _is_named_pair(root: Path) -> bool:
    if missing_of_pair(root):
        return False
    # A look at the first files is enough to tell the layouts apart; loading names every bad one.
    below = (name for _, _, names in os.walk(root / "database") for name in names)
    return any(is_position_name(name) for name in islice(below, 1000))
