from __future__ import annotations

import io
import math
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from landfall.rendering import (
    DARK,
    DATABASE_COLOR,
    LIGHT,
    QUERY_COLOR,
    Curve,
    ErrorCurve,
    PositionGroup,
    Theme,
    draw_positions,
    local_metres,
    plot_curves,
    plot_errors,
    plot_recall,
)
from landfall.rendering.plots import cumulative_share
from landfall.rendering.style import ImageFormat

KS = np.array([1.0, 5.0, 10.0, 20.0])


def square(label: str = "queries", side_m: float = 300.0) -> PositionGroup:
    corners = np.array([[0.0, 0.0], [side_m, 0.0], [0.0, side_m], [side_m, side_m]])
    return PositionGroup(label, corners[:, 0] + 5000.0, corners[:, 1] - 77.0)


def recall(label: str, *values: float, spread: float | None = None) -> Curve:
    y = np.array(values)
    return Curve(label, KS, y) if spread is None else Curve(label, KS, y, y - spread, y + spread)


def draw_any(what: str, image_format: ImageFormat = "png", theme: Theme = LIGHT) -> bytes:
    if what == "positions":
        return draw_positions(
            [square("database photos"), square()],
            title="x",
            frame="metres",
            image_format=image_format,
            theme=theme,
        )
    if what == "recall":
        return plot_recall(
            [recall("a", 70, 80, 90, 95, spread=3)], title="x", image_format=image_format, theme=theme
        )
    return plot_errors(
        [ErrorCurve("a", np.array([1.0, 30.0, math.nan]))], title="x", image_format=image_format, theme=theme
    )


ALL = pytest.mark.parametrize("what", ["positions", "recall", "errors"])


def pixels(png: bytes) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(np.int16)


