"""What models attend to as one picture: photos in rows, and over each the maps of every model in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from landfall.rendering.overlay import ColorScale, overlay
from landfall.rendering.style import (
    LIGHT,
    PNG_DPI,
    RIGHT_COLOR,
    WRONG_COLOR,
    ImageFormat,
    Theme,
    save_figure,
)
from landfall.rendering.text import Weight, fit_line, wrap_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches. A picture of few photos shows them larger, one of many keeps them legible.
_WIDTH, _HEIGHT, _CELL_WIDTHS = 11.0, 60.0, (1.7, 3.2)
_MARGIN, _GAP, _ROW_GAP = 0.3, 0.16, 0.14
_TITLE, _COLUMN_HEAD, _SCALE, _CAPTION = 0.62, 0.46, 0.42, 0.24
_FRAME_PT = 3.0

_Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class AttentionColumn:
    """A map of a model, shown for every photo on one scale of colours.

    Args:
        title: the model.
        subtitle: the map.
        meaning: what its numbers are; stands over the colour bar.
    """

    title: str
    subtitle: str = ""
    meaning: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class AttentionCell:
    """A photo, alone or under a map.

    Args:
        photo: (H, W, 3) uint8 RGB.
        heat: (h, w) finite numbers laid over it; None shows the photo as it is.
        caption: a line under it.
        right: whether it shows the query's place, told by a frame; None where that is not the question.
    """

    photo: NDArray[np.uint8]
    heat: NDArray[np.floating] | None = None
    caption: str = ""
    right: bool | None = None


@dataclass(frozen=True, eq=False, slots=True)
class AttentionRow:
    """One line of the picture.

    Args:
        cells: one a column; None leaves its place empty.
        label: stands in the place of the first cell where that is None.
    """

    cells: Sequence[AttentionCell | None]
    label: str = ""


def draw_attention(
    columns: Sequence[AttentionColumn],
    rows: Sequence[AttentionRow],
    *,
    title: str,
    legend: str = "",
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Draw photos and the maps over them; a column's maps share its scale, which a bar above it shows.

    Right photos have a green frame and a tick, wrong ones a red frame and a cross.

    Args:
        columns: the headings.
        rows: from top to bottom.
        title: the heading of all.
        legend: a line under it.

    Returns:
        a PNG or SVG file.

    Raises:
        ValueError: a row with another number of cells than there are columns.
    """
    for row in rows:
        if len(row.cells) != len(columns):
            raise ValueError(f"A row of {len(row.cells)} cells under {len(columns)} columns")
    return save_figure(_Picture(columns, rows, theme).draw(title, legend), image_format)


