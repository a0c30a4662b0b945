"""Every number of a report as JSON: ``results.json``, keys always there, null where there is nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from landfall.evaluation.result import format_metres
from landfall.experiments.paper.comparison import Comparison, Interval
from landfall.experiments.paper.report.summary import (
    ExperimentSummary,
    OnTest,
    Row,
    RunSummary,
    VariantSummary,
)
from landfall.experiments.paper.variant import EXPERIMENTS

#: Raised when a reader of the file would have to read it otherwise.
FORMAT = 1


def numbers_of(summaries: Sequence[ExperimentSummary]) -> dict[str, Any]:
    """Return the numbers of experiments that were begun, as JSON takes them."""
    runs = all_runs(summaries)
    return {
        "format": FORMAT,
        "experiments": {each.experiment.name: _experiment(each) for each in summaries},
        "not_run": [name for name in EXPERIMENTS if name not in {each.experiment.name for each in summaries}],
        "runs": {run.name: _run(run) for run in runs},
        "hours": total_hours(runs),
        "environments": [environment for environment, _ in environments(summaries)],
    }


def all_runs(summaries: Iterable[ExperimentSummary]) -> list[RunSummary]:
    """Return the runs of all experiments, each once, however many need it."""
    return list({run.name: run for each in summaries for run in each.runs}.values())


def total_hours(runs: Iterable[RunSummary]) -> float:
    """Return the hours of all trainings that are finished."""
    return sum(run.hours or 0.0 for run in runs)


def environments(summaries: Sequence[ExperimentSummary]) -> list[tuple[dict[str, Any], int]]:
    """Return each environment that runs came from, and how many did; of mere maps that of their record."""
    found = [run.result["environment"] for run in all_runs(summaries) if run.result is not None]
    if not found:
        found = [each.record["environment"] for each in summaries]
    kinds: list[tuple[dict[str, Any], int]] = []
    for environment in found:
        if all(environment != known for known, _ in kinds):
            kinds.append((environment, found.count(environment)))
    return kinds


def _experiment(summary: ExperimentSummary) -> dict[str, Any]:
    experiment, record = summary.experiment, summary.record
    return {
        "title": experiment.title,
        "where": experiment.where or None,
        "finding": experiment.finding or None,
        "command": record["command"],
        "budget": record["budget"],
        "set": record["set"],
        "seeds": record["seeds"],
        "train": record["train"],
        "train_synthetic": record["train_synthetic"],
        "train_queries": record["train_queries"],
        "runs_planned": len(summary.runs),
        "runs_done": summary.done,
        "failed": record["failed"],
        "variants": [_variant(variant) for variant in summary.variants],
        "tests": [_test(test) for test in summary.tests],
        "products": {
            name: {key: value for key, value in told.items() if key != "made_of"}
            for name, told in record["products"].items()
        },
    }


def _variant(variant: VariantSummary) -> dict[str, Any]:
    return {
        "label": variant.label,
        "changes": list(variant.changes),
        "size": list(variant.size),
        "usable_queries": variant.usable_queries,
        "runs": [run.name for run in variant.runs],
        "untrained": [run.name for run in variant.untrained],
        "steps": [_told(run, "steps") for run in variant.runs],
        "best_epochs": [_told(run, "best_epoch") for run in variant.runs],
        "hours": [run.hours for run in variant.runs],
    }


def _run(run: RunSummary) -> dict[str, Any]:
    return {
        "seed": run.seed,
        "trained": run.trained,
        "hours": run.hours,
        **{key: _told(run, key) for key in ("key", "steps", "best_epoch", "epochs", "recipe", "environment")},
    }


def _told(run: RunSummary, key: str) -> Any:
    return None if run.result is None else run.result[key]


def _test(test: OnTest) -> dict[str, Any]:
    return {
        "label": test.label,
        "role": test.role,
        "data_is_named_as_the_papers": test.is_the_papers,
        "synthetic": test.synthetic,
        "database": test.database,
        "queries": test.queries,
        "protocols": {metres: dict(protocol) for metres, protocol in test.protocols.items()},
        "rows": [_row(row, test) for row in test.rows],
        "comparisons": [
            _comparison(each) for each in (*test.against_reference, *test.against_start, *test.others)
        ],
        "failed_photos": test.failed_photos,
        "warnings": list(test.warnings),
    }


def _row(row: Row, test: OnTest) -> dict[str, Any]:
    score = row.score
    return {
        "label": row.label,
        "variant": row.variant,
        "trained": row.trained,
        "threshold_m": row.threshold_m,
        "protocol_hash": test.protocols[format_metres(row.threshold_m)]["hash"],
        "runs_planned": row.planned,
        "seeds": [] if score is None else list(score.seeds),
        "recall": None if score is None else _by_rank(score.recall),
        "recall_ci95": None if score is None else _intervals(score.ci95),
        "recall_std": None if score is None or score.std is None else _by_rank(score.std),
        "paper": _by_rank(row.paper) or None,
        "difference": {
            str(rank): difference for rank in row.paper if (difference := row.difference(rank)) is not None
        }
        or None,
        "ceiling": row.ceiling,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "label": comparison.label,
        "reference": comparison.reference,
        "seeds": list(comparison.seeds),
        "difference": _by_rank(comparison.difference),
        "difference_ci95": _intervals(comparison.ci95),
        "text": comparison.to_text(),
    }


def _by_rank(values: Mapping[int, float]) -> dict[str, float]:
    return {str(rank): value for rank, value in values.items()}


def _intervals(intervals: Mapping[int, Interval]) -> dict[str, list[float | None]]:
    return {str(rank): [_finite(low), _finite(high)] for rank, (low, high) in intervals.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
