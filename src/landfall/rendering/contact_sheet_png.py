"""The contact sheet as one picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from landfall.rendering.contact_sheet import SheetPhoto, SheetRow, headline, shorten, usual_aspect, verdict
from landfall.rendering.style import LIGHT, RIGHT_COLOR, WRONG_COLOR

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

FRAME_PX = 6
_PICTURE_HEIGHT_PX = 180
_MARGIN_PX = 28
_GAP_PX = 18
_QUERY_GAP_PX = 36
_HEADER_PX = 92
_EMPTY = "#e6e9ee"
_NEUTRAL = "#c3cad3"


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """Where things are on the sheet, in pixels.

    Args:
        picture: width and height of each picture's place.
        caption: height of the text under it.
        rows, columns: how many; column 0 is the query.
    """

    picture: tuple[int, int]
    caption: int
    rows: int
    columns: int

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return the left upper corner of a picture, inside its frame."""
        step_x = self.picture[0] + 2 * FRAME_PX + _GAP_PX
        step_y = self.picture[1] + 2 * FRAME_PX + self.caption + _GAP_PX
        x = _MARGIN_PX + column * step_x + (_QUERY_GAP_PX - _GAP_PX if column else 0)
        return x, _HEADER_PX + FRAME_PX + row * step_y

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole sheet; a title needs some width even above a single column."""
        right, _ = self.corner(0, self.columns)
        _, bottom = self.corner(self.rows, 0)
        return max(right - _GAP_PX - FRAME_PX + _MARGIN_PX, 700), max(bottom, _HEADER_PX + _MARGIN_PX)


def lay_out(rows: Sequence[SheetRow]) -> SheetLayout:
    """Return the layout of a sheet; pictures' places have the shape of the middling picture."""
    photos = [photo for row in rows for photo in (row.query, *row.matches)]
    return SheetLayout(
        picture=(round(_PICTURE_HEIGHT_PX * usual_aspect(rows)), _PICTURE_HEIGHT_PX),
        caption=62 if any(photo.caption for photo in photos) else 44,
        rows=len(rows),
        columns=1 + max((len(row.matches) for row in rows), default=0),
    )


def draw_sheet(rows: Sequence[SheetRow], *, title: str, legend: str = "") -> bytes:
    """Draw queries at the left, each with its matches in a row, as a PNG laid out by ``lay_out``.

    Right matches have a green frame and a tick, wrong ones a red frame and a cross, others a grey frame.

    Args:
        rows: a picture that can't be decoded is drawn as a placeholder, as a missing one is.
        title: the heading.
        legend: a line under it, such as what counts as right.
    """
    from PIL import Image, ImageDraw

    layout = lay_out(rows)
    sheet = Image.new("RGB", layout.size, LIGHT.surface)
    pen = ImageDraw.Draw(sheet)
    title_width = layout.size[0] - 2 * _MARGIN_PX
    _text(pen, (_MARGIN_PX, 20), title, _font(22, bold=True), LIGHT.text, title_width)
    _text(pen, (_MARGIN_PX, 52), legend, _font(14), LIGHT.muted, title_width)
    for number, row in enumerate(rows):
        _draw_photo(sheet, pen, row.query, "Query", layout, (number, 0))
        for rank, match in enumerate(row.matches, 1):
            _draw_photo(sheet, pen, match, str(rank), layout, (number, rank))
        if not row.matches:
            pen.text(layout.corner(number, 1), "no match", font=_font(14), fill=LIGHT.muted)
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG")
    return buffer.getvalue()


def _draw_photo(
    sheet: Image, pen: ImageDraw, photo: SheetPhoto, place: str, layout: SheetLayout, cell: tuple[int, int]
) -> None:
    (x, y), (width, height) = layout.corner(*cell), layout.picture
    sign, word = verdict(photo)
    color = {"right": RIGHT_COLOR, "wrong": WRONG_COLOR}.get(word, _NEUTRAL)
    if cell[1] > 0:
        thickness = FRAME_PX if sign else 2
        pen.rectangle(
            (x - thickness, y - thickness, x + width + thickness - 1, y + height + thickness - 1), fill=color
        )
    pen.rectangle((x, y, x + width - 1, y + height - 1), fill=_EMPTY)
    picture = _decode(photo.jpeg, layout.picture)
    if picture is None:
        pen.text((x + width / 2, y + height / 2), "no picture", font=_font(14), fill=LIGHT.muted, anchor="mm")
    else:
        sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
    if sign:
        sheet.paste(_badge(word == "right", color), (x - FRAME_PX, y - FRAME_PX))
    below = y + height + FRAME_PX
    _text(
        pen,
        (x, below + 4),
        headline(photo, place),
        _font(15, bold=True),
        color if sign else LIGHT.text,
        width,
    )
    _text(pen, (x, below + 25), photo.name, _font(12), LIGHT.muted, width)
    _text(pen, (x, below + 42), photo.caption, _font(12), LIGHT.muted, width)


def _decode(jpeg: bytes | None, size: tuple[int, int]) -> Image | None:
    from PIL import Image, ImageOps, UnidentifiedImageError

    if jpeg is None:
        return None
    try:
        with Image.open(io.BytesIO(jpeg)) as picture:
            return ImageOps.contain(picture.convert("RGB"), size)
    except (UnidentifiedImageError, OSError):
        return None


@cache
def _badge(right: bool, color: str) -> Image:
    """Return a tick or a cross, drawn large and scaled down so that its strokes are smooth."""
    from PIL import Image, ImageDraw

    side, fine = 34, 4
    badge = Image.new("RGB", (side * fine, side * fine), color)
    pen = ImageDraw.Draw(badge)
    strokes = [[(9, 18), (15, 24), (26, 11)]] if right else [[(10, 10), (24, 24)], [(24, 10), (10, 24)]]
    for stroke in strokes:
        pen.line([(x * fine, y * fine) for x, y in stroke], fill="white", width=4 * fine, joint="curve")
    return badge.resize((side, side), Image.Resampling.LANCZOS)


@cache
def _font(size: int, *, bold: bool = False) -> FreeTypeFont:
    """Return DejaVu Sans, which matplotlib carries: Latin, Greek and Cyrillic on every machine alike."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / name, size)


def _text(
    pen: ImageDraw, at: tuple[int, int], text: str, font: FreeTypeFont, color: str, width_px: int
) -> None:
    """Write one line of at most ``width_px``, shortened in the middle where it must be."""
    line = " ".join(text.split())
    length = len(line)
    while length > 1 and font.getlength(shorten(line, length)) > width_px:
        length -= 1
    pen.text(at, shorten(line, length), font=font, fill=color)
