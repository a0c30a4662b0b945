"""A model on a split: describe database and queries, search, measure. What ``landfall evaluate`` does.

Descriptors go to files that are mapped into memory, so that the size of the database is bounded by the disk
alone; with a cache folder an interrupted evaluation goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Dataset, PhotoSet, spots
from landfall.evaluation import Evaluation, evaluate_descriptors
from landfall.evaluation.evaluation import check_evaluable, photo_label
from landfall.experiments.certainty import MeasuredCertainty, measure_certainty
from landfall.experiments.checked import CheckedEvaluation, measure_checked
from landfall.extraction import Descriptors, Progress, extract, stream
from landfall.localization.calibration import LearntFrom
from landfall.models import Model
from landfall.models.fitting import fit_on, fit_sample_of, learnt_from_photos
from landfall.photos import InputSpec, PhotoProblem

Side = Literal["database", "queries"]
LEFT_OUT_TOLD = 5
"""So many rows, files and folders that are in neither set are spelled out in the warning of them."""


@dataclass(frozen=True, eq=False)
class EvaluationRun:
    """An evaluation with what a report of it needs.

    Attributes:
        dataset: the split.
        model: as used: fitted, if it had to be.
        evaluation: the numbers, the ranked database rows among them.
        certainty: how honest an index of the database would be; None where that was not asked.
        checked: what the geometric check of the matches changes; None where that was not asked.
    """

    dataset: Dataset
    model: Model
    evaluation: Evaluation
    certainty: MeasuredCertainty | None = None
    checked: CheckedEvaluation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``landfall evaluate --json`` writes."""
        certainty = None if self.certainty is None else self.certainty.to_dict()
        checked = None if self.checked is None else self.checked.to_dict()
        return {**self.evaluation.to_dict(), "calibration": certainty, "geometric_check": checked}

    def to_text(self) -> str:
        """Return what ``landfall evaluate`` prints."""
        lines = [] if self.certainty is None else ["", *self.certainty.to_lines()]
        lines += [] if self.checked is None else ["", *self.checked.to_lines()]
        return self.evaluation.to_text() + "".join(f"{line}\n" for line in lines)


