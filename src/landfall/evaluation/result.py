"""What one model's descriptors give on one split, as an object, as JSON and as a table to read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Protocol
from landfall.evaluation.error_curve import CURVE_M, ErrorSummary, share_within
from landfall.evaluation.resources import peak_rss_mb
from landfall.photos import PhotoProblem


@dataclass(frozen=True, eq=False)
class ThresholdResult:
    """Recall at one positive distance.

    Attributes:
        threshold_m: the positive distance.
        protocol: what is compared with what; numbers of different hashes don't belong in one column.
        hits: (Q, len(ks)) bool, who is right at each rank of ``ks``.
        recall: percent of all queries by rank.
        recall_ci95: (low, high) in percent by rank, resampling spots; NaN where there is one spot only.
        queries_without_positive: queries that no ranking could get right.
        ceiling: the best recall that any ranking could reach, in percent.
    """

    threshold_m: float
    protocol: Protocol
    hits: NDArray[np.bool_]
    recall: dict[int, float]
    recall_ci95: dict[int, tuple[float, float]]
    queries_without_positive: int
    ceiling: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one model's descriptors give on one split.

    Attributes:
        dataset, split, layout: which photos.
        denominator: of recall, in words.
        model, descriptor_dim: what described them; the name is None where it isn't known.
        database, queries, spots: counts of database photos, queries, and spots among the queries.
        ks: the ranks N of recall@N.
        thresholds: one result for each positive distance, as given; the first is the main one.
        ranked: (Q, K) int64 database rows, nearest first; -1 where nothing was retrieved.
        distances: (Q, K) float32 descriptor distances, infinite where nothing was retrieved.
        errors_m: (Q,) metres to the first match; infinite without a match, NaN where unknown.
        first_match: what those come to.
        query_spots: (Q,) the spot of each query, for comparing models on the same draws.
        failed: photos without a descriptor; the database's can't be retrieved, the queries' are misses.
        warnings: what a reader must know before using the numbers.
    """

    dataset: str
    split: str | None
    layout: str
    denominator: str
    model: str | None
    descriptor_dim: int
    database: int
    queries: int
    spots: int
    ks: tuple[int, ...]
    thresholds: tuple[ThresholdResult, ...]
    ranked: NDArray[np.int64]
    distances: NDArray[np.float32]
    errors_m: NDArray[np.float64]
    first_match: ErrorSummary
    query_spots: NDArray[np.int64]
    failed: tuple[PhotoProblem, ...]
    warnings: tuple[str, ...]
    seed: int
    extract_photos_per_s: float | None
    search_ms_per_query: float
    peak_rss_mb: float | None

    @property
    def recall(self) -> dict[int, float]:
        """Recall at the first threshold, percent by rank."""
        return self.thresholds[0].recall

    def with_extraction(
        self, *, model: str, photos_per_s: float | None, failed: Sequence[PhotoProblem]
    ) -> Evaluation:
        """Return this with what only the extraction knows: who described, how fast, and why photos failed."""
        return replace(
            self,
            model=model,
            extract_photos_per_s=photos_per_s,
            failed=tuple(failed),
            peak_rss_mb=peak_rss_mb(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``landfall evaluate --json`` writes; ``None`` where nothing can be said."""
        main = self.thresholds[0]
        by_metres = {format_metres(result.threshold_m): result for result in self.thresholds}
        return {
            "dataset": self.dataset,
            "split": self.split,
            "layout": self.layout,
            "protocol": main.protocol.name,
            "protocol_hash": main.protocol.hash,
            "denominator": self.denominator,
            "model": self.model,
            "descriptor_dim": self.descriptor_dim,
            "database": self.database,
            "queries": self.queries,
            "query_spots": self.spots,
            "queries_without_positive": main.queries_without_positive,
            "threshold_m": main.threshold_m,
            "ceiling": main.ceiling,
            "recall": _by_rank(main.recall),
            "recall_ci95": _intervals_by_rank(main.recall_ci95),
            "recalls": {metres: _by_rank(result.recall) for metres, result in by_metres.items()},
            "recalls_ci95": {m: _intervals_by_rank(result.recall_ci95) for m, result in by_metres.items()},
            "protocol_hashes": {metres: result.protocol.hash for metres, result in by_metres.items()},
            "ceilings": {metres: result.ceiling for metres, result in by_metres.items()},
            "queries_without_positive_within": {
                metres: result.queries_without_positive for metres, result in by_metres.items()
            },
            "first_match_error_m": {
                "median": _finite(self.first_match.median_m),
                "p90": _finite(self.first_match.p90_m),
                "unknown": self.first_match.unknown,
                "within": {format_metres(metres): percent for metres, percent in self.first_match.within},
            },
            "error_curve": {
                "metres": [round(metres, 2) for metres in CURVE_M.tolist()],
                "percent": [round(percent, 3) for percent in share_within(self.errors_m, CURVE_M).tolist()],
            },
            "failed": [problem.to_dict() for problem in self.failed],
            "warnings": list(self.warnings),
            "seed": self.seed,
            "extract_photos_per_s": self.extract_photos_per_s,
            "search_ms_per_query": self.search_ms_per_query,
            "peak_rss_mb": self.peak_rss_mb,
        }

    def to_text(self) -> str:
        """Return the table that ``landfall evaluate`` prints."""
        label = self.dataset if self.split is None else f"{self.dataset}, split {self.split}"
        lines = [
            f"{label}: {self.queries} queries at {self.spots} spots, {self.database} database photos",
            f"Protocol {self.thresholds[0].protocol.name} ({self.thresholds[0].protocol.hash})",
            f"Model {self.model or '(not named)'}, {self.descriptor_dim} dimensions",
            "",
            *_table(self.ks, self.thresholds),
            "",
            f"Recall@N in percent of {self.denominator} [95 % interval over spots]; "
            "ceiling: what the best ranking could reach.",
            _error_line(self.first_match),
        ]
        if self.failed:
            lines += [f"{len(self.failed)} photos could not be described:"]
            lines += [f"  {problem.photo}: {problem.reason}" for problem in self.failed]
        lines += [f"WARNING: {warning}" for warning in self.warnings]
        return "\n".join(lines) + "\n"


def format_metres(metres: float) -> str:
    """Write metres as a key: 25.0 as "25", 2.5 as "2.5", never with an exponent."""
    return np.format_float_positional(metres, trim="-")


def _table(ks: tuple[int, ...], results: Sequence[ThresholdResult]) -> list[str]:
    header = ["within", *(f"R@{k}" for k in ks), "ceiling", "no positive", "protocol"]
    rows = [
        [
            f"{format_metres(result.threshold_m)} m",
            *(f"{result.recall[k]:.1f} {_interval(result.recall_ci95[k])}" for k in ks),
            f"{result.ceiling:.1f}",
            str(result.queries_without_positive),
            result.protocol.hash,
        ]
        for result in results
    ]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in (header, *rows)
    ]


def _interval(interval: tuple[float, float]) -> str:
    low, high = interval
    return "[-]" if math.isnan(low) else f"[{low:.1f}, {high:.1f}]"


def _error_line(errors: ErrorSummary) -> str:
    def metres(value: float) -> str:
        return f"{value:,.1f} m" if math.isfinite(value) else "not reached"

    unknown = f" ({errors.unknown} queries of unknown error left out)" if errors.unknown else ""
    return f"First match: median error {metres(errors.median_m)}, 90 % within {metres(errors.p90_m)}{unknown}"


def _by_rank(recall: dict[int, float]) -> dict[str, float]:
    return {str(k): percent for k, percent in recall.items()}


def _intervals_by_rank(intervals: dict[int, tuple[float, float]]) -> dict[str, list[float | None]]:
    return {str(k): [_finite(low), _finite(high)] for k, (low, high) in intervals.items()}


def _finite(value: float) -> float | None:
    """JSON has no infinity and no NaN."""
    return value if math.isfinite(value) else None
