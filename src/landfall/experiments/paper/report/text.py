"""What experiments came to, for the terminal: recall, steps, usable queries and ceilings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from landfall.experiments.paper.report.recall_tables import RANKS, about_data, named, score_cell
from landfall.experiments.paper.report.summary import ExperimentSummary, OnTest, told_once


def to_text(summaries: Sequence[ExperimentSummary]) -> str:
    """Return a table for each experiment and test set; those that show no recall are left out."""
    shown = [
        "\n".join(_table(summary, test))
        for summary in summaries
        if summary.variants and summary.experiment.recall_told
        for test in summary.tests
    ]
    return "\n\n".join(shown)


def _table(summary: ExperimentSummary, test: OnTest) -> Iterator[str]:
    experiment = summary.experiment
    yield f"{experiment.name}: {experiment.title} on {named(test.label, synthetic=test.synthetic)}"
    yield about_data(test)
    variants = {variant.label: variant for variant in summary.variants}
    rows = [["", "usable", "steps", "ceiling", *(f"R@{rank}" for rank in RANKS)]]
    for row in test.rows:
        variant, first = variants[row.variant], score_cell(row.score, RANKS[0])
        rows.append(
            [
                row.label,
                str(variant.usable_queries) if row.trained else "",
                told_once(variant.runs, "steps") if row.trained else "",
                "" if row.ceiling is None else f"{row.ceiling:.1f}",
                " ".join((first.text, *first.notes)),
                *(score_cell(row.score, rank).text for rank in RANKS[1:]),
            ]
        )
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    for label, *numbers in rows:
        right = (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
        yield "  ".join((label.ljust(widths[0]), *right)).rstrip()
