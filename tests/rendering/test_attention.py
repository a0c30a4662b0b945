from __future__ import annotations

import io
import math
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from landfall.rendering import (
    DARK,
    LIGHT,
    RIGHT_COLOR,
    WRONG_COLOR,
    AttentionCell,
    AttentionColumn,
    AttentionRow,
    draw_attention,
)
from landfall.rendering.overlay import ColorScale, overlay
from landfall.rendering.style import ImageFormat
from landfall.rendering.text import fit_line, line_width_in, wrap_lines

PINK = (200, 30, 60)
COLUMNS = [AttentionColumn("Photo"), AttentionColumn("crn2", "mask", "weight; 1: as in NetVLAD")]


def photo(height: int = 60, width: int = 80) -> NDArray[np.uint8]:
    return np.full((height, width, 3), PINK, np.uint8)


def ramp(height: int = 3, width: int = 4) -> NDArray[np.float32]:
    return np.linspace(1, 2, height * width, dtype=np.float32).reshape(height, width)


def pixels(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def where(image: NDArray[np.uint8], color: str | tuple[int, ...]) -> NDArray[np.bool_]:
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)] if isinstance(color, str) else color
    return np.asarray((image == np.array(wanted)).all(axis=2))


def draw(rows: list[AttentionRow], image_format: ImageFormat = "png", title: str = "t") -> bytes:
    return draw_attention(COLUMNS, rows, title=title, legend="l", image_format=image_format)


def row(**verdict: bool | None) -> AttentionRow:
    return AttentionRow([AttentionCell(photo(), caption="a.jpg"), AttentionCell(photo(), ramp(), **verdict)])  # type: ignore[arg-type]


def test_a_scale_reaches_from_the_least_to_the_greatest_number_of_all() -> None:
    scale = ColorScale.of([np.array([[0.5, 0.7]]), np.array([[0.2]])])
    # Percentiles of three numbers lie between them, so the ends stand for "as much or more".
    assert 0.2 <= scale.low < 0.21
    assert 0.69 < scale.high <= 0.7
    assert [text for _, text in scale.ticks] == ["≤ 0.206", "≥ 0.696"]


def test_a_number_that_stands_out_does_not_hide_the_rest() -> None:
    values = np.append(np.linspace(1, 2, 999), 1000.0)
    scale = ColorScale.of([values])
    assert scale.high < 2
    assert scale.above
    assert scale.ticks[-1][1].startswith("≥")


@pytest.mark.parametrize("noise", [0.0, 1e-4, 1e-2])
def test_numbers_that_hardly_differ_are_shown_alike(noise: float) -> None:
    # An untrained mask is one but for its rounding; full contrast would show structure where there is none.
    scale = ColorScale.of([np.array([1.0 - noise, 1.0, 1.0 + noise])])
    assert scale.high - scale.low == pytest.approx(0.05, rel=0.02)
    spread = np.ptp(scale.colors(np.array([1.0 - noise, 1.0 + noise])).astype(int), axis=0).max()
    assert spread <= 255 * 2 * noise / 0.05 + 2


def test_numbers_of_either_sign_are_shown_around_zero() -> None:
    scale = ColorScale.of([np.array([-3.0, 0.0, 1.0])])
    assert scale.signed
    assert scale.low == -scale.high
    assert [text for _, text in scale.ticks][1] == "0"
    assert scale.ticks[0][1].startswith("≤ −2.9")
    red, _, blue = scale.colors(np.array([0.0])).astype(int)[0]
    assert abs(red - blue) < 5


@pytest.mark.parametrize("values", [[], [np.zeros((2, 2))], [np.zeros((0, 3))]])
def test_a_scale_of_nothing_is_still_a_scale(values: list[NDArray[np.float64]]) -> None:
    assert [mark for mark, _ in ColorScale.of(values).ticks] == [0.0, 1.0]


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e7])
def test_ticks_tell_the_ends_apart_whatever_the_size(size: float) -> None:
    low, high = (text.split()[-1] for _, text in ColorScale.of([size * np.array([1.0, 1.5])]).ticks)
    assert low != high
    assert math.isclose(float(low), size, rel_tol=0.02)


def test_an_overlay_is_the_bilinear_map_over_the_grey_photo() -> None:
    grey = np.full((24, 36, 3), 90, np.uint8)
    heat = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    scale = ColorScale(0.0, 1.0)
    # torch is the oracle: corners not aligned, so that the map's outer edges are the photo's.
    enlarged = F.interpolate(
        torch.from_numpy(heat)[None, None], (24, 36), mode="bilinear", align_corners=False
    )
    expected = 0.4 * 90 + 0.6 * scale.colors(enlarged[0, 0].numpy())
    assert np.abs(overlay(grey, heat, scale) - expected).max() <= 1.1


def test_an_overlay_of_one_location_has_one_colour() -> None:
    shown = overlay(photo(7, 5), np.ones((1, 1), np.float32), ColorScale(0.0, 1.0))
    assert shown.shape == (7, 5, 3)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 1


