"""A report as one self-contained page."""

from __future__ import annotations

from html import escape

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
from landfall.rendering import Html, Page, figure, grouped_table, paragraph, preformatted
from landfall.rendering.page import asset


def to_page(document: Document) -> Page:
    """Return the document as a page, pictures inside."""
    page = Page(document.title, subtitle=document.subtitle)
    for section in document.sections:
        anchor = [Html(f'<a id="{escape(section.anchor)}"></a>')] if section.anchor else []
        page.section(section.heading, *anchor, *map(_block, section.blocks))
    return page


def _block(block: Block) -> Html:
    match block:
        case Text(text):
            return paragraph(text)
        case Heading(text):
            return Html(f"<h3>{escape(text)}</h3>", styles=(asset("report.css"),))
        case Bullets(lines):
            items = "".join(f"<li>{escape(line)}</li>" for line in lines)
            return Html(f"<ul>{items}</ul>", styles=(asset("report.css"),))
        case Command(text):
            return preformatted(text)
        case Grid(groups, rows, links):
            return grouped_table(groups, rows, links=links)
        case Picture(files, alt, dark):
            return figure(next(iter(files.values())), alt=alt, dark=dark)
