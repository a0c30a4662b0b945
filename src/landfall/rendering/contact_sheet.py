"""Queries beside their first matches, so that one sees what was taken for what."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from landfall.rendering.page import Html, asset, data_uri

_NAME_LENGTH = 36


@dataclass(frozen=True, slots=True)
class SheetPhoto:
    """One photo on a sheet.

    Args:
        name: as the user knows it; shortened in the middle where it is long.
        jpeg: a thumbnail, or None for a placeholder.
        caption: a line under the name, or none.
        error_m: how far it was taken from the query, in metres; None where that is unknown.
        right: whether it shows the query's place; None where that is unknown, and for queries.
    """

    name: str
    jpeg: bytes | None
    caption: str = ""
    error_m: float | None = None
    right: bool | None = None


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A query and its matches, best first."""

    query: SheetPhoto
    matches: Sequence[SheetPhoto]


def sheet_section(rows: Sequence[SheetRow]) -> Html:
    """Return a contact sheet to put into a page's section.

    Right matches have a green frame and a tick, wrong ones a red frame and a cross; words say so, too.
    """
    items = "\n".join(_row(row) for row in rows)
    aspect = f"{usual_aspect(rows):.4g}"
    return Html(
        f'<ol class="sheet" style="--aspect: {aspect}">\n{items}\n</ol>', styles=(asset("sheet.css"),)
    )


def usual_aspect(rows: Sequence[SheetRow]) -> float:
    """Return width by height of the sheet's middling picture, kept within 3:4 and 16:9; 4:3 without any."""
    sizes = (_size(photo.jpeg) for row in rows for photo in (row.query, *row.matches))
    aspects = [size[0] / size[1] for size in sizes if size is not None]
    return min(max(median(aspects), 3 / 4), 16 / 9) if aspects else 4 / 3


def shorten(name: str, length: int) -> str:
    """Return ``name`` cut in the middle to at most ``length`` characters: both its ends tell photos apart."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}…{name[len(name) - tail :]}"


def metres_text(metres: float) -> str:
    """Return a distance as a reader wants it: 3.2 m, 47 m, 12.3 km."""
    if metres < 9.95:
        return f"{metres:.1f} m"
    return f"{metres:.0f} m" if metres < 999.5 else f"{metres / 1000:,.1f} km"


def verdict(photo: SheetPhoto) -> tuple[str, str]:
    """Return the photo's sign and word: ("✓", "right"), ("✗", "wrong"), or two empty texts."""
    if photo.right is None:
        return "", ""
    return ("✓", "right") if photo.right else ("✗", "wrong")


def headline(photo: SheetPhoto, place: str) -> str:
    """Return what stands first under a photo: its place on the sheet, how far off it is, right or wrong."""
    distance = "" if photo.error_m is None else metres_text(photo.error_m)
    return " · ".join(part for part in (place, distance, verdict(photo)[1]) if part)


def _size(jpeg: bytes | None) -> tuple[int, int] | None:
    from PIL import Image, UnidentifiedImageError

    if jpeg is None:
        return None
    try:
        # Opening reads the header alone.
        with Image.open(io.BytesIO(jpeg)) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError):
        return None


def _row(row: SheetRow) -> str:
    matches = "".join(f"<li>{_photo(match, str(rank))}</li>" for rank, match in enumerate(row.matches, 1))
    listed = f"<ol>{matches}</ol>" if matches else "<p>no match</p>"
    return f"<li>{_photo(row.query, 'Query')}{listed}</li>"


def _photo(photo: SheetPhoto, place: str) -> str:
    sign, word = verdict(photo)
    name, full_name = escape(shorten(photo.name, _NAME_LENGTH)), escape(photo.name)
    picture = "no picture"
    if photo.jpeg is not None and _size(photo.jpeg) is not None:
        picture = f'<img src="{data_uri(photo.jpeg)}" alt="{full_name}">'
    badge = f'<span class="badge" role="img" aria-label="{word}">{sign}</span>' if sign else ""
    caption = f"<br>{escape(photo.caption)}" if photo.caption else ""
    return (
        f'<figure class="{word}"><div class="picture">{picture}</div>{badge}'
        f'<figcaption title="{full_name}"><b>{escape(headline(photo, place))}</b>{name}{caption}</figcaption>'
        "</figure>"
    )
