"""What experiments make beside recall, as blocks of a report: costs, maps, attention pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from landfall.experiments.paper.comparison import number, points
from landfall.experiments.paper.published import TABLE_2_MS, TABLE_2_PARAMETERS
from landfall.experiments.paper.report.document import Block, Grid, Heading, Picture, Text
from landfall.experiments.paper.report.recall_tables import (
    FIGURES,
    about_data,
    about_the_paper,
    named,
    score_cell,
    test_heading,
)
from landfall.experiments.paper.report.summary import ExperimentSummary
from landfall.rendering import Cell, ColumnGroup

#: The rank of table 2.
RANK = 5


def costs_blocks(summary: ExperimentSummary, told: dict[str, Any] | None) -> Iterator[Block]:
    """Yield table 2: parameters, recall at 5 and milliseconds of each head."""
    rows_of = [{row.variant: row for row in test.rows if row.trained} for test in summary.tests]
    groups = [ColumnGroup("", ("",), numeric=False), ColumnGroup("parameters", ("paper", "ours"))]
    for test, rows in zip(summary.tests, rows_of, strict=True):
        columns = ("paper", "ours", "difference") if any(row.paper for row in rows.values()) else ("ours",)
        groups.append(ColumnGroup(f"R@{RANK}, {test.label}", columns))
    groups.append(ColumnGroup("ms a photo", ("paper (K80)", "ours")))
    table = []
    for variant in summary.variants:
        label = variant.label
        cells = [
            Cell(label),
            Cell(f"{TABLE_2_PARAMETERS[label]:,}"),
            Cell("" if told is None else f"{told['parameters'][label]:,}"),
        ]
        for group, rows in zip(groups[2:-1], rows_of, strict=True):
            row = rows[label]
            difference = row.difference(RANK)
            by_column = {
                "paper": Cell(number(row.paper[RANK]) if RANK in row.paper else ""),
                "ours": score_cell(row.score, RANK),
                "difference": Cell("" if difference is None else points(difference)),
            }
            cells += [by_column[column] for column in group.columns]
        cells += _milliseconds(label, summary.variants[0].label, told)
        table.append(tuple(cells))
    yield Grid(tuple(groups), tuple(table))
    yield Text("Parameters without backbone and centroids, as the paper counts them.")
    for test in summary.tests:
        said = f"{test_heading(test)}: {about_data(test)}"
        yield Text(f"{said} {about_the_paper(test)}" if any(row.paper for row in test.rows) else said)
    if told is not None:
        height, width = told["size"]
        environment = told["environment"]
        on = environment["gpu"] or f"processor time of one thread, {environment.get('cpu') or 'CPU'}"
        yield Text(
            f"Milliseconds: median and quartiles of {told['repeats']} passes of one decoded photo of "
            f"{height} x {width} pixels after a warm-up, heads in turns ({on}). The paper's are of photos of "
            "480 x 640 pixels on a Tesla K80: what compares is x, how many times that of "
            f"{summary.variants[0].label}."
        )


def maps_blocks(summary: ExperimentSummary, told: dict[str, Any] | None, pictures: Path) -> Iterator[Block]:
    """Yield figure 3: a map of each dataset's photos."""
    synthetic = {test.label.partition("/")[0] for test in summary.tests if test.synthetic}
    for each in () if told is None else told["maps"]:
        label = named(each["label"], synthetic=each["label"].partition("/")[0] in synthetic)
        files = {
            f"{FIGURES}/{summary.experiment.name}-{each[kind]}": (pictures / each[kind]).read_bytes()
            for kind in ("png", "svg")
        }
        yield Heading(label)
        yield Picture(files, f"Positions of {each['database']} database photos and {each['queries']} queries")


def attention_blocks(
    summary: ExperimentSummary, told: dict[str, Any] | None, pictures: Path, *, shown: Callable[[str], bool]
) -> Iterator[Block]:
    """Yield the visual results.

    Args:
        shown: whether the photos of a test set may be in the report.
    """
    drawn = {} if told is None else {each["label"]: each for each in told["tests"]}
    for test in summary.tests:
        # A test set that came later has none before the experiment ran to its end again.
        each = drawn.get(test.label)
        if each is None:
            continue
        yield Heading(test_heading(test))
        names = [picture["png"] for picture in each["pictures"]]
        if not shown(test.label):
            yield Text(
                f"{len(names)} pictures hold photos of {test.label} and are left out of this report. They "
                f"are in the folder {summary.experiment.name} of the results; --with-photos takes them in."
            )
            continue
        yield Text(
            f"{len(names)} queries, half of them such that {each['reference']}'s first match is wrong, as "
            "far as there are any: not the error rate."
        )
        for number_, picture in enumerate(each["pictures"], start=1):
            name = f"{FIGURES}/{summary.experiment.name}-{Path(picture['png']).stem}.jpg"
            right = [label for label, hit in picture["right"].items() if hit] or ["none"]
            yield Picture(
                {name: _jpeg(pictures / picture["png"])},
                f"Query {number_}: what each head attends to and retrieves; right: {', '.join(right)}",
            )


def _jpeg(path: Path) -> bytes:
    """Return a picture as JPEG: one full of photos takes a tenth of what it takes as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _milliseconds(label: str, reference: str, told: dict[str, Any] | None) -> list[Cell]:
    paper = Cell(f"{TABLE_2_MS[label]:.2f}", (f"{TABLE_2_MS[label] / TABLE_2_MS[reference]:.2f} x",))
    if told is None:
        return [paper, Cell()]
    ms = told["ms"][label]
    ratio = ms["median"] / told["ms"][reference]["median"]
    spread = f"[{ms['low']:.2f}, {ms['high']:.2f}]"
    return [paper, Cell(f"{ms['median']:.2f}", (spread, f"{ratio:.2f} x"))]