class _Picture:
    """The figure and where things are on it, in inches from its left upper corner."""

    def __init__(
        self, columns: Sequence[AttentionColumn], rows: Sequence[AttentionRow], theme: Theme
    ) -> None:
        self.columns, self.rows, self.theme = columns, rows, theme
        wanted = min(_WIDTH / max(len(columns), 1), _HEIGHT / max(len(rows), 1))
        self.cell_width = float(np.clip(wanted, *_CELL_WIDTHS))
        self.heights = [self.cell_width / _least_aspect(row) for row in rows]
        self.captions = [_CAPTION if any(c and c.caption for c in row.cells) else 0.0 for row in rows]
        self.scales = [_scale_of(rows, column) for column in range(len(columns))]
        self.head = _COLUMN_HEAD + (_SCALE if any(self.scales) else 0.0)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height; a title needs some width even above a single column."""
        count = len(self.columns)
        width = 2 * _MARGIN + count * self.cell_width + max(count - 1, 0) * _GAP
        height = 2 * _MARGIN + _TITLE + self.head + sum(self.heights) + sum(self.captions)
        height += max(len(self.rows) - 1, 0) * _ROW_GAP
        return max(width, 5.0), height

    def draw(self, title: str, legend: str) -> Figure:
        """Return the drawn figure, tied to no window and to no global state."""
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=self.size, dpi=PNG_DPI, facecolor=self.theme.surface)
        width = self.size[0] - 2 * _MARGIN
        self._write(_MARGIN, _MARGIN, title, 11.5, self.theme.text, width, weight="bold")
        self._write(_MARGIN, _MARGIN + 0.25, legend, 9.5, self.theme.muted, width)
        for number, left in enumerate(self._lefts()):
            self._draw_heading(number, left)
        top = _MARGIN + _TITLE + self.head
        for row, height, caption in zip(self.rows, self.heights, self.captions, strict=True):
            self._draw_row(row, top, height)
            top += height + caption + _ROW_GAP
        return self.figure

    def _lefts(self) -> Iterator[float]:
        return (_MARGIN + number * (self.cell_width + _GAP) for number in range(len(self.columns)))

    def _draw_heading(self, number: int, left: float) -> None:
        column, scale, top = self.columns[number], self.scales[number], _MARGIN + _TITLE
        width, theme = self.cell_width, self.theme
        self._write(left, top, column.title, 9.5, theme.text, width, weight="bold")
        self._write(left, top + 0.19, column.subtitle, 9.0, theme.text, width)
        if scale is None:
            return
        self._write(left, top + _COLUMN_HEAD - 0.06, column.meaning, 7.5, theme.muted, width)
        bar = self._axes(left, top + _COLUMN_HEAD + 0.1, width, 0.08)
        bar.imshow(scale.colors(np.linspace(scale.low, scale.high, 256))[None], aspect="auto")
        for mark, text in scale.ticks:
            share = (mark - scale.low) / (scale.high - scale.low)
            align: _Align = "left" if share == 0 else "right" if share == 1 else "center"
            at = left + share * width
            self._write(at, top + _COLUMN_HEAD + 0.2, text, 7.5, theme.muted, width, align=align)

    def _draw_row(self, row: AttentionRow, top: float, height: float) -> None:
        if row.cells and row.cells[0] is None:
            self._write_label(row.label, top + height / 2)
        for cell, scale, left in zip(row.cells, self.scales, self._lefts(), strict=True):
            if cell is not None:
                self._draw_cell(cell, scale, left, top, height)

    def _draw_cell(
        self, cell: AttentionCell, scale: ColorScale | None, left: float, top: float, height: float
    ) -> None:
        shown = cell.photo
        if cell.heat is not None and scale is not None:
            shown = overlay(cell.photo, cell.heat, scale)
        axes = self._axes(left, top, self.cell_width, height)
        axes.imshow(shown, aspect="equal")
        color = self.theme.muted
        if cell.right is not None:
            color = RIGHT_COLOR if cell.right else WRONG_COLOR
            for spine in axes.spines.values():
                spine.set(visible=True, color=color, linewidth=_FRAME_PT)
            axes.text(
                0.0,
                1.0,
                "✓" if cell.right else "✗",
                transform=axes.transAxes,
                va="top",
                color="white",
                size=9,
                weight="bold",
                bbox={"facecolor": color, "edgecolor": "none", "boxstyle": "square,pad=0.25"},
            )
        self._write(left, top + height + 0.05, cell.caption, 8.0, color, self.cell_width)

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        page_width, page_height = self.size
        axes = self.figure.add_axes(
            (left / page_width, 1 - (top + height) / page_height, width / page_width, height / page_height)
        )
        axes.set(xticks=[], yticks=[], anchor="NW")
        axes.spines[:].set_visible(False)
        return axes

    def _write_label(self, label: str, middle: float) -> None:
        """Write a row's label, one word or more a line, centred on a height."""
        lines = wrap_lines(label, self.cell_width, 9.5, weight="bold")
        line_height = 0.2
        first = middle - len(lines) * line_height / 2
        for number, line in enumerate(lines):
            self._write(
                _MARGIN,
                first + number * line_height,
                line,
                9.5,
                self.theme.text,
                self.cell_width,
                weight="bold",
            )

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
        align: _Align = "left",
    ) -> None:
        """Write one line of plain text, shortened in the middle where it is wider than ``width``."""
        page_width, page_height = self.size
        self.figure.text(
            left / page_width,
            1 - top / page_height,
            fit_line(text, width, size_pt, weight=weight),
            va="top",
            ha=align,
            size=size_pt,
            weight=weight,
            color=color,
            parse_math=False,
        )


def _scale_of(rows: Sequence[AttentionRow], column: int) -> ColorScale | None:
    """Return the scale of a column's maps; None where it has none."""
    cells = [row.cells[column] for row in rows]
    heats = [cell.heat for cell in cells if cell is not None and cell.heat is not None]
    return ColorScale.of(heats) if heats else None


def _least_aspect(row: AttentionRow) -> float:
    """Return width by height of a row's tallest photo, kept within 3:4 and 2:1; 4:3 without any."""
    shapes = [cell.photo.shape for cell in row.cells if cell is not None]
    return min(max(min(width / height for height, width, _ in shapes), 3 / 4), 2.0) if shapes else 4 / 3
