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
from landfall.localization.calibration import Calibration, NoCalibration, answer_features, calibrate
from landfall.localization.calibration.fit import MATCHES
from landfall.localization.position import agreed_points


@dataclass(frozen=True, eq=False)
class MeasuredCertainty:
    """A calibration and how it holds on queries of known position.

    Attributes:
        calibration: learned from the database; the reason why not, where it could not be.
        result: how honest the answers to the queries are; None without a calibration.
    """

    calibration: Calibration | NoCalibration
    result: CalibrationResult | None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``landfall evaluate --json`` says of it."""
        if isinstance(self.calibration, NoCalibration) or self.result is None:
            reason = self.calibration.reason if isinstance(self.calibration, NoCalibration) else None
            return {"learned": None, "reason": reason, "measured": None}
        return {
            "learned": self.calibration.model_dump(mode="json"),
            "reason": None,
            "measured": self.result.to_dict(),
        }

    def to_lines(self) -> list[str]:
        """Return sentences to read."""
        if isinstance(self.calibration, NoCalibration):
            return [
                f"No confidence is given, for the database can't be calibrated: {self.calibration.reason}"
            ]
        return [self.calibration.describe(), *(() if self.result is None else self.result.to_lines())]


def measure_certainty(
    dataset: Dataset,
    descriptors: NDArray[np.floating],
    database_rows: NDArray[np.int64],
    evaluation: Evaluation,
    *,
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
        seed=seed,
        device=device,
        say=say,
    )
    if isinstance(learned, NoCalibration):
        return MeasuredCertainty(learned, None)
    points, truth = metric_coordinates(database.positions, dataset.queries.positions)
    ranked = evaluation.ranked[:, :matches]
    distances = np.where(ranked < 0, np.inf, evaluation.distances[:, :matches]).astype(np.float64)
    # A match without a position can't vote; it stands last, as one that isn't there.
    distances[~database.positions.known[np.maximum(ranked, 0)]] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")
    ranked, distances = np.take_along_axis(ranked, order, 1), np.take_along_axis(distances, order, 1)
    matched = np.nan_to_num(points[np.maximum(ranked, 0)])
    fixes = agreed_points(matched, distances)
    judged = learned.judge(answer_features(matched, distances, fixes))
    answered = dataset.queries.positions.known & np.isfinite(judged.confidence)
    if not answered.any():
        return MeasuredCertainty(learned, None)
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
    return MeasuredCertainty(learned, result)


def _seconds(taken_at: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Return seconds since 1970, NaN where the time is unknown."""
    return np.where(np.isnat(taken_at), np.nan, taken_at.astype("datetime64[s]").astype(np.float64))
