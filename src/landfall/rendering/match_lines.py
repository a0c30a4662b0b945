"""Two photos side by side, and lines between what they both show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.rendering.style import LIGHT, PNG_DPI, ImageFormat, Theme, save_figure
from landfall.rendering.text import Weight, fit_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches.
_HEIGHT, _WIDTH = 3.6, 11.0
_MARGIN, _GAP, _TITLE, _CAPTION = 0.3, 0.5, 0.62, 0.26
# Beyond this many, lines hide the photos; the others are told in the legend.
_MOST_LINES = 60
# The darkest part of viridis is lost on shadows.
_LINE_MAP, _DARKEST = "viridis", 0.25


@dataclass(frozen=True, eq=False, slots=True)
class MatchPhoto:
    """One of the two photos.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        name: stands under it.
        xy: (n, 2) what it shares with the other photo, in the same order, as shares of width and height.
    """

    pixels: NDArray[np.uint8]
    name: str
    xy: NDArray[np.floating]


def draw_matches(
    left: MatchPhoto,
    right: MatchPhoto,
    *,
    title: str,
    legend: str = "",
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Draw two photos at one height, a dot on each shared place and lines between the dots.

    Dots and lines run from dark to light (viridis, which people of any colour vision can order) from the top
    of the left photo to its bottom; dark rims show them on bright ground.

    Args:
        left: usually the query.
        right: usually its match.
        title: the heading.
        legend: a line under it.

    Returns:
        a PNG or SVG file.

    Raises:
        ValueError: the photos have different numbers of shared places.
    """
    if len(left.xy) != len(right.xy):
        raise ValueError(f"{len(left.xy)} places at the left and {len(right.xy)} at the right")
    return save_figure(_Picture(left, right, theme).draw(title, legend), image_format)


class _Picture:
    """The figure and where things are on it, in inches from its left upper corner."""

    def __init__(self, left: MatchPhoto, right: MatchPhoto, theme: Theme) -> None:
        self.photos, self.theme = (left, right), theme
        aspects = [photo.pixels.shape[1] / photo.pixels.shape[0] for photo in self.photos]
        self.height = min(_HEIGHT, _WIDTH / sum(aspects))
        self.widths = [aspect * self.height for aspect in aspects]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height; a title needs some width even above narrow photos."""
        return max(2 * _MARGIN + sum(self.widths) + _GAP, 6.0), 2 * _MARGIN + _TITLE + self.height + _CAPTION

    def draw(self, title: str, legend: str) -> Figure:
        """Return the drawn figure, tied to no window and to no global state."""
        from matplotlib import colormaps
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=self.size, dpi=PNG_DPI, facecolor=self.theme.surface)
        shown = _spread(self.photos[0].xy, _MOST_LINES)
        if len(shown) < len(self.photos[0].xy):
            legend = "; ".join(filter(None, [legend, f"{len(shown)} lines are drawn"]))
        width = self.size[0] - 2 * _MARGIN
        self._write(_MARGIN, _MARGIN, title, 11.5, self.theme.text, width, weight="bold")
        self._write(_MARGIN, _MARGIN + 0.25, legend, 9.5, self.theme.muted, width)
        top = _MARGIN + _TITLE
        places = []
        lefts = (_MARGIN, _MARGIN + self.widths[0] + _GAP)
        for photo, left, wide in zip(self.photos, lefts, self.widths, strict=True):
            self._axes(left, top, wide, self.height).imshow(photo.pixels, aspect="auto")
            self._write(left, top + self.height + 0.07, photo.name, 8.5, self.theme.muted, wide)
            places.append(np.array([left, top]) + photo.xy[shown] * np.array([wide, self.height]))
        ranks = _ranks(self.photos[0].xy[shown, 1])
        colors = colormaps[_LINE_MAP](_DARKEST + (1 - _DARKEST) * ranks)
        self._draw_lines(places[0], places[1], colors)
        return self.figure

    def _draw_lines(
        self, a: NDArray[np.floating], b: NDArray[np.floating], colors: NDArray[np.floating]
    ) -> None:
        from matplotlib.collections import LineCollection

        over = self._axes(0, 0, *self.size)
        over.set(xlim=(0, self.size[0]), ylim=(self.size[1], 0))
        over.patch.set_visible(False)
        segments = np.stack([a, b], axis=1)
        over.add_collection(LineCollection(list(segments), colors="#000000", linewidths=1.8, alpha=0.35))
        over.add_collection(LineCollection(list(segments), colors=colors, linewidths=0.9, alpha=0.9))
        for places in (a, b):
            over.scatter(
                places[:, 0], places[:, 1], s=16, c=colors, edgecolors="#000000", linewidths=0.6, zorder=3
            )

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        page_width, page_height = self.size
        axes = self.figure.add_axes(
            (left / page_width, 1 - (top + height) / page_height, width / page_width, height / page_height)
        )
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        return axes

    def _write(
        self,
        left: float,
        top: float,
        text: str,
        size_pt: float,
        color: str,
        width: float,
        *,
        weight: Weight = "normal",
    ) -> None:
        """Write one line of plain text, shortened in the middle where it is wider than ``width``."""
        self.figure.text(
            left / self.size[0],
            1 - top / self.size[1],
            fit_line(text, width, size_pt, weight=weight),
            va="top",
            size=size_pt,
            weight=weight,
            color=color,
            parse_math=False,
        )


def _spread(xy: NDArray[np.floating], most: int) -> NDArray[np.int64]:
    """Return at most ``most`` rows, evenly spread over the order from the top of the photo to its bottom."""
    order = np.argsort(xy[:, 1], kind="stable")
    if len(order) <= most:
        return order
    return order[np.linspace(0, len(order) - 1, most).round().astype(np.int64)]


def _ranks(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return 0 for the least of values (n,) to 1 for the greatest, evenly in between."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(len(values) - 1, 1)
