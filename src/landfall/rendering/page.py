"""One self-contained HTML file: styles, scripts and pictures inside, nothing fetched, text escaped.

A page forbids everything that it does not hold itself by a content security policy that lists its own
scripts by their hashes: a text that escaped escaping could still not run, and nothing can be sent
anywhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Self

from landfall.rendering.files import write_output


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of a page that is markup already, and what the page must hold once for it.

    Args:
        markup: put into the page as it is.
        styles, scripts: CSS and JavaScript; equal ones of several pieces are put into the page once.
        image_origins: servers, as "https://tile.example.org", from which the piece may show pictures.
    """

    markup: str
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    image_origins: tuple[str, ...] = ()


class Page:
    """A page made of sections; ``render`` gives the HTML, ``write`` the file.

    Args:
        title: the heading and the window's title.
        subtitle: a line under it.
        full: the one section fills the window, without a heading.
    """

    def __init__(self, title: str, *, subtitle: str = "", full: bool = False) -> None:
        self._title, self._subtitle, self._full = title, subtitle, full
        self._sections: list[tuple[str, tuple[Html, ...]]] = []

    def section(self, heading: str, *body: Html | str) -> Self:
        """Add a section; text that is not ``Html`` becomes an escaped paragraph."""
        self._sections.append(
            (heading, tuple(part if isinstance(part, Html) else paragraph(part) for part in body))
        )
        return self

    def render(self) -> str:
        """Return the whole document."""
        parts = [part for _, body in self._sections for part in body]
        styles = [asset("page.css"), *_once(style for part in parts for style in part.styles)]
        scripts = _once(script for part in parts for script in part.scripts)
        origins = _once(origin for part in parts for origin in part.image_origins)
        hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts) or "'none'"
        policy = (
            f"default-src 'none'; img-src {' '.join(['data:', *origins])}; style-src 'unsafe-inline'; "
            f"script-src {hashes}; base-uri 'none'; form-action 'none'"
        )
        subtitle = f"<p>{escape(self._subtitle)}</p>" if self._subtitle else ""
        return "\n".join(
            [
                "<!DOCTYPE html>",
                '<html lang="en">',
                "<head>",
                '<meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{escape(self._title)}</title>",
                *(f"<style>{style}</style>" for style in styles),
                "</head>",
                '<body class="full">' if self._full else "<body>",
                f"<header><h1>{escape(self._title)}</h1>{subtitle}</header>",
                "<main>",
                *(self._render_section(heading, body) for heading, body in self._sections),
                "</main>",
                *(f"<script>{script}</script>" for script in scripts),
                "</body>",
                "</html>",
                "",
            ]
        )

    def write(self, path: Path) -> None:
        """Write the page beside ``path`` and rename it."""
        write_output(path, self.render())

    def _render_section(self, heading: str, body: tuple[Html, ...]) -> str:
        title = "" if self._full or not heading else f"<h2>{escape(heading)}</h2>\n"
        return f"<section>\n{title}{chr(10).join(part.markup for part in body)}\n</section>"


def paragraph(text: str) -> Html:
    """Return text as a paragraph."""
    return Html(f"<p>{escape(text)}</p>")


def preformatted(text: str) -> Html:
    """Return text whose spaces and line ends stand, such as commands."""
    return Html(f"<pre>{escape(text)}</pre>")


def facts(values: Mapping[str, object]) -> Html:
    """Return a few headline figures, label to value."""
    pairs = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(str(value))}</dd></div>" for label, value in values.items()
    )
    return Html(f'<dl class="facts">{pairs}</dl>')


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numeric: Collection[int] = (),
    caption: str = "",
) -> Html:
    """Return a table; None is an empty cell.

    Args:
        header: one name a column.
        rows: cells as text or anything that ``str`` turns into it.
        numeric: the columns set flush right.

    Raises:
        ValueError: a row with another number of cells than the header.
    """

    def row(cells: Sequence[object], tag: str) -> str:
        if len(cells) != len(header):
            raise ValueError(f"A row of {len(cells)} cells under a header of {len(header)}: {list(cells)}")
        aligned = (' class="number"' if column in numeric else "" for column in range(len(cells)))
        return "".join(
            f"<{tag}{css}>{'' if cell is None else escape(str(cell))}</{tag}>"
            for css, cell in zip(aligned, cells, strict=True)
        )

    body = "\n".join(f"<tr>{row(cells, 'td')}</tr>" for cells in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = f"<thead><tr>{row(header, 'th')}</tr></thead>"
    return Html(f'<div class="table"><table>{title}{head}<tbody>\n{body}\n</tbody></table></div>')


def figure(image: bytes, *, alt: str, caption: str = "", dark: bytes | None = None) -> Html:
    """Return a PNG, JPEG or SVG file inside the page.

    Args:
        image: the file's bytes.
        alt: what it shows, for those who can't see it.
        dark: the same picture for readers who prefer dark pages.
    """
    night = (
        f'<source media="(prefers-color-scheme: dark)" srcset="{data_uri(dark)}">' if dark is not None else ""
    )
    text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return Html(
        f'<figure><picture>{night}<img src="{data_uri(image)}" alt="{escape(alt)}"></picture>{text}</figure>'
    )


def data_uri(image: bytes) -> str:
    """Return a PNG, JPEG or SVG file as a ``data:`` URI.

    Raises:
        ValueError: none of the three.
    """
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "png"
    elif image.startswith(b"\xff\xd8\xff"):
        kind = "jpeg"
    elif b"<svg" in image[:2000]:
        kind = "svg+xml"
    else:
        raise ValueError(f"A picture that starts with {image[:8]!r} is no PNG, JPEG or SVG")
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


@cache
def asset(name: str) -> str:
    """Return one of the package's own style sheets and scripts."""
    return resources.files("landfall.rendering").joinpath("assets", name).read_text(encoding="utf-8")


def _once(things: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(things))


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
