"""An evaluation as files: its numbers, plots, and a contact sheet of queries and their matches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from landfall.evaluation import Evaluation
from landfall.evaluation.result import format_metres
from landfall.experiments.evaluate import EvaluationRun
from landfall.experiments.sheets import choose_queries, contact_rows
from landfall.rendering import (
    Curve,
    ErrorCurve,
    Page,
    draw_sheet,
    plot_errors,
    plot_recall,
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
        and ``contact_sheet.html``.
    """
    evaluation = run.evaluation
    main_m = f"{format_metres(evaluation.thresholds[0].threshold_m)} m"
    title = f"{run.dataset.label} · {evaluation.model or 'unnamed model'}"
    rows = contact_rows(run.dataset, evaluation, choose_queries(evaluation, shown, seed=seed))
    legend = f"Green: within {main_m} of the query. A sample of {len(rows)} of {evaluation.queries} queries."
    page = Page(title, subtitle=legend)
    page.section("Recall", preformatted(evaluation.to_text()))
    page.section("Queries and their first matches", sheet_section(rows))
    contents: dict[str, bytes | str] = {
        "evaluation.json": json.dumps(evaluation.to_dict(), indent=2, allow_nan=False) + "\n",
        "recall.png": plot_recall(_recall_curves(evaluation), title=title),
        "error_curve.png": plot_errors(
            [ErrorCurve(evaluation.model or "unnamed model", evaluation.errors_m)],
            title=title,
            thresholds_m=[result.threshold_m for result in evaluation.thresholds],
        ),
        "contact_sheet.png": draw_sheet(rows, title=title, legend=legend),
        "contact_sheet.html": page.render(),
    }
    for name, content in contents.items():
        write_output(folder / name, content)
    return [folder / name for name in contents]


def _recall_curves(evaluation: Evaluation) -> list[Curve]:
    x = np.array(evaluation.ks, dtype=np.float64)
    curves = []
    for result in evaluation.thresholds:
        intervals = np.array([result.recall_ci95[k] for k in evaluation.ks])
        recall = np.array([result.recall[k] for k in evaluation.ks])
        label = f"within {format_metres(result.threshold_m)} m"
        curves.append(Curve(label, x, recall, low=intervals[:, 0], high=intervals[:, 1]))
    return curves
