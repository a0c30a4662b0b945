"""The photos to localize, from what a person names: files, folders, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from landfall.errors import UsageError
from landfall.localization.fix import Fix
from landfall.photos import PhotoProblem, find_photos


@dataclass(frozen=True)
class Queries:
    """Photos to localize.

    Attributes:
        paths: where they are.
        names: what to call each: the path as given, or relative to the one folder given.
        problems: what could not be looked into, by name.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    problems: tuple[PhotoProblem, ...]

    def failed_fixes(self) -> list[Fix]:
        """Return a fix with an error for everything that could not be looked into."""
        return [Fix(photo=problem.photo, error=problem.reason) for problem in self.problems]


def find_queries(given: Sequence[Path]) -> Queries:
    """Find the photos that files and folders stand for; positions are not read.

    A file is taken whatever its ending. In a folder, at any depth, photos are known by theirs.

    Raises:
        UsageError: the only path given is not there, or is a folder that can't be listed.
    """
    alone = len(given) == 1
    if alone and not given[0].exists():
        raise UsageError(f"{given[0]} does not exist. Give photos, or folders that hold some.")
    paths: list[Path] = []
    names: list[str] = []
    problems: list[PhotoProblem] = []
    for path in given:
        if not _is_folder(path):
            # A file that is missing or no photo gets its reason from the reader, and the others go on.
            paths.append(path)
            names.append(path.as_posix())
            continue
        # Names of several folders may be alike, so they keep the folder in front.
        prefix = PurePosixPath() if alone else PurePosixPath(path.as_posix())
        try:
            found = find_photos(path)
        except UsageError as error:
            if alone:
                raise
            problems.append(PhotoProblem(path.as_posix(), str(error).removeprefix(f"{path}: ")))
            continue
        paths += [path / name for name in found.names]
        names += [str(prefix / name) for name in found.names]
        problems += [PhotoProblem(str(prefix / each.photo), each.reason) for each in found.problems]
    return Queries(tuple(paths), tuple(names), tuple(problems))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long, a folder above that may not be entered
        return False