def test_the_picture_has_the_stated_layout() -> None:
    image = pixels(draw([row(), row()]))
    # Inches at 160 dots: margins 0.3, columns 3.2 wide and 0.16 apart; 4:3 photos of 2.4 with captions of
    # 0.24, 0.14 apart; heading 0.62, column heads 0.46 and 0.42.
    width = 2 * 0.3 + 2 * 3.2 + 0.16
    height = 2 * 0.3 + 0.62 + 0.46 + 0.42 + 2 * (2.4 + 0.24) + 0.14
    assert image.shape[1] == pytest.approx(width * 160, abs=1)
    assert image.shape[0] == pytest.approx(height * 160, abs=1)
    rows, columns = np.nonzero(where(image, PINK))
    assert columns.min() == pytest.approx(0.3 * 160, abs=2)
    assert columns.max() == pytest.approx(3.5 * 160, abs=2)
    assert rows.min() == pytest.approx(1.8 * 160, abs=2)
    # The photo is plain in its own column and hidden by the map's colours in the other.
    assert where(image, PINK).sum() == pytest.approx(2 * 3.2 * 2.4 * 160**2, rel=0.02)


def test_the_colour_bar_runs_from_end_to_end_over_its_column() -> None:
    image = pixels(draw([row()]))
    scale = ColorScale.of([ramp()])
    first, last = (tuple(int(v) for v in scale.colors(np.array([end]))[0]) for end in (scale.low, scale.high))
    head = image[int(1.2 * 160) : int(1.75 * 160)]
    lowest, highest = np.nonzero(where(head, first))[1], np.nonzero(where(head, last))[1]
    assert lowest.min() == pytest.approx(3.66 * 160, abs=2)
    assert highest.max() == pytest.approx(6.86 * 160, abs=2)
    # Numbers stand under both ends, and nothing of the kind over the plain photo.
    assert where(head, LIGHT.muted)[:, int(3.66 * 160) :].any()
    assert not where(head, LIGHT.muted)[:, : int(3.5 * 160)].any()


def test_right_is_framed_green_and_wrong_red() -> None:
    neutral, right, wrong = (pixels(draw([row(right=verdict)])) for verdict in (None, True, False))
    for image, green, red in ((neutral, False, False), (right, True, False), (wrong, False, True)):
        assert bool(where(image, RIGHT_COLOR).sum() > 1000) == green
        assert bool(where(image, WRONG_COLOR).sum() > 1000) == red


def test_maps_of_a_column_share_its_scale() -> None:
    low = AttentionRow([AttentionCell(photo()), AttentionCell(photo(), np.zeros((3, 4)))])
    high = AttentionRow([AttentionCell(photo()), AttentionCell(photo(), np.ones((3, 4)))])
    image = pixels(draw([low, high]))
    middle = int((3.66 + 1.6) * 160)
    upper, lower = image[int(3.0 * 160), middle], image[int((3.0 + 2.54) * 160), middle]
    grey = round(0.299 * PINK[0] + 0.587 * PINK[1] + 0.114 * PINK[2])
    for shown, end in ((upper, 0.0), (lower, 1.0)):
        expected = 0.4 * grey + 0.6 * ColorScale(0.0, 1.0).colors(np.array([end]))[0]
        assert np.abs(shown - expected).max() <= 1.5


def test_an_empty_place_is_empty_and_its_rows_label_stands_in_it() -> None:
    empty = AttentionRow([None, None])
    labelled = AttentionRow([None, None], label="Photo retrieved first")
    blank, told = pixels(draw([empty])), pixels(draw([labelled]))
    assert blank.shape == told.shape
    assert where(blank[int(1.8 * 160) :], LIGHT.surface).all()
    assert where(told[int(1.8 * 160) :], LIGHT.text).any()


@pytest.mark.parametrize("size", [(300, 100), (50, 900), (1, 1)])
def test_photos_of_any_shape_keep_it(size: tuple[int, int]) -> None:
    rows = [AttentionRow([AttentionCell(photo(*size)), AttentionCell(photo(*size), ramp())])]
    image = pixels(draw(rows))
    shown = where(image, PINK)
    height, width = shown.any(axis=1).sum(), shown.any(axis=0).sum()
    assert width / height == pytest.approx(size[1] / size[0], rel=0.03)
    assert max(image.shape) < 1500


def test_no_rows_give_a_picture_of_headings() -> None:
    assert pixels(draw([])).shape[0] > 200


def test_a_row_must_have_a_cell_a_column() -> None:
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        draw([AttentionRow([None])])


@pytest.mark.parametrize("image_format", ["png", "svg"])
def test_the_same_input_gives_the_same_bytes(image_format: ImageFormat) -> None:
    assert draw([row()], image_format) == draw([row()], image_format)


@pytest.mark.parametrize("text", ["$x^$ of $", "<b>&amp;</b>", "Łódź\nΑθήνα", "a_b^{c" + 200 * "x"])
def test_names_are_plain_text(text: str) -> None:
    columns = [AttentionColumn(text, text, text)]
    rows = [AttentionRow([AttentionCell(photo(), ramp(), caption=text)]), AttentionRow([None], label=text)]
    svg = draw_attention(columns, rows, title=text, legend=text, image_format="svg", theme=DARK)
    ElementTree.fromstring(svg.decode())


def test_lines_fit_into_their_width() -> None:
    text = "a rather long name of a photo @0303216.16@5787903.70@31@U@.jpg"
    for width_in in (0.5, 1.0, 2.5):
        assert line_width_in(fit_line(text, width_in, 9.0), 9.0) <= width_in
    assert fit_line(text, 20.0, 9.0) == text
    lines = wrap_lines(text, 1.2, 9.0)
    assert " ".join(lines) == text
    assert all(line_width_in(line, 9.0) <= 1.2 for line in lines if " " in line)
