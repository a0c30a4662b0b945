"""How honest an index of a split's database would be about its answers to the split's queries.

The calibration sees the database alone, as that of an index does; the queries' positions only measure it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Dataset
from landfall.evaluation import Evaluation
from landfall.evaluation.calibration import CalibrationResult, measure_calibration
from landfall.geo import metric_coordinates
from landfall.index import search_exact
from landfall.localization.calibration import (
    Calibration,
    Certainty,
    LearntFrom,
    NoCalibration,
    answer_features,
    calibrate,
    checked_features,
)
from landfall.localization.calibration.fit import MATCHES, SAMPLE, Check
from landfall.localization.calibration.stored import CHECKED_SAMPLE
from landfall.localization.position import agreed_points
from landfall.localization.verified import verified_points


@dataclass(frozen=True, eq=False)
class Looked:
    """A geometric check of all that answers rest on.

    Attributes:
        queries: (Q, K) inliers of each query's matches as retrieval ranks them, NaN where not checked.
        strangers: given the database rows (S, K) that photos from elsewhere found, their inliers (S, K).
        sample: given the database rows of the photos that have a position and the rows that have a
            descriptor, what checks the photos that play the queries.
    """

    queries: NDArray[np.float64]
    strangers: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    sample: Callable[[NDArray[np.int64], NDArray[np.int64]], Check]


@dataclass(frozen=True, eq=False)
class Strangers:
    """What is said of photos that were taken where the database has none, so that every answer is wrong.

    Attributes:
        photos: how many were described.
        accepted_share: share of them whose answer was accepted, wrongly.
        confidence: (S,) what the answers said of themselves.
    """

    photos: int
    accepted_share: float
    confidence: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        return {
            "photos": self.photos,
            "accepted_share": self.accepted_share,
            "mean_confidence": float(self.confidence.mean()),
        }


@dataclass(frozen=True, eq=False)
class MeasuredCertainty:
    """A calibration and how it holds on queries of known position.

    Attributes:
        calibration: learned from the database; the reason why not, where it could not be.
        result: how honest the answers to the queries are; None without a calibration.
        strangers: what is said of photos from elsewhere; None where none were given.
    """

    calibration: Calibration | NoCalibration
    result: CalibrationResult | None
    strangers: Strangers | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``landfall evaluate --json`` says of it."""
        learned = self.calibration
        return {
            "learned": learned.model_dump(mode="json") if isinstance(learned, Calibration) else None,
            "reason": learned.reason if isinstance(learned, NoCalibration) else None,
            "measured": None if self.result is None else self.result.to_dict(),
            "elsewhere": None if self.strangers is None else self.strangers.to_dict(),
        }

    def to_lines(self) -> list[str]:
        """Return sentences to read."""
        if isinstance(self.calibration, NoCalibration):
            return [
                f"No confidence is given, for the database can't be calibrated: {self.calibration.reason}"
            ]
        lines = [self.calibration.describe(), *(() if self.result is None else self.result.to_lines())]
        if self.strangers is not None:
            lines.append(
                f"Of {self.strangers.photos} photos from elsewhere {100 * self.strangers.accepted_share:.1f} "
                f"% are accepted, wrongly; their mean confidence is {self.strangers.confidence.mean():.2f}"
            )
        return lines


def measure_certainty(
    dataset: Dataset,
    descriptors: NDArray[np.floating],
    database_rows: NDArray[np.int64],
    evaluation: Evaluation,
    *,
    strangers: NDArray[np.float32] | None = None,
    looked: Looked | None = None,
    learnt: LearntFrom | None = None,
    known_too_well: bool = False,
    seed: int = 0,
    device: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> MeasuredCertainty:
    """Calibrate on a split's database and measure the calibration on its queries.

    Args:
        dataset: the split.
        descriptors: (R, D) of the database photos ``database_rows``.
        database_rows: (R,) which those are.
        evaluation: of the same descriptors; its ranked matches are the answers.
        strangers: (S, D) descriptors of photos taken where the database has none.
        looked: a geometric check of the matches, for answers that rest on it.
        learnt: which of the R photos the model learnt from.
        known_too_well: it did from some (:func:`calibrate`).
        seed: of the calibration's sample and of the intervals.
        device: where the search of the sample runs.
        say: told in a sentence what is being done.
    """
    database = dataset.database
    known = database.positions.known[database_rows]
    matches = min(MATCHES, evaluation.ranked.shape[1])
    learned = calibrate(
        descriptors if known.all() else descriptors[known],
        database.positions.take(database_rows[known]),
        _seconds(database.taken_at[database_rows[known]]),
        database.heading_deg[database_rows[known]],
        matches=matches,
        sample=SAMPLE if looked is None else CHECKED_SAMPLE,
        learnt=None if learnt is None else learnt.among(known),
        known_too_well=known_too_well,
        check=None if looked is None else looked.sample(np.flatnonzero(known), database_rows),
        seed=seed,
        device=device,
        say=say,
    )
    if isinstance(learned, NoCalibration):
        return MeasuredCertainty(learned, None)
    points, truth = metric_coordinates(database.positions, dataset.queries.positions)
    inliers = None if looked is None else looked.queries
    fixes, judged = _judged(learned, points, evaluation.ranked, evaluation.distances, inliers)
    strange = None
    if strangers is not None and len(strangers):
        distances, rows = search_exact(descriptors, strangers, matches, device=device)
        rows = database_rows[rows]
        inliers = None if looked is None else looked.strangers(rows)
        _, said = _judged(learned, points, rows, distances, inliers)
        strange = Strangers(len(strangers), float(said.accepted.mean()), said.confidence)
    answered = dataset.queries.positions.known & np.isfinite(judged.confidence)
    if not answered.any():
        return MeasuredCertainty(learned, None, strange)
    result = measure_calibration(
        judged.confidence[answered],
        judged.radius_m[answered],
        judged.accepted[answered],
        np.linalg.norm(fixes - truth, axis=1)[answered],
        has_positive=(dataset.positives(learned.right_m).counts > 0)[answered],
        spots=evaluation.query_spots[answered],
        within_m=learned.right_m,
        seed=seed,
    )
    return MeasuredCertainty(learned, result, strange)


def _judged(
    learned: Calibration,
    points: NDArray[np.float64],
    ranked: NDArray[np.int64],
    distances: NDArray[np.float32],
    inliers: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], Certainty]:
    """Return answers (Q, 2 or 3) by the matches in ``ranked`` (Q, K), -1 for none, and how sure they are."""
    rows = ranked[:, : learned.matches]
    placed: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=1))
    known = (rows >= 0) & placed[np.maximum(rows, 0)]
    # A match without a position can't vote; it stands last, as one that isn't there.
    apart = np.where(known, distances[:, : learned.matches], np.inf).astype(np.float64)
    order = np.argsort(apart, axis=1, kind="stable")
    rows, apart = np.take_along_axis(rows, order, 1), np.take_along_axis(apart, order, 1)
    matched = np.nan_to_num(points[np.maximum(rows, 0)])
    if inliers is None:
        fixes = agreed_points(matched, apart)
        return fixes, learned.judge(answer_features(matched, apart, fixes))
    counted = np.take_along_axis(np.where(known, inliers[:, : learned.matches], np.nan), order, 1)
    fixes = verified_points(matched, apart, counted)
    return fixes, learned.judge(checked_features(matched, apart, counted, fixes))


def _seconds(taken_at: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Return seconds since 1970, NaN where the time is unknown."""
    return np.where(np.isnat(taken_at), np.nan, taken_at.astype("datetime64[s]").astype(np.float64))
