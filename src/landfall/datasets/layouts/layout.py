"""What a layout is: one way in which a dataset's photos and positions lie on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from landfall.datasets.locating import locate
from landfall.datasets.photo_set import PhotoSet
from landfall.errors import DatasetError
from landfall.photos import PHOTO_SUFFIXES, PhotoProblem, find_photos


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a layout read: both sets, and the ``problems`` and ``left_out`` of a ``Dataset``."""

    database: PhotoSet
    queries: PhotoSet
    problems: tuple[PhotoProblem, ...]
    left_out: tuple[PhotoProblem, ...] = ()


@runtime_checkable
class Layout(Protocol):
    """One way in which a dataset lies on disk. A new one is a file here and a line in this folder's list."""

    @property
    def name(self) -> str:
        """The name by which ``load_dataset(..., layout=name)`` asks for it."""

    @property
    def looks_for(self) -> str:
        """What it looks for below a root, in a phrase for error messages."""

    def missing(self, root: Path) -> str | None:
        """Return what ``root`` lacks to be of this layout, for people to read; None if it is of it."""

    def splits(self, root: Path) -> tuple[str, ...]:
        """Return the splits that can be loaded, sorted; none if the layout at ``root`` knows no splits."""

    def load(self, root: Path, split: str | None) -> Loaded:
        """Read one split; ``split`` is one of ``splits(root)``, or None if there are none.

        Raises:
            DatasetError: no photos where they should be.
        """


def read_folder(
    folder: Path, root: Path
) -> tuple[PhotoSet, tuple[PhotoProblem, ...], tuple[PhotoProblem, ...]]:
    """Read all photos below ``folder`` with their positions.

    Every file found stays in the set; what could not be looked into is left out. Both are named by their path
    relative to ``root``.

    Returns:
        The photos, their problems, and what was left out.

    Raises:
        DatasetError: no photos there.
    """
    found = find_photos(folder)
    if not found.names:
        raise DatasetError(
            f"No photos in {folder}: looked in it and all folders below for files ending in "
            f"{', '.join(sorted(PHOTO_SUFFIXES))} (in any case) and saw {found.other_files} other files."
            + "".join(f" {problem.photo}: {problem.reason}." for problem in found.problems[:3])
        )
    prefix = folder.relative_to(root).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    located = locate(folder, found.names, planar=True)
    left_out = tuple(PhotoProblem(prefix + problem.photo, problem.reason) for problem in found.problems)
    problems: list[PhotoProblem] = []
    for reasons in (located.failed, located.without_position, located.remarks):
        problems += [PhotoProblem(prefix + found.names[row], reason) for row, reason in reasons.items()]
    return located.photos, tuple(problems), left_out


def read_pair(folder: Path, root: Path) -> Loaded:
    """Read ``folder/database`` and ``folder/queries``.

    Raises:
        DatasetError: no photos in one of them.
    """
    database, *of_database = read_folder(folder / "database", root)
    queries, *of_queries = read_folder(folder / "queries", root)
    problems, left_out = (ours + theirs for ours, theirs in zip(of_database, of_queries, strict=True))
    return Loaded(database, queries, problems, left_out)


def missing_of_pair(folder: Path) -> list[str]:
    """Return which of the folders ``database`` and ``queries`` are not in ``folder``."""
    return [name for name in ("database", "queries") if not (folder / name).is_dir()]
