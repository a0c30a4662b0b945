"""How honest an answer's confidence and radius are.

A confidence is calibrated when, of the answers that say 80 %, 80 % are right. That is measured in bins of
equal counts (Nixon et al., "Measuring Calibration in Deep Learning", 2019): the mean gap between what a bin
says and what holds there is the expected calibration error. Even a perfectly calibrated model shows some at a
finite number of queries; that *noise floor* is simulated and stated beside it, for an error without it says
little. Whether confidence *sorts* answers is another question, told by the risk-coverage curve (Geifman and
El-Yaniv, "Selective Classification for Deep Neural Networks", 2017) and by the average precision of
accepting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.evaluation.intervals import bootstrap_interval, resampled_queries

BINS = 10
FLOOR_DRAWS = 1000
BOOTSTRAP_DRAWS = 500

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """What confidences say and what holds, bin by bin.

    Attributes:
        said: (B,) mean confidence of each bin, 0 to 1, ascending.
        held: (B,) share of right answers in it.
        counts: (B,) answers in it.
    """

    said: Floats
    held: Floats
    counts: NDArray[np.int64]

    @property
    def error(self) -> float:
        """The expected calibration error: mean over answers of the gap of their bin."""
        return float(np.sum(self.counts * np.abs(self.said - self.held)) / self.counts.sum())


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> Reliability:
    """Sort answers into bins of equal counts by confidence and compare what they say with what holds.

    Args:
        confidence: (Q,) probabilities that the answer is right.
        right: (Q,) whether it is.
        bins: how many; fewer where there are fewer answers.

    Raises:
        UsageError: no answers, lengths that differ, or confidences outside 0 to 1.
    """
    said = np.asarray(confidence, np.float64)
    if len(said) == 0 or said.shape != np.shape(right):
        raise UsageError(
            f"Calibration needs a confidence and a truth for each answer; got {said.shape} and "
            f"{np.shape(right)}."
        )
    if not ((said >= 0.0) & (said <= 1.0)).all():
        raise UsageError("A confidence is a probability from 0 to 1; some are outside it, or not known.")
    order = np.argsort(said, kind="stable")
    edges = _edges(len(said), bins)
    counts = np.diff(edges)
    return Reliability(
        np.add.reduceat(said[order], edges[:-1]) / counts,
        np.add.reduceat(np.asarray(right, np.float64)[order], edges[:-1]) / counts,
        counts,
    )


def noise_floor(confidence: Floats, *, bins: int = BINS, draws: int = FLOOR_DRAWS, seed: int = 0) -> float:
    """Return the calibration error that a perfectly calibrated model would show at these confidences.

    The truth of each answer is drawn with the probability that it states; the mean error over draws is what
    the number of queries alone makes.
    """
    said = np.sort(np.asarray(confidence, np.float64))
    edges = _edges(len(said), bins)
    counts = np.diff(edges)
    rng = np.random.default_rng(seed)
    # A bin's count of right answers is all that matters, but its answers differ: so each is drawn.
    gaps = np.empty((draws, len(counts)))
    for draw in range(draws):
        right = rng.random(len(said)) < said
        gaps[draw] = np.abs(np.add.reduceat(said - right, edges[:-1]))
    return float(gaps.sum(axis=1).mean() / len(said))


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """What part of the answers is wrong when only the surest are given.

    Attributes:
        coverage: (Q,) share of queries answered, 1/Q to 1.
        risk: (Q,) share of those answers that is wrong.
    """

    coverage: Floats
    risk: Floats

    @property
    def area(self) -> float:
        """The area under the curve; smaller is better, and guessing has the share of wrong answers."""
        return float(self.risk.mean())

    def risk_at(self, coverage: float) -> float:
        """Return the risk when a share of the queries is answered."""
        answered = max(1, round(coverage * len(self.risk)))
        return float(self.risk[answered - 1])


def risk_coverage(confidence: Floats, right: NDArray[np.bool_]) -> RiskCoverage:
    """Answer the surest first. Equal confidences are taken in a random order, on average."""
    said = np.asarray(confidence, np.float64)
    order = np.argsort(-said, kind="stable")
    wrong = ~np.asarray(right, np.bool_)[order]
    _, group, counts = np.unique(-said[order], return_inverse=True, return_counts=True)
    # The mean over all orders of a tie: each of its answers is as wrong as the tie is.
    shared = (np.bincount(group, weights=wrong) / counts)[group]
    answered = np.arange(1, len(said) + 1)
    return RiskCoverage(answered / len(said), np.cumsum(shared) / answered)


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """How honest the answers to Q queries are.

    Attributes:
        queries: Q, all with a known truth.
        right_share: share of answers that are right.
        reliability: bins of equal counts.
        error_ci95: interval of the calibration error, resampling spots.
        floor: the error that perfect calibration would show here.
        curve: risk against coverage.
        average_precision: of accepting by confidence: 1 when every right answer is surer than every wrong.
        radius_coverage: share of queries whose truth lies within the stated radius, of ``radius_queries``.
        radius_coverage_ci95: its interval, resampling spots.
        radius_queries: queries that have a positive and a radius.
        median_radius_m: of those.
        accepted_share: share of queries whose answer is accepted.
        accepted_right_share: share of the accepted ones that are right; None where none is accepted.
    """

    queries: int
    right_share: float
    reliability: Reliability
    error_ci95: tuple[float, float]
    floor: float
    curve: RiskCoverage
    average_precision: float | None
    radius_coverage: float | None
    radius_coverage_ci95: tuple[float, float] | None
    radius_queries: int
    median_radius_m: float | None
    accepted_share: float
    accepted_right_share: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as ``landfall evaluate --json`` writes them; shares from 0 to 1."""
        return {
            "queries": self.queries,
            "right_share": self.right_share,
            "expected_calibration_error": self.reliability.error,
            "expected_calibration_error_ci95": _pair(self.error_ci95),
            "noise_floor": self.floor,
            "reliability": {
                "said": self.reliability.said.tolist(),
                "held": self.reliability.held.tolist(),
                "counts": self.reliability.counts.tolist(),
            },
            "risk_coverage_area": self.curve.area,
            "risk_at_half": self.curve.risk_at(0.5),
            "average_precision": self.average_precision,
            "radius_coverage": self.radius_coverage,
            "radius_coverage_ci95": _pair(self.radius_coverage_ci95),
            "radius_queries": self.radius_queries,
            "median_radius_m": self.median_radius_m,
            "accepted_share": self.accepted_share,
            "accepted_right_share": self.accepted_right_share,
        }

    def to_lines(self) -> list[str]:
        """Return the numbers as sentences to read."""
        wrong, half = 100 * (1 - self.right_share), 100 * self.curve.risk_at(0.5)
        low, high = self.error_ci95
        lines = [
            f"Confidence: calibration error {self.reliability.error:.3f} [{low:.3f}, {high:.3f}]; perfect "
            f"calibration would show {self.floor:.3f} at {self.queries} queries",
            f"Refusing the less sure half: {half:.1f} % of the answers left are wrong, of all {wrong:.1f} %; "
            f"area under risk and coverage {self.curve.area:.4f}, average precision "
            + ("-" if self.average_precision is None else f"{self.average_precision:.3f}"),
        ]
        if self.radius_coverage is not None and self.median_radius_m is not None:
            low, high = self.radius_coverage_ci95 or (np.nan, np.nan)
            lines.append(
                f"Radius: holds the truth of {100 * self.radius_coverage:.1f} % [{100 * low:.1f}, "
                f"{100 * high:.1f}] of {self.radius_queries} queries with a positive; median "
                f"{self.median_radius_m:.0f} m"
            )
        right = self.accepted_right_share
        lines.append(
            f"Accepted: {100 * self.accepted_share:.1f} % of the answers"
            + ("" if right is None else f", of which {100 * right:.1f} % are right")
        )
        return lines


