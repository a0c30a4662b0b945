"""Which photos go through the model together.

The plan depends on the list of photos, the size they are brought to and the batch size alone, so that a run
that goes on after a kill computes the same batches, and with them the same bits, as one never stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall import photos
from landfall.errors import PhotoError, UsageError

if TYPE_CHECKING:
    from landfall.photos import InputSpec

# A batch of photos at their own size holds at most this many pixels for each photo of the batch size, so that
# sixteen 12-megapixel photos don't go through the network at once.
PIXELS_PER_PHOTO = 480 * 640


@dataclass(frozen=True)
class PlannedBatch:
    """Photos that go through the model together.

    Args:
        rows: (B,) int64, their places in the list, ascending.
        height, width: the size of all of them, in pixels.
        unreadable: why each can't be read, where their headers said so already; else empty.
    """

    rows: NDArray[np.int64]
    height: int
    width: int
    unreadable: tuple[str, ...] = ()


def plan_batches(
    paths: Sequence[Path], spec: InputSpec, batch_size: int, *, workers: int
) -> list[PlannedBatch]:
    """Return the batches that ``paths`` are described in.

    With a fixed size, batch ``i`` is the rows from ``i * batch_size``. With the photos' own size (a ``spec``
    of None, None) the headers are read first, and photos of one size go together, sizes in order of
    first appearance; photos whose header can't be read come last.

    Raises:
        UsageError: the batch size is not positive.
    """
    if batch_size < 1:
        raise UsageError(f"The batch size is {batch_size}; it must be 1 or more.")
    if spec.height is not None and spec.width is not None:
        rows = np.arange(len(paths), dtype=np.int64)
        return [PlannedBatch(part, spec.height, spec.width) for part in _chunks(rows, batch_size)]
    return _plan_by_size(paths, batch_size, workers)


def plan_digest(batches: Sequence[PlannedBatch]) -> str:
    """Return a hash of which rows go together at which size."""
    digest = hashlib.blake2b(digest_size=16)
    for batch in batches:
        digest.update(f"{batch.height}x{batch.width}:{len(batch.unreadable)};".encode())
        digest.update(batch.rows.astype("<i8").tobytes())
    return digest.hexdigest()


def reason_of(error: Exception) -> str:
    """Return why a photo failed, in words, whatever was raised while it was read."""
    if isinstance(error, PhotoError):
        return error.reason
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror or error}"
    return f"can't be read: {type(error).__name__}: {error}"


def _plan_by_size(paths: Sequence[Path], batch_size: int, workers: int) -> list[PlannedBatch]:
    by_size: dict[tuple[int, int], list[int]] = {}
    unreadable: list[tuple[int, str]] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="landfall-header") as pool:
        for row, found in enumerate(pool.map(_size_of, paths)):
            if isinstance(found, str):
                unreadable.append((row, found))
            else:
                by_size.setdefault(found, []).append(row)
    batches = []
    for (height, width), members in by_size.items():
        most = max(1, min(batch_size, batch_size * PIXELS_PER_PHOTO // (height * width)))
        rows = np.array(members, dtype=np.int64)
        batches += [PlannedBatch(part, height, width) for part in _chunks(rows, most)]
    for start in range(0, len(unreadable), batch_size):
        some = unreadable[start : start + batch_size]
        rows = np.array([row for row, _ in some], dtype=np.int64)
        batches.append(PlannedBatch(rows, 0, 0, tuple(reason for _, reason in some)))
    return batches


def _size_of(path: Path) -> tuple[int, int] | str:
    """Return (height, width) from the header, or why there is none."""
    try:
        metadata = photos.read_metadata(path)
    except Exception as error:  # noqa: BLE001 - whatever one photo raises, the others go on
        return reason_of(error)
    return metadata.height, metadata.width


def _chunks(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
