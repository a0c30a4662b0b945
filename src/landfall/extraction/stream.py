"""Photos through a model, batch by batch, with threads that decode ahead of the network.

Memory is bounded by the batches in flight: the one in the network and ``batches_ahead`` that are being
decoded, however many photos there are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall import photos
from landfall.cores import available_cores
from landfall.errors import ModelError, PhotoError, UsageError
from landfall.extraction.plan import PlannedBatch, plan_batches, reason_of
from landfall.extraction.progress import Timing

if TYPE_CHECKING:
    from landfall.models import Model
    from landfall.photos import InputSpec


@dataclass(frozen=True)
class Batch:
    """What became of the photos of one batch.

    Args:
        rows: (B,) int64, places in the list of photos of those that were described, ascending.
        descriptors: (B, D) float32.
        content_hashes: (B,) hashes of the files' bytes.
        failed: row and reason of each photo that could not be described.
    """

    rows: NDArray[np.int64]
    descriptors: NDArray[np.float32]
    content_hashes: tuple[str, ...]
    failed: tuple[tuple[int, str], ...]


def stream(
    paths: Sequence[Path],
    model: Model,
    *,
    spec: InputSpec | None = None,
    batch_size: int = 16,
    workers: int | None = None,
    timing: Timing | None = None,
) -> Iterator[Batch]:
    """Describe photos batch by batch.

    Args:
        paths: the photos' files.
        model: what describes them.
        spec: the size they are brought to; the model card's by default. With the photos' own size, photos of
            one size go together, so batches don't follow the order of ``paths``.
        batch_size: photos in a batch, at most.
        workers: threads that decode; one a core by default.
        timing: where to add up the seconds spent waiting for photos and in the network.

    Yields:
        One ``Batch`` after another. A photo whose reading raises anything at all stands in ``failed`` with
        its reason, and the others go on.

    Raises:
        UsageError: the batch size or the number of workers is not positive.
        ModelError: the model gives descriptors of another shape than its card says.
    """
    _check_kinds(paths, model)
    spec = model.card.input_spec if spec is None else spec
    workers = available_cores() if workers is None else workers
    batches = plan_batches(paths, spec, batch_size, workers=workers)
    return run_batches(batches, paths, model, spec, workers=workers, timing=timing or Timing())


def describe(
    paths: Sequence[str | os.PathLike[str]],
    model: Model,
    *,
    spec: InputSpec | None = None,
    batch_size: int = 16,
    workers: int | None = None,
) -> NDArray[np.float32]:
    """Return the descriptors (N, D) float32 of photos, in order, in memory.

    Raises:
        PhotoError: a photo could not be described; nothing is returned then.
    """
    _check_kinds(paths, model)
    files = [Path(path) for path in paths]
    described = np.empty((len(files), model.card.descriptor_dim), np.float32)
    for batch in stream(files, model, spec=spec, batch_size=batch_size, workers=workers):
        if batch.failed:
            row, reason = batch.failed[0]
            raise PhotoError(str(paths[row]), reason)
        described[batch.rows] = batch.descriptors
    return described


def _check_kinds(paths: object, model: object) -> None:
    """Refuse the two likeliest mix-ups by name, before they end in an error about letters or attributes."""
    if isinstance(paths, str | os.PathLike):
        raise UsageError(f"A list of photos is expected; for one photo give [{str(paths)!r}].")
    if isinstance(model, str | os.PathLike):
        raise UsageError(f"A loaded model is expected, not a path; use load_network({str(model)!r}).")


def batches_ahead(workers: int, batch_size: int) -> int:
    """Return how many batches are decoded ahead: enough to keep every worker busy, and at least one."""
    return 1 + -(-workers // batch_size)


def run_batches(
    batches: Sequence[PlannedBatch],
    paths: Sequence[Path],
    model: Model,
    spec: InputSpec,
    *,
    workers: int,
    timing: Timing,
) -> Iterator[Batch]:
    """Describe planned batches in their order; ``stream`` says the rest."""
    if workers < 1:
        raise UsageError(f"{workers} workers were asked for; at least 1 is needed.")
    return _run(batches, paths, model, spec, workers, timing)


def _run(
    batches: Sequence[PlannedBatch],
    paths: Sequence[Path],
    model: Model,
    spec: InputSpec,
    workers: int,
    timing: Timing,
) -> Iterator[Batch]:
    if not batches:
        return
    waiting = iter(batches)
    ahead = batches_ahead(workers, max(len(batch.rows) for batch in batches))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="landfall-decode")
    try:
        decoding = deque(_start(pool, batch, paths, spec) for batch in islice(waiting, ahead))
        while decoding:
            current = decoding.popleft()
            with timing.measure("reading"):
                read = current.wait()
            decoding.extend(_start(pool, batch, paths, spec) for batch in islice(waiting, 1))
            with timing.measure("network"):
                described = _describe(read, model)
            yield described
    finally:
        # Also reached when the caller stops early: nothing goes on decoding behind its back.
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class _Read:
    """A decoded batch: ``pixels`` (B, H, W, 3) and ``hashes`` of the ``rows`` that could be read."""

    rows: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    hashes: tuple[str, ...]
    failed: tuple[tuple[int, str], ...]


class _Decoding:
    """A batch whose photos are being decoded, each straight into its place in the batch's pixels."""

    def __init__(
        self, planned: PlannedBatch, pixels: NDArray[np.uint8], loading: Sequence[Future[str]]
    ) -> None:
        self._planned = planned
        self._pixels = pixels
        self._loading = loading

    def wait(self) -> _Read:
        """Return the batch when every photo of it is decoded or failed."""
        rows = self._planned.rows
        if self._planned.unreadable:
            failed = tuple(zip(rows.tolist(), self._planned.unreadable, strict=True))
            return _Read(rows[:0], self._pixels, (), failed)
        hashes: dict[int, str] = {}
        reasons: list[tuple[int, str]] = []
        for place, photo in enumerate(self._loading):
            try:
                hashes[place] = photo.result()
            except Exception as error:  # noqa: BLE001 - whatever one photo raises, the others go on
                reasons.append((int(rows[place]), reason_of(error)))
        if not reasons:
            return _Read(rows, self._pixels, tuple(hashes.values()), ())
        kept = list(hashes)
        return _Read(rows[kept], self._pixels[kept], tuple(hashes.values()), tuple(reasons))


