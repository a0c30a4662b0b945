"""Answers written into the photos themselves, or into copies, as EXIF positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from landfall.errors import PhotoError
from landfall.localization.fix import Fix
from landfall.localization.outputs.words import NOT_IN_INDEX, NOT_LOCALIZED, state_of
from landfall.photos import PhotoProblem, write_position


@dataclass(frozen=True)
class ExifReport:
    """What became of the photos.

    Attributes:
        written: names of the photos that have their position now.
        left_alone: photos that nothing was to be written of: not in this index, or with a position already.
        failed: photos that should have been written and could not be.
    """

    written: tuple[str, ...]
    left_alone: tuple[PhotoProblem, ...]
    failed: tuple[PhotoProblem, ...]

    def __str__(self) -> str:
        return (
            f"EXIF positions: {len(self.written)} written, {len(self.left_alone)} left alone, "
            f"{len(self.failed)} failed"
        )


def write_positions(
    fixes: Sequence[Fix], paths: Mapping[str, Path], folder: Path | None, *, overwrite: bool = False
) -> ExifReport:
    """Write each accepted fix, with its radius, into a copy of its photo below ``folder``, or into the photo.

    An uncalibrated fix counts as accepted. Photos that have a position are left alone, and not copied. A
    copy keeps the photo's name, with folders; what leads out of ``folder`` is left out of it.

    Args:
        fixes: of ``localize``.
        paths: where the photos are, by the names that their fixes have.
        folder: of the copies, made where it is missing; None to write into the photos themselves.
        overwrite: replace positions that photos have.
    """
    written: list[str] = []
    left_alone: list[PhotoProblem] = []
    failed: list[PhotoProblem] = []
    for fix in fixes:
        state = state_of(fix)
        # What could not be read has failed already, and its fix says so.
        if state == NOT_LOCALIZED or fix.photo not in paths:
            continue
        if state == NOT_IN_INDEX:
            left_alone.append(PhotoProblem(fix.photo, NOT_IN_INDEX))
            continue
        try:
            if _write(fix, paths[fix.photo], folder, overwrite=overwrite):
                written.append(fix.photo)
            else:
                left_alone.append(PhotoProblem(fix.photo, "has a position already"))
        except PhotoError as error:
            failed.append(PhotoProblem(fix.photo, error.reason))
    return ExifReport(tuple(written), tuple(left_alone), tuple(failed))


def copy_path(folder: Path, name: str) -> Path:
    """Return where the copy of the photo called ``name`` goes: below the folder, whatever the name says."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "//", "..")]
    return folder.joinpath(*parts)


def _write(fix: Fix, path: Path, folder: Path | None, *, overwrite: bool) -> bool:
    assert fix.location is not None  # only fixes with a position are given
    target = path
    if folder is not None:
        target = copy_path(folder, fix.photo)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            is_itself = target.exists() and target.samefile(path)
        except OSError as error:
            raise PhotoError(str(path), f"{target} can't be written: {error.strerror or error}") from error
        if is_itself:
            raise PhotoError(str(path), f"{target} is the photo itself; give another folder for copies")
    return write_position(path, target, fix.location, radius_m=fix.radius_m, overwrite=overwrite)
