"""Colours and figures that look alike wherever Landfall draws.

The hues are those of Okabe and Ito, "Color Universal Design" (2008), which people with any of the common
kinds of colour blindness tell apart. Right and wrong are never told by colour alone.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ImageFormat = Literal["png", "svg"]

DATABASE_COLOR = "#2b7bba"
QUERY_COLOR = "#e0751a"
FIX_COLOR = "#11946b"
RIGHT_COLOR = "#137a43"
WRONG_COLOR = "#bf2a1f"
PNG_DPI = 160


@dataclass(frozen=True, slots=True)
class Theme:
    """What a figure is drawn with: ``cycle`` colours its lines, in this order."""

    surface: str
    text: str
    muted: str
    grid: str
    cycle: tuple[str, ...]


LIGHT = Theme(
    surface="#ffffff",
    text="#1b2430",
    muted="#5a6675",
    grid="#e3e7ed",
    cycle=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d"),
)
DARK = Theme(
    surface="#1a2129",
    text="#e3e8ee",
    muted="#9aa7b5",
    grid="#2d3742",
    cycle=("#58aee6", "#ff8c4a", "#35c79b", "#e6a3c8", "#f2bd4a", "#a5d8f5", "#c9c9c9"),
)


def new_figure(width_in: float, height_in: float, theme: Theme) -> tuple[Figure, Axes]:
    """Return an empty figure with one pair of axes, tied to no window and to no global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=PNG_DPI, facecolor=theme.surface)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    axes = figure.add_subplot(facecolor=theme.surface)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.muted)
    axes.tick_params(colors=theme.muted, labelsize=9)
    axes.xaxis.label.set(color=theme.text, size=10)
    axes.yaxis.label.set(color=theme.text, size=10)
    axes.grid(visible=True, color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def set_title(axes: Axes, title: str, theme: Theme, *, subtitle: str = "") -> None:
    """Write ``title`` and a lighter line under it above the axes, flush left, as plain text."""
    pad = 28 if subtitle else 12
    axes.set_title(title, loc="left", color=theme.text, size=11.5, weight="bold", pad=pad, parse_math=False)
    axes.annotate(
        subtitle,
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 11),
        textcoords="offset points",
        color=theme.muted,
        size=9.5,
        parse_math=False,
    )


def add_legend(axes: Axes, theme: Theme, *, location: Literal["best", "lower right"] = "best") -> None:
    """Explain the axes' labelled things; names are plain text."""
    legend = axes.legend(
        loc=location, frameon=True, framealpha=0.9, fontsize=9, labelcolor=theme.text, markerscale=1.5
    )
    legend.get_frame().set(facecolor=theme.surface, edgecolor=theme.grid)
    for text in legend.get_texts():
        text.set_parse_math(False)


def save_figure(figure: Figure, image_format: ImageFormat) -> bytes:
    """Return the figure as PNG or SVG, the same bytes for the same figure."""
    buffer = io.BytesIO()
    # Without these matplotlib notes its own version, and the time.
    unsaid = {"Software": None} if image_format == "png" else {"Date": None}
    figure.savefig(buffer, format=image_format, metadata=unsaid, facecolor=figure.get_facecolor())
    content = buffer.getvalue()
    return content if image_format == "png" else _number_ids(content.decode()).encode()


def _number_ids(svg: str) -> str:
    # matplotlib salts the ids of clip paths, markers, images and collections with a random number, or by a
    # global setting.
    salted = r"(?:[a-z]|image|C[0-9a-f]+_[0-9a-f]+_)[0-9a-f]{10}"
    names = dict.fromkeys(re.findall(rf'(?<= id="){salted}(?=")', svg))
    numbers = {name: f"{name[0]}-{number}" for number, name in enumerate(names)}
    return re.sub(
        rf'(?<= id="){salted}(?=")|(?<=#){salted}\b', lambda match: numbers.get(match[0], match[0]), svg
    )
