from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from landfall.rendering import RIGHT_COLOR, WRONG_COLOR, Page, SheetPhoto, SheetRow, draw_sheet, sheet_section
from landfall.rendering.contact_sheet import metres_text, shorten, usual_aspect
from landfall.rendering.contact_sheet_png import FRAME_PX, SheetLayout, lay_out

BLUE, YELLOW = (30, 60, 200), (230, 200, 40)


def jpeg(color: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def sheet() -> list[SheetRow]:
    right = SheetPhoto("db/right.jpg", jpeg(YELLOW), error_m=3.24, right=True)
    wrong = SheetPhoto("db/wrong.jpg", jpeg(YELLOW), error_m=1234.0, right=False)
    unknown = SheetPhoto("db/unknown.jpg", None)
    return [
        SheetRow(SheetPhoto("q/one.jpg", jpeg(BLUE)), [right, wrong, unknown]),
        SheetRow(SheetPhoto("q/two.jpg", b"not a picture"), []),
    ]


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def drawn(rows: list[SheetRow]) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int16]], SheetLayout]:
    with Image.open(io.BytesIO(draw_sheet(rows, title="Sheet", legend="within 25 m"))) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.int16), lay_out(rows)


def test_the_picture_has_the_size_of_its_layout() -> None:
    pixels, layout = drawn(sheet())

    assert (layout.rows, layout.columns) == (2, 4)
    assert pixels.shape == (layout.size[1], layout.size[0], 3)
    # The last column and its frame are inside.
    assert layout.corner(0, 3)[0] + layout.picture[0] + FRAME_PX < layout.size[0]


def test_photos_stand_in_their_places() -> None:
    pixels, layout = drawn(sheet())
    width, height = layout.picture
    for column, color in enumerate((BLUE, YELLOW, YELLOW, (0xE6, 0xE9, 0xEE))):
        x, y = layout.corner(0, column)
        # Off the middle, where a placeholder has its words.
        assert np.abs(pixels[y + height - 20, x + width - 20] - color).max() <= 6


def test_right_and_wrong_differ_in_frame_and_in_sign() -> None:
    pixels, layout = drawn(sheet())
    signs = []
    for column, color in ((1, RIGHT_COLOR), (2, WRONG_COLOR)):
        x, y = layout.corner(0, column)
        width, height = layout.picture
        for frame in (pixels[y + height + 2, x + 60], pixels[y + 90, x + width + 2], pixels[y + 90, x - 3]):
            assert tuple(frame) == rgb(color)
        badge = pixels[y - FRAME_PX : y - FRAME_PX + 34, x - FRAME_PX : x - FRAME_PX + 34]
        signs.append(np.asarray((badge > 240).all(axis=2)))
    tick, cross = signs
    assert tick.sum() > 40
    assert cross.sum() > 40
    # A cross is the same upside down; a tick is not. This is what is left for those who can't tell the
    # colours.
    assert (cross == cross[::-1]).mean() > 0.9
    assert (tick == tick[::-1]).mean() < 0.9


def test_a_match_of_unknown_worth_has_a_grey_frame_and_a_query_none() -> None:
    pixels, layout = drawn(sheet())

    x, y = layout.corner(0, 3)
    assert tuple(pixels[y + 90, x - 1]) == rgb("#c3cad3")
    x, y = layout.corner(0, 0)
    assert tuple(pixels[y + 90, x - 1]) == (255, 255, 255)


def test_a_missing_and_a_broken_picture_are_placeholders() -> None:
    pixels, layout = drawn(sheet())
    for cell in ((0, 3), (1, 0)):
        x, y = layout.corner(*cell)
        assert tuple(pixels[y + 10, x + 10]) == rgb("#e6e9ee")


def test_a_truncated_jpeg_is_a_placeholder() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG")
    rows = [SheetRow(SheetPhoto("q", buffer.getvalue()[:3000]), [])]

    pixels, layout = drawn(rows)

    x, y = layout.corner(0, 0)
    assert tuple(pixels[y + 5, x + 5]) == rgb("#e6e9ee")


def test_places_have_the_shape_of_the_middling_picture() -> None:
    def rows(*sizes: tuple[int, int]) -> list[SheetRow]:
        return [SheetRow(SheetPhoto("q", jpeg(BLUE, size)), []) for size in sizes]

    assert usual_aspect(rows((100, 100), (100, 100), (300, 100))) == 1.0
    assert usual_aspect(rows((1000, 100))) == pytest.approx(16 / 9)
    assert usual_aspect(rows((10, 100))) == pytest.approx(3 / 4)
    assert usual_aspect([]) == pytest.approx(4 / 3)


def test_an_empty_sheet_is_a_picture_too() -> None:
    pixels, _ = drawn([])

    assert pixels.shape[0] > 0


def test_the_page_says_the_same_in_words() -> None:
    html = Page("Sheet").section("s", sheet_section(sheet())).render()
    text = re.sub(r"<[^>]*>", "|", html[html.index("<main>") :])

    assert "1 · 3.2 m · right" in text
    assert "2 · 1.2 km · wrong" in text
    assert "✓" in text
    assert "✗" in text
    assert text.count("no picture") == 2
    assert "no match" in text
    assert html.count('src="data:image/jpeg;base64,') == 3


def test_hostile_names_are_escaped() -> None:
    name = """<script>alert('x')</script>" onload="alert(1)"""
    html = sheet_section(
        [SheetRow(SheetPhoto(name, jpeg(BLUE), caption=name), [SheetPhoto(name, None, right=True)])]
    ).markup

    assert "<script" not in html
    assert '" onload="' not in html
    draw_sheet([SheetRow(SheetPhoto(name + "\nnext line", None), [])], title=name)


def test_the_same_sheet_gives_the_same_bytes() -> None:
    assert draw_sheet(sheet(), title="t") == draw_sheet(sheet(), title="t")


@pytest.mark.parametrize(
    ("name", "length", "expected"),
    [("short.jpg", 9, "short.jpg"), ("abcdefghij", 5, "ab…ij"), ("abcdefghij", 4, "ab…j"), ("abc", 1, "…")],
)
def test_long_names_lose_their_middle(name: str, length: int, expected: str) -> None:
    assert shorten(name, length) == expected
    assert len(expected) <= length


@pytest.mark.parametrize(
    ("metres", "text"),
    [
        (0.0, "0.0 m"),
        (9.94, "9.9 m"),
        (9.96, "10 m"),
        (999.4, "999 m"),
        (999.6, "1.0 km"),
        (1_234_567.0, "1,234.6 km"),
    ],
)
def test_distances_read_well(metres: float, text: str) -> None:
    assert metres_text(metres) == text