def _start(
    pool: ThreadPoolExecutor, planned: PlannedBatch, paths: Sequence[Path], spec: InputSpec
) -> _Decoding:
    readable = 0 if planned.unreadable else len(planned.rows)
    pixels = np.empty((readable, planned.height, planned.width, 3), np.uint8)
    loading = [
        pool.submit(_load_into, pixels, place, paths[row], spec)
        for place, row in enumerate(planned.rows[:readable].tolist())
    ]
    return _Decoding(planned, pixels, loading)


def _load_into(pixels: NDArray[np.uint8], place: int, path: Path, spec: InputSpec) -> str:
    """Decode a photo into ``pixels[place]`` and return its content hash."""
    photo = photos.load_photo(path, spec)
    if photo.pixels.shape != pixels.shape[1:]:
        height, width = photo.pixels.shape[:2]
        raise PhotoError(str(path), f"is {width}x{height}, not the size that its header gave")
    pixels[place] = photo.pixels
    return photo.content_hash


def _describe(read: _Read, model: Model) -> Batch:
    dim = model.card.descriptor_dim
    if not len(read.rows):
        return Batch(read.rows, np.empty((0, dim), np.float32), (), read.failed)
    descriptors = model.describe(read.pixels)
    expected = (len(read.rows), dim)
    if descriptors.shape != expected:
        raise ModelError(
            f"{model.card.name} gave descriptors of shape {descriptors.shape} for {len(read.rows)} photos; "
            f"its card promises {expected}. The file and its card don't belong together."
        )
    finite = np.asarray(np.isfinite(descriptors).all(axis=1))
    if finite.all():
        return Batch(read.rows, descriptors, read.hashes, read.failed)
    # A photo that the model can't put into numbers would poison every search; better it is named.
    strange = [(int(row), "the model gives no finite descriptor for it") for row in read.rows[~finite]]
    hashes = tuple(read.hashes[place] for place in np.flatnonzero(finite))
    failed = tuple(sorted([*read.failed, *strange]))
    return Batch(read.rows[finite], descriptors[finite], hashes, failed)
