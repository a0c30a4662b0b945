"""An experiment on one test set: the table beside the paper's, the plot, and the differences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from landfall.evaluation.result import format_metres
from landfall.experiments.paper.comparison import Score, number, points
from landfall.experiments.paper.report.document import Block, Bullets, Grid, Heading, Picture, Text
from landfall.experiments.paper.report.summary import ExperimentSummary, OnTest, Row
from landfall.rendering import DARK, LIGHT, Cell, ColumnGroup, Curve, Theme, plot_recall
from landfall.rendering.style import ImageFormat

#: The ranks of the paper's tables, and where its figures have markers.
RANKS = (1, 5, 10, 20)

FIGURES = "figures"


def recall_blocks(summary: ExperimentSummary, test: OnTest) -> Iterator[Block]:
    """Yield what is said of an experiment on one test set."""
    yield Heading(test_heading(test))
    yield Text(about_data(test))
    published = any(row.paper for row in test.rows)
    if published:
        yield Text(about_the_paper(test))
    yield recall_table(test, published=published, several=len(summary.experiment.thresholds_m) > 1)
    if any(row.score is not None for row in test.rows if row.trained):
        yield recall_picture(summary, test)
    if test.against_reference:
        yield Text("At R@1, on the same queries:")
        yield Bullets(tuple(each.to_text() for each in test.against_reference))
    if test.against_start:
        yield Text("What training changed, at R@1:")
        yield Bullets(tuple(each.to_text() for each in test.against_start))
    notes = list(test.warnings)
    if test.failed_photos:
        notes.append(f"{test.failed_photos} photos could not be described and count as misses.")
    if notes:
        yield Bullets(tuple(notes))


def test_heading(test: OnTest) -> str:
    """Return a test set's name, and whose part it plays."""
    label = named(test.label, synthetic=test.synthetic)
    plays = any(row.paper for row in test.rows) and not test.is_the_papers
    return f"{label}, in the role of {test.role}" if plays else label


def named(label: str, *, synthetic: bool) -> str:
    """Return a dataset's label; of a drawn city with a word that says so."""
    return f"{label} (drawn city, synthetic)" if synthetic else label


def about_data(test: OnTest) -> str:
    """Say what is compared with what."""
    protocols = "; ".join(f"{each['name']} ({each['hash']})" for each in test.protocols.values())
    kinds = "Protocols" if len(test.protocols) > 1 else "Protocol"
    said = f"{test.queries} queries, {test.database} database photos. {kinds}: {protocols}."
    ceilings = {row.ceiling for row in test.rows if row.ceiling is not None}
    if len(ceilings) != 1 or len(test.protocols) > 1:
        return said
    ceiling = ceilings.pop()
    if ceiling == 100.0:
        return f"{said} Every query has a positive."
    return f"{said} {number(ceiling)} % of the queries have a positive: no ranking gets further."


def about_the_paper(test: OnTest) -> str:
    """Say what the paper's columns are of."""
    if test.is_the_papers:
        return (
            f"The paper's numbers are of {test.role}. {test.label} is called so; whether it holds the same "
            "photos is not known."
        )
    ours = named(test.label, synthetic=test.synthetic)
    return (
        f"The paper's numbers are of {test.role} and ours of {ours}, other photos: a difference says nothing "
        "of one dataset against the other. What can be compared is the order of the rows."
    )


def recall_table(test: OnTest, *, published: bool, several: bool) -> Grid:
    """Return recall at every rank, paper, ours and the difference where the paper has numbers.

    Args:
        test: the rows.
        published: whether the paper has numbers of any.
        several: whether the rows have ceilings of their own.
    """
    groups = [ColumnGroup("", ("",), numeric=False)]
    columns = {rank: _columns(test, rank) if published else ("ours",) for rank in RANKS}
    if published:
        groups += [ColumnGroup(f"R@{rank}", columns[rank]) for rank in RANKS]
    else:
        groups.append(ColumnGroup("", tuple(f"R@{rank}" for rank in RANKS)))
    rows = []
    for row in test.rows:
        notes = _missing(row)
        if several and row.ceiling is not None:
            notes = (*notes, f"ceiling {number(row.ceiling)}")
        cells = [Cell(row.label, notes)]
        for rank in RANKS:
            by_column = {
                "paper": Cell(number(row.paper[rank]) if rank in row.paper else ""),
                "ours": score_cell(row.score, rank),
                "difference": _difference(row, rank),
            }
            cells += [by_column[column] for column in columns[rank]]
        rows.append(tuple(cells))
    return Grid(tuple(groups), tuple(rows))


def score_cell(score: Score | None, rank: int) -> Cell:
    """Return recall with its interval, and its spread over seeds where there are several."""
    if score is None:
        return Cell()
    low, high = score.ci95[rank]
    notes = [] if math.isnan(low) else [f"[{number(low)}, {number(high)}]"]
    if score.std is not None:
        notes.append(f"± {number(score.std[rank])}")
    return Cell(number(score.recall[rank]), tuple(notes))


def recall_picture(summary: ExperimentSummary, test: OnTest) -> Picture:
    """Return the plot of the trained rows, with intervals and a marker at every rank."""
    name = f"{FIGURES}/{summary.experiment.name}-{test.stem}"
    main_m = format_metres(summary.experiment.thresholds_m[0])
    within = "" if len(summary.experiment.thresholds_m) > 1 else f", within {main_m} m"
    data = f"{named(test.label, synthetic=test.synthetic)}{within}"
    curves = [_curve(row.label, row.score) for row in test.rows if row.trained and row.score is not None]

    def drawn(image_format: ImageFormat, theme: Theme) -> bytes:
        return plot_recall(
            curves, title=summary.experiment.title, subtitle=data, image_format=image_format, theme=theme
        )

    labels = ", ".join(curve.label for curve in curves)
    return Picture(
        {f"{name}.svg": drawn("svg", LIGHT), f"{name}.png": drawn("png", LIGHT)},
        f"Recall at 1, 5, 10 and 20 on {data}: {labels}",
        dark=drawn("svg", DARK),
    )


def _columns(test: OnTest, rank: int) -> tuple[str, ...]:
    return ("paper", "ours", "difference") if any(rank in row.paper for row in test.rows) else ("ours",)


def _difference(row: Row, rank: int) -> Cell:
    difference = row.difference(rank)
    return Cell("" if difference is None else points(difference))


def _missing(row: Row) -> tuple[str, ...]:
    done = 0 if row.score is None else len(row.score.seeds)
    return () if done == row.planned else (f"{done} of {row.planned} runs",)


def _curve(label: str, score: Score) -> Curve:
    intervals: Mapping[int, tuple[float, float]] = score.ci95
    ends = np.array([intervals[rank] for rank in RANKS])
    return Curve(
        label,
        np.array(RANKS, dtype=np.float64),
        np.array([score.recall[rank] for rank in RANKS]),
        low=ends[:, 0],
        high=ends[:, 1],
    )
