"""Finding the photos of a folder, in an order that is the same everywhere."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from landfall.errors import UsageError

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".hif"}
)
"""Endings that make a file a photo, in lower case; case doesn't matter."""


@dataclass(frozen=True)
class PhotoProblem:
    """A photo (or folder) that can't be used, and why, in words."""

    photo: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Return it as every JSON of Landfall has it."""
        return {"photo": self.photo, "reason": self.reason}


@dataclass(frozen=True)
class FoundPhotos:
    """The photos below a folder.

    Args:
        root: the folder; ``root / name`` is a photo's path.
        names: relative to ``root`` with forward slashes, sorted by code point.
        problems: what could not be looked into, by name.
        other_files: how many files are no photos. Hidden ones (their name starts with a dot) are not counted.
    """

    root: Path
    names: list[str]
    problems: list[PhotoProblem]
    other_files: int


def find_photos(folder: str | PathLike[str]) -> FoundPhotos:
    """Find every photo below a folder, or take the one that the path names.

    Symbolic links are followed; one that leads back to a folder above it is a problem, not an endless walk.

    Raises:
        UsageError: nothing is there, the folder can't be listed, or the file is no photo by its ending.
    """
    root = Path(folder)
    try:
        status = root.stat()
        if not stat.S_ISDIR(status.st_mode):
            return _single_photo(root)
        os.scandir(root).close()
    except OSError as error:
        reason = "nothing is there" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise UsageError(f"{root}: {reason}; expected a folder of photos or a single photo.") from error
    walk = _Walk([], [], 0)
    # A stack, not recursion: folders may be nested deeper than Python's calls.
    pending = [(root, "", frozenset({_identity(status)}))]
    while pending:
        pending.extend(walk.visit(*pending.pop()))
    return FoundPhotos(
        root, sorted(walk.names), sorted(walk.problems, key=lambda problem: problem.photo), walk.other_files
    )


_Pending = tuple[Path, str, frozenset[tuple[int, int]]]


@dataclass
class _Walk:
    names: list[str]
    problems: list[PhotoProblem]
    other_files: int

    def visit(self, folder: Path, prefix: str, above: frozenset[tuple[int, int]]) -> Iterator[_Pending]:
        """Sort one folder's entries into photos, problems and others; yield the folders in it."""
        try:
            with os.scandir(folder) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
        except OSError as error:
            self._problem(prefix.rstrip("/"), f"the folder can't be listed: {error.strerror}")
            return
        for entry in entries:
            name = prefix + entry.name
            if not _is_text(entry.name):
                shown = name.encode("utf-8", "backslashreplace").decode()
                self._problem(shown, "its name is not valid UTF-8")
                continue
            is_photo = Path(entry.name).suffix.lower() in PHOTO_SUFFIXES
            try:
                status = entry.stat()
            except OSError as error:
                if is_photo or error.errno == errno.ELOOP:
                    self._problem(name, _link_problem(error))
                else:
                    self.other_files += 1
                continue
            if stat.S_ISDIR(status.st_mode):
                if _identity(status) in above:
                    self._problem(name, "a symbolic link that leads back to a folder above it")
                else:
                    yield folder / entry.name, f"{name}/", above | {_identity(status)}
            elif not is_photo:
                self.other_files += 1
            elif stat.S_ISREG(status.st_mode):
                self.names.append(name)
            else:
                self._problem(name, "not a regular file")

    def _problem(self, name: str, reason: str) -> None:
        self.problems.append(PhotoProblem(name, reason))


def _single_photo(path: Path) -> FoundPhotos:
    if path.suffix.lower() not in PHOTO_SUFFIXES:
        endings = " ".join(sorted(PHOTO_SUFFIXES))
        raise UsageError(
            f"{path}: not a photo by its ending; expected a folder, or a file ending in {endings}."
        )
    return FoundPhotos(path.parent, [path.name], [], 0)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _link_problem(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a symbolic link that leads back to itself"
    if isinstance(error, FileNotFoundError):
        return "a symbolic link to a file that is not there"
    return f"can't be read: {error.strerror}"
