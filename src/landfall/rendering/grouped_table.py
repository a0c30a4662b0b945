"""A table whose columns stand in groups, such as a paper's number, the one measured, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from landfall.rendering.page import Html, asset


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Columns under one heading.

    Args:
        title: over all of them; empty for none.
        columns: their own headings.
        numeric: set flush right.
    """

    title: str
    columns: tuple[str, ...]
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Args:
        text: empty where there is nothing.
        notes: what a reader needs second, smaller and each on a line below.
    """

    text: str = ""
    notes: tuple[str, ...] = ()


def grouped_table(
    groups: Sequence[ColumnGroup], rows: Sequence[Sequence[Cell]], *, links: Sequence[str] = ()
) -> Html:
    """Return a table with two rows of headings; one row where no group has a title.

    Args:
        groups: from left to right.
        rows: as many cells each as the groups have columns.
        links: the anchor on the same page that the first cell of each row leads to; empty for none.

    Raises:
        ValueError: a row with another number of cells.
    """
    numeric = [group.numeric for group in groups for _ in group.columns]
    starts = list(accumulate((len(group.columns) for group in groups), initial=0))[:-1]
    first = set(starts)
    for cells in rows:
        if len(cells) != len(numeric):
            raise ValueError(f"A row of {len(cells)} cells under {len(numeric)} columns")
    titles = "".join(
        f'<th colspan="{len(group.columns)}"{_classes(False, at in first)}>{escape(group.title)}</th>'
        for at, group in zip(starts, groups, strict=True)
    )
    names = [name for group in groups for name in group.columns]
    heads = "".join(
        f"<th{_classes(numeric[at], at in first)}>{escape(name)}</th>" for at, name in enumerate(names)
    )
    top = f'<tr class="groups">{titles}</tr>' if any(group.title for group in groups) else ""
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td{_classes(numeric[at], at in first)}>{_inner(cell, link if at == 0 else '')}</td>"
            for at, cell in enumerate(cells)
        )
        + "</tr>"
        for cells, link in zip(rows, links or [""] * len(rows), strict=True)
    )
    return Html(
        f'<div class="table"><table class="grouped"><thead>{top}<tr>{heads}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>",
        styles=(asset("grouped_table.css"),),
    )


def _inner(cell: Cell, link: str) -> str:
    notes = "".join(f"<small>{escape(note)}</small>" for note in cell.notes)
    text = f'<a href="#{escape(link)}">{escape(cell.text)}</a>' if link else escape(cell.text)
    return text + notes


def _classes(numeric: bool, first: bool) -> str:
    names = [name for name, wanted in (("number", numeric), ("first", first)) if wanted]
    return f' class="{" ".join(names)}"' if names else ""
