"""A report as Markdown, as GitHub and others read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from landfall.experiments.paper.report.document import (
    Block,
    Bullets,
    Command,
    Document,
    Grid,
    Heading,
    Picture,
    Text,
)
from landfall.rendering import Cell

# Brackets mean something before a parenthesis alone, and underscores at the ends of words.
_MEANT = re.compile(r"([\\`*<|]|(?<!\w)_|_(?!\w)|\](?=\())")


def to_markdown(document: Document) -> str:
    """Return the document as Markdown; pictures are named by their files."""
    parts = [f"# {_plain(document.title)}", _plain(document.subtitle)]
    for section in document.sections:
        if section.anchor:
            parts.append(f'<a id="{section.anchor}"></a>')
        parts.append(f"## {_plain(section.heading)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return _plain(text)
        case Heading(text):
            return f"### {_plain(text)}"
        case Bullets(lines):
            return "\n".join(f"- {_plain(line)}" for line in lines)
        case Command(text):
            return f"```\n{text}\n```"
        case Grid():
            return "\n".join(_grid(block))
        case Picture(files, alt):
            return _picture(list(files), alt)


def _grid(grid: Grid) -> Iterator[str]:
    names = [f"{group.title} {column}".strip() for group in grid.groups for column in group.columns]
    numeric = [group.numeric for group in grid.groups for _ in group.columns]
    yield _line([_plain(name) for name in names])
    yield _line(["---:" if right else "---" for right in numeric])
    for number, cells in enumerate(grid.rows):
        texts = [_cell(cell) for cell in cells]
        if grid.links and grid.links[number]:
            texts[0] = f"[{texts[0]}](#{grid.links[number]})"
        yield _line(texts)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return _plain(" ".join((cell.text, *cell.notes)).strip())


def _picture(files: list[str], alt: str) -> str:
    shown, *others = files
    told = alt.replace("[", "(").replace("]", ")").replace("\n", " ")
    links = "".join(f" [{name.rpartition('.')[2].upper()}]({name})" for name in others)
    return f"![{told}]({shown})" + (f"\n\nAlso as{links}" if links else "")


def _plain(text: str) -> str:
    """Return text whose characters mean nothing to Markdown."""
    return _MEANT.sub(r"\\\1", text)
