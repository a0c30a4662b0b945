"""A folder of photos that know where they were taken, nested at will, of any mix of types.

All of them are the database; there are no queries. ``@`` names are heeded as everywhere.
"""

from __future__ import annotations

from pathlib import Path

from landfall.datasets.layouts.layout import Loaded, missing_of_pair, read_folder
from landfall.datasets.photo_set import PhotoSet
from landfall.photos import PHOTO_SUFFIXES, find_photos


class ExifLayout:
    """One folder of photos."""

    name = "exif"
    looks_for = f"photos ({', '.join(sorted(PHOTO_SUFFIXES))}) in a folder or below it"

    def missing(self, root: Path) -> str | None:
        """Return why ``root`` is no folder of photos, None if it is one.

        Half a pair or a folder of datasets is refused, lest a misspelt ``queries`` turn a benchmark into
        a mere pile of photos.
        """
        if not root.is_dir():
            return "it is no folder"
        if len(missing_of_pair(root)) < 2:
            return "it has a folder database or queries, so it is meant as another layout"
        if (root / "images").is_dir() and any(
            len(missing_of_pair(split)) < 2 for split in (root / "images").iterdir()
        ):
            return "it has images/<split>, so it is meant as another layout"
        datasets = sorted(entry.name for entry in root.iterdir() if (entry / "images").is_dir())
        if datasets:
            return f"it has datasets in it ({', '.join(datasets[:5])}); give one of them"
        found = find_photos(root)
        return None if found.names else f"no photos, and {found.other_files} other files"

    def splits(self, root: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Return nothing: a folder of photos is whole."""
        return ()

    def load(self, root: Path, split: str | None) -> Loaded:  # noqa: ARG002
        """Read all photos as the database."""
        database, problems, left_out = read_folder(root, root)
        return Loaded(database, PhotoSet.empty(root), problems, left_out)