def where(image: NDArray[np.int16], color: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the pixels of just this colour."""
    rows, columns = np.nonzero((image == [int(color[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2))
    return rows, columns


def corners(image: NDArray[np.int16]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the middles of the dots drawn at a square's corners."""
    mask = np.zeros(image.shape[:2])
    mask[where(image, DATABASE_COLOR)] = 1.0
    labels, count = ndimage.label(ndimage.binary_dilation(mask))
    assert count == 5
    # The legend's dot is the largest.
    legend = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    middles = ndimage.center_of_mass(mask, labels, [i for i in range(1, 6) if i != legend])
    rows, columns = zip(*middles, strict=True)
    return min(columns), min(rows), max(columns), max(rows)


@ALL
@pytest.mark.parametrize("image_format", ["png", "svg"])
def test_the_same_input_gives_the_same_bytes(what: str, image_format: ImageFormat) -> None:
    assert draw_any(what, image_format) == draw_any(what, image_format)


@ALL
def test_a_png_has_its_themes_surface(what: str) -> None:
    for theme in (LIGHT, DARK):
        image = pixels(draw_any(what, theme=theme))
        assert len(where(image[:3], theme.surface)[0]) == 3 * image.shape[1]


@ALL
def test_an_svg_is_whole_and_refers_to_itself_alone(what: str) -> None:
    svg = draw_any(what, "svg").decode()

    root = ElementTree.fromstring(svg)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        for name, value in element.attrib.items():
            if name.endswith("href"):
                assert value.startswith("#")
                assert value[1:] in ids
            if value.startswith("url(#"):
                assert value[5:-1] in ids


def test_a_plot_has_the_stated_size() -> None:
    # 7 by 4.3 inches at 160 dots an inch.
    assert pixels(draw_any("recall")).shape == (688, 1120, 3)


def test_positions_have_equal_scales_and_their_colours() -> None:
    image = pixels(
        draw_positions(
            [PositionGroup("database photos", *np.zeros((2, 1))), square()], title="t", frame="metres"
        )
    )

    # Database photos lie 5 km away here, so that kilometres are used; both colours are seen.
    assert len(where(image, DATABASE_COLOR)[0]) > 3
    assert len(where(image, QUERY_COLOR)[0]) > 3

    left, top, right, bottom = corners(pixels(draw_positions([square()], title="t", frame="metres")))
    assert right - left == pytest.approx(bottom - top, abs=2)


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    image = pixels(draw_positions([square(side_m=400.0)], title="t", frame="metres"))
    left, _, right, _ = corners(image)
    pixels_a_metre = (right - left) / 400.0

    height, width = image.shape[:2]
    corner = image[int(height * 0.75) : int(height * 0.95), width // 2 :]
    longest = max(len(set(where(corner[i : i + 1], LIGHT.text)[1])) for i in range(len(corner)))
    # A quarter of 400 m is 100 m, a round length itself.
    assert longest / pixels_a_metre == pytest.approx(100.0, rel=0.05)


def test_degrees_are_drawn_as_metres() -> None:
    lat, lon = np.array([50.0, 50.003, 50.001]), np.array([8.0, 8.002, math.nan])
    metres = local_metres(lat, lon)

    by_degrees = draw_positions([PositionGroup("queries", lon, lat)], title="t")
    by_metres = draw_positions(
        [PositionGroup("queries", metres[:, 0], metres[:, 1])], title="t", frame="metres"
    )

    assert by_degrees == by_metres


@pytest.mark.parametrize("count", [0, 1])
def test_few_positions_are_drawn_all_the_same(count: int) -> None:
    image = pixels(
        draw_positions([PositionGroup("queries", *np.ones((2, count)))], title="t", frame="metres")
    )

    assert image.shape[0] > 300
    assert pixels(draw_positions([], title="t")).shape[0] > 300


def test_a_long_street_does_not_make_an_endless_picture() -> None:
    for x, y in ((np.arange(1000.0), np.zeros(1000)), (np.zeros(1000), np.arange(1000.0))):
        height, width, _ = pixels(
            draw_positions([PositionGroup("queries", x, y)], title="t", frame="metres")
        ).shape
        assert max(height, width) < 1700
        assert min(height, width) > 500


def test_higher_recall_is_drawn_higher_and_bars_reach_further() -> None:
    low, high = recall("low", 60, 70, 80, 85), recall("high", 80, 90, 95, 97)
    image = pixels(plot_recall([low, high], title="t"))

    left = image[:, : image.shape[1] // 3]
    assert where(left, LIGHT.cycle[1])[0].min() < where(left, LIGHT.cycle[0])[0].min()

    plain = where(
        pixels(plot_curves([low], title="t", x_label="", y_label="", y_limits=(0, 100))), LIGHT.cycle[0]
    )
    barred = pixels(
        plot_curves(
            [recall("low", 60, 70, 80, 85, spread=15)], title="t", x_label="", y_label="", y_limits=(0, 100)
        )
    )
    blueish = (barred[:, :, 2] - barred[:, :, 0]) > 60
    # The lowest point's bar reaches 15 percent below it.
    axis_px = barred.shape[0] * 0.8
    plain_lowest = plain[0][plain[1] < 300].max()
    assert np.nonzero(blueish[:, :300])[0].max() - plain_lowest == pytest.approx(0.15 * axis_px, rel=0.2)


@given(st.lists(st.one_of(st.floats(0.0, 1e5), st.just(math.nan)), max_size=30))
def test_the_error_curve_counts_all_queries(errors: list[float]) -> None:
    x, y = cumulative_share(np.array(errors), 2e5)

    assert (np.diff(x) >= 0).all()
    for metres in (0.2, 25.0, 1000.0, 1.9e5):
        # The plain count: a query without an answer is within no distance.
        expected = 100.0 * sum(error <= metres for error in errors) / max(len(errors), 1)
        assert y[np.flatnonzero(x <= metres)[-1]] == pytest.approx(expected)


def test_an_error_plot_without_a_known_error_is_drawn() -> None:
    for curves in ([], [ErrorCurve("none", np.zeros(0))], [ErrorCurve("lost", np.full(3, math.nan))]):
        assert pixels(plot_errors(curves, title="t", thresholds_m=(10.0, 25.0))).shape == (688, 1120, 3)
    assert pixels(plot_recall([], title="t")).shape == (688, 1120, 3)


@pytest.mark.parametrize("text", ["$x^$ of $", "50 % <b>&amp;</b>", "Łódź, Αθήνα", "a_b^{c"])
def test_names_are_never_read_as_formulas_or_markup(text: str) -> None:
    drawings: list[Callable[[ImageFormat], bytes]] = [
        lambda f: plot_recall([recall(text, 1, 2, 3, 4)], title=text, image_format=f),
        lambda f: plot_errors([ErrorCurve(text, np.ones(2))], title=text, image_format=f),
        lambda f: draw_positions([square(text)], title=text, frame="metres", image_format=f),
    ]
    for draw in drawings:
        ElementTree.fromstring(draw("svg").decode())


def test_importing_is_cheap_and_drawing_leaves_no_global_state() -> None:
    program = """
import sys
import landfall.rendering as rendering
assert not {"matplotlib", "PIL", "torch"} & set(sys.modules), "imported too early"
import numpy as np
rendering.plot_recall([rendering.Curve("a", np.ones(1), np.ones(1))], title="t")
assert "matplotlib.pyplot" not in sys.modules, "pyplot holds figures open"
"""
    subprocess.run([sys.executable, "-c", program], check=True)