def evaluate_model(
    dataset: Dataset,
    model: Model,
    *,
    thresholds_m: Sequence[float] = (25.0,),
    ks: Sequence[int] = (1, 5, 10, 20),
    batch_size: int = 16,
    workers: int | None = None,
    resize: InputSpec | None = None,
    progress: Callable[[Side, Progress], None] | None = None,
    device: str | None = None,
    cache: Path | None = None,
    seed: int = 0,
    calibrate: bool = False,
    elsewhere: Sequence[Path] = (),
    check: bool = False,
    check_progress: Callable[[int, int], None] | None = None,
) -> EvaluationRun:
    """Describe a split's photos with a model and evaluate the descriptors.

    A model that has to be fitted (densevlad) is fitted on the database first, never on the queries. Broken
    photos are named in the result and the others go on.

    Args:
        dataset: the split.
        model: what describes the photos.
        thresholds_m: positive distances; the first is the main one.
        ks: ranks of recall@N.
        batch_size, workers: of the extraction.
        resize: the size photos are brought to; the model card's by default.
        progress: called with the side and how far its extraction is.
        device: where the search runs.
        cache: a folder that keeps the descriptors of this model on this split; temporary by default.
        seed: of the fit and of the bootstrap.
        calibrate: whether to measure confidence and radius, too: the database's own photos are searched for
            once more.
        elsewhere: photos taken where the database has none, to see how many of them are accepted.
        check: whether to measure the geometric check of the matches, too.
        check_progress: called with the counts of queries checked and failed.

    Raises:
        DatasetError: nothing to evaluate, no known positions, or no photo of one side could be read.
        UsageError: thresholds, ranks or batch size make no sense, or ``cache`` is of another extraction or
            can't be written.
        ModelError: no such device here, or the model can't be fitted on the database.
    """
    from landfall.models.device import resolve_device  # brings in torch, which other experiments do without

    check_evaluable(dataset, thresholds_m, ks)
    resolve_device(device)  # a name that is none is told now, not after hours of extraction
    model = fit_on(model, dataset.database.paths, seed=seed, spec=resize)
    with TemporaryDirectory(prefix="landfall-") if cache is None else nullcontext(str(cache)) as folder:

        def described(side: Side, photos: PhotoSet) -> Descriptors:
            return extract(
                photos.paths,
                photos.names,
                model,
                Path(folder) / f"{side}.npy",
                spec=resize,
                batch_size=batch_size,
                workers=workers,
                existing="reuse",
                progress=None if progress is None else lambda told: progress(side, told),
            )

        database = described("database", dataset.database)
        queries = described("queries", dataset.queries)
        evaluation = evaluate_descriptors(
            dataset,
            database.array,
            queries.array,
            thresholds_m=thresholds_m,
            ks=ks,
            seed=seed,
            device=device,
            database_rows=database.rows,
            query_rows=queries.rows,
        )
        certainty = checked = None
        learnt = _learnt_from(model, database, dataset.database, seed)
        strangers, readable = _described(elsewhere, model, resize, batch_size, workers)
        if calibrate:
            certainty = measure_certainty(
                dataset,
                database.array,
                database.rows,
                evaluation,
                strangers=strangers,
                learnt=learnt,
                known_too_well=learnt_from_photos(model.card),
                seed=seed,
                device=device,
            )
        if check:
            checked = measure_checked(
                dataset,
                database.array,
                database.rows,
                evaluation,
                elsewhere=readable,
                strangers=strangers,
                learnt=learnt,
                known_too_well=learnt_from_photos(model.card),
                seed=seed,
                device=device,
                workers=workers,
                advance=check_progress,
            )
        failed = [
            *_failures(dataset, dataset.database, database),
            *_failures(dataset, dataset.queries, queries),
        ]
        seconds = database.seconds["total"] + queries.seconds["total"]
        described_photos = len(database) + len(queries)
    evaluation = evaluation.with_extraction(
        model=model.card.name, photos_per_s=described_photos / seconds if seconds else None, failed=failed
    )
    return EvaluationRun(
        dataset,
        model,
        replace(evaluation, warnings=(*_left_out(dataset), *evaluation.warnings)),
        certainty,
        checked,
    )


def _learnt_from(model: Model, described: Descriptors, photos: PhotoSet, seed: int) -> LearntFrom | None:
    """Return which of the described photos the model learnt from; None where it does not say."""
    sample = fit_sample_of(model)
    if sample is None:
        return None
    where = spots(photos.positions.take(described.rows))
    return LearntFrom.of(sample, described.content_hashes, where, seed=seed)


def _described(
    paths: Sequence[Path], model: Model, resize: InputSpec | None, batch_size: int, workers: int | None
) -> tuple[NDArray[np.float32] | None, list[Path]]:
    """Return the descriptors (S, D) of those photos that can be read, None of none, and their paths."""
    if not paths:
        return None, []
    batches = list(stream(paths, model, spec=resize, batch_size=batch_size, workers=workers))
    described = np.concatenate([batch.descriptors for batch in batches])
    return described, [paths[row] for batch in batches for row in batch.rows.tolist()]


def _left_out(dataset: Dataset) -> list[str]:
    count = len(dataset.left_out)
    if not count:
        return []
    told = [f"{problem.photo}: {problem.reason}" for problem in dataset.left_out[:LEFT_OUT_TOLD]]
    if count > len(told):
        told.append(f"and {count - len(told)} more, which `landfall dataset check` names")
    return [f"Neither searched nor counted as queries, {count} left out: " + "; ".join(told) + "."]


def _failures(dataset: Dataset, photos: PhotoSet, descriptors: Descriptors) -> list[PhotoProblem]:
    row_of = {name: row for row, name in enumerate(photos.names)}
    return [
        PhotoProblem(photo_label(dataset, photos, row_of[problem.photo]), problem.reason)
        for problem in descriptors.failures
    ]
