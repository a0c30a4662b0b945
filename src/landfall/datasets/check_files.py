"""Reading every photo of a dataset in full: which can't be read, how large they are, which are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from landfall.cores import available_cores
from landfall.errors import PhotoError
from landfall.geo import LatLon
from landfall.photos import InputSpec, load_photo

# The whole file is decoded whatever the size asked for; small pixels are cheap to make and to throw away.
_SPEC = InputSpec(height=64, width=64)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What reading one photo told.

    Attributes:
        problem: why it can't be read; None if it can.
        width, height: pixels of the upright photo, 0 if it can't be read.
        content_hash: of the file's bytes, "" if it can't be read.
        location: where its EXIF says it was taken; None if that says nothing.
    """

    problem: str | None
    width: int = 0
    height: int = 0
    content_hash: str = ""
    location: LatLon | None = None


def read_files(
    paths: Sequence[Path], *, workers: int | None = None, progress: Callable[[int], None] | None = None
) -> list[FileFacts]:
    """Read photos in threads; one that can't be read stops nothing.

    Args:
        paths: N files.
        workers: threads; one a core by default.
        progress: called with the count of photos read so far, in the calling thread.

    Returns:
        N facts, in order.
    """
    facts: list[FileFacts] = []
    pool = ThreadPoolExecutor(max_workers=workers or available_cores())
    try:
        for fact in pool.map(_read, paths):
            facts.append(fact)
            if progress is not None:
                progress(len(facts))
    finally:
        # After Ctrl-C the photos still waiting are not read.
        pool.shutdown(cancel_futures=True)
    return facts


def _read(path: Path) -> FileFacts:
    try:
        photo = load_photo(path, _SPEC)
    except PhotoError as error:
        return FileFacts(error.reason)
    told = photo.metadata
    return FileFacts(None, told.width, told.height, photo.content_hash, told.location)
