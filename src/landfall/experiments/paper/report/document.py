"""A report before it is Markdown or HTML: sections of blocks, so that the two can't say different things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from landfall.rendering import Cell, ColumnGroup


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of lines."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """What to type."""

    text: str


@dataclass(frozen=True)
class Grid:
    """A table.

    Args:
        groups: its columns.
        rows: as many cells each as the groups have columns.
        links: the section that the first cell of a row leads to, by row; empty for none.
    """

    groups: tuple[ColumnGroup, ...]
    rows: tuple[tuple[Cell, ...], ...]
    links: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture.

    Args:
        files: name in the report's folder to content; the first is shown, the others are there to be used.
        alt: what it shows, for those who can't see it.
        dark: the first one for dark pages, or None.
    """

    files: dict[str, bytes]
    alt: str
    dark: bytes | None = None


Block = Text | Heading | Bullets | Command | Grid | Picture


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        heading: its title.
        anchor: what links lead to; empty where none does.
        blocks: what it holds.
    """

    heading: str
    anchor: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    sections: Sequence[Section]
