"""Curves: recall at N, the share of queries within x metres, and any other of the experiments' lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.rendering.style import LIGHT, ImageFormat, Theme, add_legend, new_figure, save_figure, set_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_SMALLEST_ERROR_M = 0.1


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through N points.

    Args:
        label: for the legend.
        x, y: (N,) values.
        low, high: (N,) ends of an interval around ``y``, or None where there is none.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """How far off the first match of each query is.

    Args:
        label: for the legend.
        errors_m: (Q,) metres; NaN for a query without an answer, which counts as never near.
    """

    label: str
    errors_m: NDArray[np.float64]


def plot_curves(
    curves: Sequence[Curve],
    *,
    title: str,
    subtitle: str = "",
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float] | None = None,
    y_limits: tuple[float, float] | None = None,
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Plot lines with a marker at each point and, where given, its interval as a bar.

    Args:
        title, subtitle: above the plot, the second lighter.
        x_label, y_label: with the unit in brackets.
        x_ticks: where the x axis is labelled; else matplotlib chooses.
        y_limits: else what the data needs.

    Returns:
        a PNG or SVG file.
    """
    figure, axes = new_figure(7.0, 4.3, theme)
    reach = np.concatenate([curve.x for curve in curves] or [np.zeros(1)])
    # Bars of several curves at one x stand beside each other.
    spread = 0.006 * float(np.ptp(reach))
    for number, curve in enumerate(curves):
        color, marker = theme.cycle[number % len(theme.cycle)], _MARKERS[number % len(_MARKERS)]
        x = curve.x + (number - (len(curves) - 1) / 2) * spread
        axes.plot(x, curve.y, color=color, marker=marker, markersize=5.5, linewidth=1.8, label=curve.label)
        if curve.low is not None and curve.high is not None:
            axes.vlines(x, curve.low, curve.high, color=color, linewidth=1.4, alpha=0.7)
    if x_ticks is not None:
        axes.set_xticks(x_ticks, [f"{tick:g}" for tick in x_ticks])
    if y_limits is not None:
        axes.set_ylim(*y_limits)
    set_title(axes, title, theme, subtitle=subtitle)
    return _finish(figure, axes, x_label, y_label, len(curves), image_format, theme)


def plot_recall(
    curves: Sequence[Curve],
    *,
    title: str,
    subtitle: str = "",
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Plot recall@N: ``x`` is N, and ``y``, ``low`` and ``high`` are percents of all queries."""
    values = np.concatenate([v for c in curves for v in (c.y, c.low) if v is not None] or [np.zeros(1)])
    lowest = float(np.nanmin(values)) if np.isfinite(values).any() else 0.0
    return plot_curves(
        curves,
        title=title,
        subtitle=subtitle,
        x_label="N, matches looked at",
        y_label="Recall@N (% of queries)",
        x_ticks=sorted({float(x) for curve in curves for x in curve.x}),
        y_limits=(max(0.0, np.floor((lowest - 5.0) / 10.0) * 10.0), 101.5),
        image_format=image_format,
        theme=theme,
    )


def plot_errors(
    curves: Sequence[ErrorCurve],
    *,
    title: str,
    thresholds_m: Sequence[float] = (25.0,),
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Plot the share of all queries whose first match is within x metres, x growing by factors.

    Args:
        thresholds_m: distances marked by a dashed line.

    Returns:
        a PNG or SVG file.
    """
    figure, axes = new_figure(7.0, 4.3, theme)
    known = np.concatenate([c.errors_m[np.isfinite(c.errors_m)] for c in curves] or [np.zeros(0)])
    furthest_m = max([100.0, *thresholds_m, *(known.max(keepdims=True) if known.size else ())])
    for number, curve in enumerate(curves):
        x, y = cumulative_share(curve.errors_m, furthest_m)
        axes.plot(
            x,
            y,
            color=theme.cycle[number % len(theme.cycle)],
            linestyle=("-", "--", "-.", ":")[number % 4],
            linewidth=1.8,
            drawstyle="steps-post",
            label=curve.label,
        )
    for threshold_m in thresholds_m:
        axes.axvline(threshold_m, color=theme.muted, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.annotate(
            f"{threshold_m:g} m",
            (threshold_m, 0.0),
            xytext=(4, 4),
            textcoords="offset points",
            color=theme.muted,
            size=9,
        )
    axes.set_xscale("log")
    axes.set_xlim(max(_SMALLEST_ERROR_M, float(known.min()) if known.size else 1.0), furthest_m)
    axes.xaxis.set_major_formatter(
        lambda metres, _: f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    )
    axes.set_ylim(0.0, 101.5)
    x_label, y_label = "Distance from query to first match", "Queries within that distance (%)"
    set_title(axes, title, theme)
    return _finish(figure, axes, x_label, y_label, len(curves), image_format, theme)


def cumulative_share(
    errors_m: NDArray[np.float64], furthest_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the steps of the percent of all queries within x metres, over all x that are shown."""
    known = np.sort(errors_m[np.isfinite(errors_m)])
    share = 100.0 * np.arange(1, len(known) + 1) / max(len(errors_m), 1)
    # A logarithm has no zero: whatever is nearer than the axis starts counts at its start.
    x = np.concatenate([[_SMALLEST_ERROR_M], np.maximum(known, _SMALLEST_ERROR_M), [furthest_m]])
    return x, np.concatenate([[0.0], share, share[-1:] if len(share) else [0.0]])


def _finish(
    figure: Figure,
    axes: Axes,
    x_label: str,
    y_label: str,
    curves: int,
    image_format: ImageFormat,
    theme: Theme,
) -> bytes:
    axes.set_xlabel(x_label, parse_math=False)
    axes.set_ylabel(y_label, parse_math=False)
    if curves:
        add_legend(axes, theme, location="lower right")
    return save_figure(figure, image_format)
