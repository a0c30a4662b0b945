"""The photos at a path that can be indexed, and the words for when there are none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from landfall.datasets import PhotoListing, PhotoSet
from landfall.errors import DatasetError
from landfall.photos import PhotoProblem

# How many reasons an error lists before it says "and so on".
_REASONS_TOLD = 5


def told_path(photos: str | Path) -> str:
    """Return where photos are as an index tells it, absolute and in UTF-8.

    Raises:
        DatasetError: the path is not valid UTF-8.
    """
    path = str(Path(photos).expanduser().resolve())
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(
            f"{path.encode(errors='backslashreplace').decode()}: its path is not valid UTF-8, and an index "
            "says where its photos were. Rename that folder."
        ) from error
    return path


def source_of(photos: str | Path, listing: PhotoListing) -> str | None:
    """Return what tells of a folder's photos later on: the folder or the CSV; None for a single photo."""
    return told_path(photos) if listing.is_table or Path(photos).expanduser().is_dir() else None


def check_any(path: str | Path, listing: PhotoListing, placed: PhotoSet) -> None:
    """Look whether there is anything to index.

    Args:
        path: that was listed.
        listing: what was found there.
        placed: the photos of it that have a position.

    Raises:
        DatasetError: there is not; the message tells why.
    """
    if len(placed):
        return
    without, failed = listing.without_position, listing.failed
    found = len(listing.photos) + len(failed)
    if not found and listing.is_table:
        raise DatasetError(f"{path} lists no photos: it has a header and no rows.")
    if not found:
        raise DatasetError(
            f"{path} has no photos (and {listing.other_files} other files). Expected a folder that holds "
            "photos at any depth, or a CSV that lists them."
        )
    if not without:
        raise DatasetError(f"{path}: none of its {found} photos could be used: {first_reasons(failed)}")
    why = f"{len(without)} have no position, {len(failed)} can't be used" if failed else "none has a position"
    raise DatasetError(
        f"{path}: none of its {found} photos can be indexed, because {why}. "
        "An index needs photos with GPS in their EXIF, standard '@' names with a UTM zone, or a CSV with "
        "path, lat and lon. " + first_reasons((*without, *failed))
    )


def first_reasons(problems: tuple[PhotoProblem, ...]) -> str:
    """Return the first few problems in a sentence."""
    told = "; ".join(f"{problem.photo}: {problem.reason}" for problem in problems[:_REASONS_TOLD])
    return told + ("; and so on" if len(problems) > _REASONS_TOLD else "")


def fingerprint_of(photos: PhotoSet) -> str:
    """Return a short hash of which photos these are, and where they were taken."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update("\0".join(photos.names).encode(errors="surrogateescape"))
    digest.update(np.round(np.stack([photos.positions.lat, photos.positions.lon]), 9).tobytes())
    return digest.hexdigest()
