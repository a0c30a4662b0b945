"""The geometric check on a split: recall with and without it, its time, and how honest answers then are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Dataset
from landfall.evaluation import Evaluation, evaluate_again, paired_difference
from landfall.experiments.certainty import Looked, MeasuredCertainty, measure_certainty
from landfall.localization.calibration import LearntFrom
from landfall.localization.calibration.fit import Check
from landfall.localization.geometry import FeatureCache, rerank, verify_all
from landfall.localization.photo_check import DEPTH

Floats = NDArray[np.float64]
# Called with the counts of queries checked and failed.
Advance = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class CheckedEvaluation:
    """What the geometric check changes on a split.

    Attributes:
        evaluation: with the matches in their new order.
        gain: points of recall@1 at the first threshold, with its 95 % interval over spots.
        gain_ci95: of the same queries with and without the check.
        seconds_per_query: of the check alone, by the clock, features of the candidates included.
        certainty: how honest an index would be about checked answers; None where that was not asked.
    """

    evaluation: Evaluation
    gain: float
    gain_ci95: tuple[float, float]
    seconds_per_query: float
    certainty: MeasuredCertainty | None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        told = self.evaluation.to_dict()
        return {
            "recall": told["recall"],
            "recall_ci95": told["recall_ci95"],
            "recalls": told["recalls"],
            "gain_at_1": self.gain,
            "gain_at_1_ci95": [x if np.isfinite(x) else None for x in self.gain_ci95],
            "seconds_per_query": self.seconds_per_query,
            "checked_matches": DEPTH,
            "calibration": None if self.certainty is None else self.certainty.to_dict(),
        }

    def to_lines(self) -> list[str]:
        """Return sentences to read."""
        recall = ", ".join(f"R@{k} {percent:.1f}" for k, percent in self.evaluation.recall.items())
        low, high = self.gain_ci95
        lines = [
            f"With the geometric check of {DEPTH} matches: {recall}; R@1 {self.gain:+.1f} points "
            f"[{low:+.1f}, {high:+.1f}], {self.seconds_per_query:.2f} s a query"
        ]
        return lines if self.certainty is None else [*lines, *self.certainty.to_lines()]


def measure_checked(
    dataset: Dataset,
    descriptors: NDArray[np.floating],
    database_rows: NDArray[np.int64],
    evaluation: Evaluation,
    *,
    elsewhere: Sequence[Path] = (),
    strangers: NDArray[np.float32] | None = None,
    learnt: LearntFrom | None = None,
    known_too_well: bool = False,
    seed: int = 0,
    device: str | None = None,
    workers: int | None = None,
    advance: Advance | None = None,
) -> CheckedEvaluation:
    """Check the first matches of a split's queries and evaluate the order that comes of it.

    Args:
        dataset: the split.
        descriptors: (R, D) of the database photos ``database_rows``.
        database_rows: (R,) which those are.
        evaluation: without the check.
        elsewhere: S photos taken where the database has none.
        strangers: (S, D) their descriptors.
        learnt: which of the R photos the model learnt from.
        known_too_well: it did from some (:func:`calibrate`).
        seed: of the calibration's sample and of the intervals.
        device: where the sample is searched.
        workers: threads.
        advance: called with the counts of queries checked and failed.
    """
    checker = _Checker(dataset.database.paths, workers)
    started = time.monotonic()
    inliers = checker.count(dataset.queries.paths, evaluation.ranked, advance)
    seconds = time.monotonic() - started
    told = [[None if np.isnan(x) else int(x) for x in row] for row in inliers.tolist()]
    order = np.array([rerank(row) for row in told], np.int64).reshape(evaluation.ranked.shape)
    again = evaluate_again(dataset, evaluation, order)
    gain, interval = paired_difference(
        100.0 * again.thresholds[0].hits[:, 0],
        100.0 * evaluation.thresholds[0].hits[:, 0],
        evaluation.query_spots,
        seed=seed,
    )

    def sample(known: NDArray[np.int64], rows: NDArray[np.int64]) -> Check:
        at = rows[known]

        def check(photos: NDArray[np.int64], found: NDArray[np.int64]) -> Floats:
            paths = dataset.database.paths
            return checker.count(
                [paths[row] for row in at[photos].tolist()], np.where(found < 0, -1, at[np.maximum(found, 0)])
            )

        return check

    certainty = measure_certainty(
        dataset,
        descriptors,
        database_rows,
        evaluation,
        strangers=strangers,
        learnt=learnt,
        known_too_well=known_too_well,
        looked=Looked(inliers, lambda rows: checker.count(elsewhere, rows), sample),
        seed=seed,
        device=device,
    )
    low, high = interval.tolist()
    return CheckedEvaluation(
        again, float(gain), (low, high), seconds / max(len(dataset.queries), 1), certainty
    )


class _Checker:
    """Counts inliers against one database, whose features are kept between calls."""

    def __init__(self, paths: Sequence[Path], workers: int | None) -> None:
        self._paths = paths
        self._workers = workers
        self._cache = FeatureCache()

    def count(
        self, queries: Sequence[Path], rows: NDArray[np.int64], advance: Advance | None = None
    ) -> Floats:
        """Return the inliers (Q, K) of matches ``rows`` (Q, K), -1 for none; NaN beyond the depth."""
        counted = np.full(rows.shape, np.nan)
        asked = [[self._paths[row] for row in found if row >= 0] for found in rows[:, :DEPTH].tolist()]
        checks = verify_all(
            zip(queries, asked, strict=True), cache=self._cache, workers=self._workers, progress=advance
        )
        for number, check in enumerate(checks):
            places = np.flatnonzero(rows[number, :DEPTH] >= 0)[: len(check.matches)]
            counted[number, places] = [
                np.nan if match.inliers is None else match.inliers for match in check.matches
            ]
        return counted