def measure_calibration(
    confidence: Floats,
    radius_m: Floats,
    accepted: NDArray[np.bool_],
    errors_m: Floats,
    *,
    has_positive: NDArray[np.bool_],
    spots: NDArray[np.integer],
    within_m: float = 25.0,
    seed: int = 0,
) -> CalibrationResult:
    """Compare what Q answers say of themselves with the truth.

    Args:
        confidence: (Q,) probabilities that the answer lies within ``within_m`` of the truth.
        radius_m: (Q,) stated radii; NaN where none is given.
        accepted: (Q,) whether the answer was accepted.
        errors_m: (Q,) metres between answer and truth.
        has_positive: (Q,) whether the index has a photo within ``within_m`` of the query.
        spots: (Q,) the spot of each query.
        within_m: what "right" means.
        seed: of the draws.

    Raises:
        UsageError: no queries, or confidences that are none.
    """
    from sklearn.metrics import average_precision_score  # takes a second to import

    errors = np.asarray(errors_m, np.float64)
    right = errors <= within_m
    bins = reliability(confidence, right)
    drawn = [
        reliability(confidence[rows], right[rows]).error
        for rows in resampled_queries(spots, resamples=BOOTSTRAP_DRAWS, seed=seed)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
    told = has_positive & np.isfinite(radius_m)
    holds = (errors <= radius_m)[told]
    held_low, held_high = (
        bootstrap_interval(holds, spots[told], seed=seed) if told.any() else (np.nan, np.nan)
    )
    return CalibrationResult(
        queries=len(errors),
        right_share=float(right.mean()),
        reliability=bins,
        error_ci95=(float(low), float(high)),
        floor=noise_floor(confidence, seed=seed),
        curve=risk_coverage(confidence, right),
        # Of one kind only there is nothing to sort.
        average_precision=float(average_precision_score(right, confidence)) if right.any() else None,
        radius_coverage=float(holds.mean()) if told.any() else None,
        radius_coverage_ci95=(float(held_low), float(held_high)) if told.any() else None,
        radius_queries=int(told.sum()),
        median_radius_m=float(np.median(radius_m[told])) if told.any() else None,
        accepted_share=float(accepted.mean()),
        accepted_right_share=float(right[accepted].mean()) if accepted.any() else None,
    )


def _pair(interval: tuple[float, float] | None) -> list[float | None] | None:
    """JSON has no NaN."""
    return None if interval is None else [x if np.isfinite(x) else None for x in interval]


def _edges(answers: int, bins: int) -> NDArray[np.int64]:
    """Return where bins of equal counts begin and end among sorted answers: (B + 1,)."""
    return np.linspace(0, answers, min(bins, answers) + 1).round().astype(np.int64)
