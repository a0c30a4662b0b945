"""An evaluation as files: its numbers, plots, and a contact sheet of queries and their matches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.evaluation import Evaluation
from landfall.evaluation.result import format_metres
from landfall.experiments.evaluate import EvaluationRun
from landfall.experiments.sheets import choose_queries, contact_rows
from landfall.rendering import (
    Curve,
    ErrorCurve,
    Page,
    ReliabilityBins,
    RiskCurve,
    draw_sheet,
    plot_errors,
    plot_recall,
    plot_reliability,
    plot_risk_coverage,
    preformatted,
    sheet_section,
    write_output,
)


def write_report(run: EvaluationRun, folder: Path, *, shown: int = 12, seed: int = 0) -> list[Path]:
    """Write an evaluation as files: the numbers as JSON, two plots, and a contact sheet as picture and page.

    Args:
        run: of :func:`evaluate_model`.
        folder: made if it is missing; files of an earlier report there are replaced.
        shown: queries on the contact sheet.
        seed: of their choice.

    Returns:
        the files written: ``evaluation.json``, ``recall.png``, ``error_curve.png``, ``contact_sheet.png``
        and ``contact_sheet.html``; where certainty was measured two more plots.
    """
    evaluation = run.evaluation
    main_m = f"{format_metres(evaluation.thresholds[0].threshold_m)} m"
    title = f"{run.dataset.label} · {evaluation.model or 'unnamed model'}"
    chosen = choose_queries(evaluation, shown, seed=seed)
    rows = contact_rows(run.dataset, evaluation, chosen)
    legend = f"{_sample(evaluation, chosen)} Green: within {main_m} of the query."
    page = Page(title, subtitle=legend)
    page.section("Recall", preformatted(run.to_text()))
    page.section("Queries and their first matches", sheet_section(rows))
    contents: dict[str, bytes | str] = {
        "evaluation.json": json.dumps(run.to_dict(), indent=2, allow_nan=False) + "\n",
        "recall.png": plot_recall(_recall_curves(evaluation), title=title),
        "error_curve.png": plot_errors(
            [ErrorCurve(evaluation.model or "unnamed model", evaluation.errors_m)],
            title=title,
            thresholds_m=[result.threshold_m for result in evaluation.thresholds],
        ),
        "contact_sheet.png": draw_sheet(rows, title=title, legend=legend),
        "contact_sheet.html": page.render(),
    }
    contents |= _certainty_plots(run, title)
    for name, content in contents.items():
        write_output(folder / name, content)
    return [folder / name for name in contents]


def _certainty_plots(run: EvaluationRun, title: str) -> dict[str, bytes | str]:
    result = None if run.certainty is None else run.certainty.result
    if result is None:
        return {}
    bins = result.reliability
    return {
        "reliability.png": plot_reliability(
            ReliabilityBins(bins.said, bins.held, bins.counts),
            title=title,
            subtitle=f"calibration error {bins.error:.3f}, noise floor {result.floor:.3f}",
        ),
        "risk_coverage.png": plot_risk_coverage(
            [RiskCurve(run.evaluation.model or "unnamed model", result.curve.coverage, result.curve.risk)],
            title=title,
            subtitle=f"area {result.curve.area:.4f}; wrong: further than 25 m from the truth",
        ),
    }


def _sample(evaluation: Evaluation, chosen: NDArray[np.int64]) -> str:
    """Say in a line how the queries shown were chosen, lest their share of wrong ones be read as a result."""
    right = evaluation.thresholds[0].hits[:, 0]
    wrong_of_all, wrong = int((~right).sum()), int((~right[chosen]).sum())
    if len(chosen) == len(right):
        return f"All {len(right)} queries, first the {wrong} with a wrong first match."
    more = " (more, for want of right ones)" if wrong > len(chosen) - len(chosen) // 2 else ""
    return (
        f"{len(chosen)} of {len(right)} queries, wrong ones first: up to half of the sample{more}, not the "
        f"error rate. {wrong} of all {wrong_of_all} with a wrong first match, then "
        f"{len(chosen) - wrong} of {len(right) - wrong_of_all} others."
    )


def _recall_curves(evaluation: Evaluation) -> list[Curve]:
    x = np.array(evaluation.ks, dtype=np.float64)
    curves = []
    for result in evaluation.thresholds:
        intervals = np.array([result.recall_ci95[k] for k in evaluation.ks])
        recall = np.array([result.recall[k] for k in evaluation.ks])
        label = f"within {format_metres(result.threshold_m)} m"
        curves.append(Curve(label, x, recall, low=intervals[:, 0], high=intervals[:, 1]))
    return curves
