"""Two photos side by side with lines between what both show."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.rendering import DARK, MatchPhoto, draw_matches
from landfall.rendering.match_lines import _ranks, _spread

PINK, BLUE = (200, 30, 60), (20, 60, 200)


def photo(
    color: tuple[int, int, int], xy: NDArray[np.floating], height: int = 60, width: int = 80
) -> MatchPhoto:
    return MatchPhoto(np.full((height, width, 3), color, np.uint8), "a photo $of$ mine.jpg", xy)


def pixels(png: bytes) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(np.int16)


def box(image: NDArray[np.int16], color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return the left, top, right and bottom of what has a colour."""
    down, across = np.nonzero((image == np.array(color)).all(axis=2))
    return int(across.min()), int(down.min()), int(across.max()), int(down.max())


def test_a_line_runs_from_a_place_to_its_place_on_the_other_photo() -> None:
    a, b = np.array([[0.25, 0.5]]), np.array([[0.75, 0.25]])
    image = pixels(draw_matches(photo(PINK, a), photo(BLUE, b), title="t"))
    plain = pixels(draw_matches(photo(PINK, a[:0]), photo(BLUE, b[:0]), title="t"))
    assert image.shape == plain.shape
    (left, top, right, bottom), other = box(plain, PINK), box(plain, BLUE)
    assert (top, bottom) == (other[1], other[3])  # at one height
    assert right < other[0]
    start = left + 0.25 * (right - left), top + 0.5 * (bottom - top)
    end = other[0] + 0.75 * (other[2] - other[0]), top + 0.25 * (bottom - top)
    drawn = np.abs(image - plain).max(axis=2) > 40
    # All that was drawn lies within a dot's radius of the line, from its one end to the other.
    down, across = np.nonzero(drawn)
    direction = np.array(end) - np.array(start)
    away = np.column_stack([across, down]) - np.array(start)
    share = away @ direction / (direction @ direction)
    distance = np.abs(away[:, 0] * direction[1] - away[:, 1] * direction[0]) / np.linalg.norm(direction)
    assert distance.max() < 8
    assert share.min() < 0.01
    assert share.max() > 0.99


@pytest.mark.parametrize(("height", "width"), [(60, 80), (80, 60), (40, 200), (200, 40)])
def test_photos_keep_their_shapes(height: int, width: int) -> None:
    none = np.empty((0, 2))
    image = pixels(draw_matches(photo(PINK, none, height, width), photo(BLUE, none), title="t", theme=DARK))
    left, top, right, bottom = box(image, PINK)
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.03)
    left, top, right, bottom = box(image, BLUE)
    assert (right - left) / (bottom - top) == pytest.approx(80 / 60, rel=0.03)


def test_many_lines_are_thinned_evenly() -> None:
    xy = np.random.default_rng(0).random((500, 2))
    shown = _spread(xy, 5)
    assert len(shown) == 5
    # Quartiles of even numbers, and both ends.
    assert np.sort(xy[:, 1]).searchsorted(xy[shown, 1]).tolist() == [0, 125, 250, 374, 499]
    assert sorted(_spread(xy, 500).tolist()) == list(range(500))


def test_colours_follow_the_order_and_not_the_gaps() -> None:
    assert _ranks(np.array([0.9, 0.1, 0.11])).tolist() == [1.0, 0.0, 0.5]
    assert _ranks(np.array([0.3])).tolist() == [0.0]


def test_svg_is_text_and_the_same_bytes_each_time() -> None:
    xy = np.random.default_rng(1).random((4, 2))
    first, again = (
        draw_matches(photo(PINK, xy), photo(BLUE, xy), title="t", image_format="svg") for _ in range(2)
    )
    assert first == again
    assert b"<svg" in first


def test_places_without_partners_are_refused() -> None:
    with pytest.raises(ValueError, match="2 places at the left and 1"):
        draw_matches(photo(PINK, np.zeros((2, 2))), photo(BLUE, np.zeros((1, 2))), title="t")
