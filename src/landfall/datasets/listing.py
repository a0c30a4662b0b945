"""Photos to be indexed or described: everything found at a path, with what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landfall.datasets.locating import Located, locate
from landfall.datasets.os_errors import os_errors_told
from landfall.datasets.photo_set import PhotoSet
from landfall.datasets.table_columns import TABLE_SUFFIXES, read_head
from landfall.datasets.table_rows import read_rows
from landfall.errors import DatasetError
from landfall.photos import PHOTO_SUFFIXES, PhotoProblem, find_photos


@dataclass(frozen=True, eq=False)
class PhotoListing:
    """What was found at one path.

    Attributes:
        photos: every photo that may be used, those without a position among them (NaN rows).
        without_position: the photos of ``photos`` whose position is unknown, each with the reason. Nothing is
            wrong with them: an index skips them and counts its job as done.
        failed: what can't be used and is not in ``photos``: unreadable files, folders that can't be entered,
            links in a loop, bad rows of a table.
        other_files: how many files are no photos by their suffix.
        remarks: what of names or tables was left out, as fields that make no sense, rows that name a photo
            again and rows without the position that the photo itself gives; the photos are in ``photos``.
        is_table: whether a CSV listed them.
    """

    photos: PhotoSet
    without_position: tuple[PhotoProblem, ...] = ()
    failed: tuple[PhotoProblem, ...] = ()
    other_files: int = 0
    remarks: tuple[PhotoProblem, ...] = ()
    is_table: bool = False


def load_photos(path: str | Path, *, workers: int | None = None) -> PhotoListing:
    """List the photos at a path: a folder at any depth, a CSV (see ``layouts.table``), or one photo.

    A position comes from the table, else from an ``@`` name with a zone, else from EXIF. Metres with no zone
    are of no place on earth and count as no position here. Only photos whose position must come from EXIF
    are opened, so ``failed`` need not name every broken file.

    Args:
        path: a folder, a CSV file or a photo.
        workers: threads that read EXIF; some a core by default.

    Raises:
        DatasetError: nothing there, or neither folder, table nor photo, or a table that lacks columns.
    """
    with os_errors_told(path):
        return _load(Path(path).expanduser(), workers)


def load_named(root: Path, names: Sequence[str], *, workers: int | None = None) -> PhotoListing:
    """List photos below a folder that are named one by one; positions as in ``load_photos``.

    A name that stands for no file is in ``failed``.
    """
    there = [name for name in names if (root / name).is_file()]
    lost = [PhotoProblem(name, "no such file") for name in sorted(set(names) - set(there))]
    return _listing(locate(root, there, planar=False, workers=workers), tuple(lost), 0)


def _load(path: Path, workers: int | None) -> PhotoListing:
    if path.is_dir():
        return _of_folder(path, workers)
    if not path.exists():
        raise DatasetError(f"{path} does not exist; expected a folder of photos, a CSV file or a photo.")
    if path.suffix.lower() in TABLE_SUFFIXES:
        table = read_rows(read_head(path), planar=False, workers=workers)
        return PhotoListing(
            table.photos, table.without_position, table.failed, remarks=table.remarks, is_table=True
        )
    if path.suffix.lower() not in PHOTO_SUFFIXES:
        raise DatasetError(
            f"{path} is neither a folder, nor a table ({', '.join(TABLE_SUFFIXES)}), "
            f"nor a photo ({', '.join(sorted(PHOTO_SUFFIXES))})."
        )
    return _listing(locate(path.parent, [path.name], planar=False, workers=workers), (), 0)


def _of_folder(folder: Path, workers: int | None) -> PhotoListing:
    found = find_photos(folder)
    located = locate(folder, found.names, planar=False, workers=workers)
    return _listing(located, tuple(found.problems), found.other_files)


def _listing(located: Located, failed: tuple[PhotoProblem, ...], other_files: int) -> PhotoListing:
    names = located.photos.names
    readable = np.array([row not in located.failed for row in range(len(names))], dtype=np.bool_)

    def tell(reasons: dict[int, str]) -> tuple[PhotoProblem, ...]:
        return tuple(PhotoProblem(names[row], reason) for row, reason in sorted(reasons.items()))

    return PhotoListing(
        photos=located.photos.take(readable),
        without_position=tell(dict(located.without_position)),
        failed=failed + tell(dict(located.failed)),
        other_files=other_files,
        remarks=tell(dict(located.remarks)),
    )
