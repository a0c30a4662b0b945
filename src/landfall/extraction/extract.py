"""Descriptors of many photos to a file, in bounded memory, going on after a kill at any moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from landfall.cores import available_cores
from landfall.errors import UsageError
from landfall.extraction.fingerprint import differences, fingerprint_of
from landfall.extraction.partial import Partial, holding, is_complete, put_in_place, tidy
from landfall.extraction.plan import PlannedBatch, plan_batches
from landfall.extraction.progress import Progress, Timing
from landfall.extraction.store import Descriptors, partial_path, result_path
from landfall.extraction.stream import run_batches

if TYPE_CHECKING:
    from landfall.models import Model
    from landfall.photos import InputSpec


def extract(
    paths: Sequence[Path],
    names: Sequence[str],
    model: Model,
    out: str | os.PathLike[str],
    *,
    spec: InputSpec | None = None,
    batch_size: int = 16,
    workers: int | None = None,
    dtype: Literal["float32", "float16"] = "float32",
    shard: tuple[int, int] | None = None,
    existing: Literal["refuse", "reuse"] = "refuse",
    progress: Callable[[Progress], None] | None = None,
) -> Descriptors:
    """Describe photos into ``out`` (``.npy``) and ``out.json``; an interrupted run goes on when repeated.

    The unfinished state stands in ``out.partial``. A repeated run must agree with it in the list of photos,
    their files, the model, the size, the batch size, ``dtype`` and ``shard``; it then gives the bytes that an
    undisturbed run gives. Where they differ it is refused, unless no batch was finished yet.

    Args:
        paths: the photos' files.
        names: what to call each photo in the result.
        model: what describes them.
        out: the file to write.
        spec: the size they are brought to; the model card's by default.
        batch_size: photos in a batch, at most.
        workers: threads that decode; one a core by default.
        dtype: type of number stored; the model computes in its own.
        shard: ``(i, n)``: only part ``i`` of ``n``, counted from 1; ``merge_descriptors`` joins the parts.
            Parts are whole batches, so that joined they are the bytes of a single run.
        existing: what to do about a finished ``out``: refuse, or return it if it is of this same extraction.
        progress: called before the first and after each batch.

    Raises:
        UsageError: ``out`` is finished already, or is the unfinished work of another extraction; it can't be
            written, or the disk has no room; no photos or not as many names; a shard that is none.
        ModelError: the model's descriptors are not what its card says.
    """
    out = Path(out)
    spec = model.card.input_spec if spec is None else spec
    workers = available_cores() if workers is None else workers
    _check(paths, names, dtype, shard, workers)
    folder = partial_path(out)
    finished = result_path(out).exists()
    if out.exists() and not folder.exists() and not (finished and existing == "reuse"):
        kind = "holds finished descriptors" if finished else "exists and was not made by Landfall"
        raise UsageError(f"{out} {kind}. Choose another place, or delete it to extract again.")
    plan = plan_batches(paths, spec, batch_size, workers=workers)
    part = _part(plan, shard)
    fingerprint = fingerprint_of(
        paths, names, model, spec, plan, part=part, batch_size=batch_size, dtype=dtype, shard=shard
    )
    if finished:
        return _reuse(out, folder, fingerprint)
    with holding(folder):
        if not is_complete(folder, fingerprint):
            with Partial(folder, part, fingerprint) as partial:
                _run(partial, part, paths, model, spec, workers, progress)
                partial.complete(names)
        put_in_place(folder, out)
    return Descriptors.open(out)


def _check(
    paths: Sequence[Path], names: Sequence[str], dtype: str, shard: tuple[int, int] | None, workers: int
) -> None:
    if not paths:
        raise UsageError("There are no photos to describe. Give a folder or a list that has some.")
    if len(names) != len(paths):
        raise UsageError(f"{len(paths)} photos came with {len(names)} names; each needs one.")
    if dtype not in ("float32", "float16"):
        raise UsageError(f"Descriptors can't be stored as {dtype!r}; choose float32 or float16.")
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise UsageError(f"There is no shard {shard[0]}/{shard[1]}; shards of n are counted 1/n to n/n.")
    if workers < 1:
        raise UsageError(f"{workers} workers were asked for; at least 1 is needed.")


def _part(batches: list[PlannedBatch], shard: tuple[int, int] | None) -> list[PlannedBatch]:
    """Return the contiguous run of batches that is part i of n; parts differ by at most one batch."""
    if shard is None:
        return batches
    part, parts = shard
    return batches[(part - 1) * len(batches) // parts : part * len(batches) // parts]


def _reuse(out: Path, folder: Path, fingerprint: Mapping[str, Any]) -> Descriptors:
    """Return a finished ``out`` if it is of this very extraction.

    Also the end of a run that was killed between its last rename and its tidying up: its folder still stands.
    """
    opened = Descriptors.open(out)
    changed = differences(opened.fingerprint, fingerprint)
    if changed:
        raise UsageError(
            f"{out} holds finished descriptors, and since then these changed: {', '.join(changed)}. "
            "Choose another place, or delete it to extract again."
        )
    if folder.exists():
        with holding(folder):
            tidy(folder)
    return opened


def _run(
    partial: Partial,
    batches: Sequence[PlannedBatch],
    paths: Sequence[Path],
    model: Model,
    spec: InputSpec,
    workers: int,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Describe the batches that are not in the journal yet."""
    todo = [number for number in range(len(batches)) if number not in partial.records]
    earlier = done = sum(len(batches[number].rows) for number in partial.records)
    failed = sum(len(record.failed) for record in partial.records.values())
    total = len(partial.rows)
    started = monotonic()

    def tell() -> None:
        if progress is not None:
            speed = (done - earlier) / max(monotonic() - started, 1e-9)
            progress(Progress(done, total, failed, speed, (total - done) / speed if speed else None))

    tell()
    timing, recorded = Timing(), Timing()
    described = run_batches(
        [batches[number] for number in todo], paths, model, spec, workers=workers, timing=timing
    )
    for number, batch in zip(todo, described, strict=True):
        spent, recorded = timing - recorded, replace(timing)
        with timing.measure("writing"):
            partial.save(number, batch, spent)
        done += len(batches[number].rows)
        failed += len(batch.failed)
        tell()
