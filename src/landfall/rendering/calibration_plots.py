"""Two plots of how honest answers are: the reliability diagram, and risk against coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.rendering.style import LIGHT, ImageFormat, Theme, add_legend, new_figure, save_figure, set_title

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """What a bin's answers say and what holds there.

    Args:
        said: (B,) mean confidence, 0 to 1.
        held: (B,) share of right answers.
        counts: (B,) answers.
    """

    said: Floats
    held: Floats
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RiskCurve:
    """The share of wrong answers among the surest ones.

    Args:
        label: for the legend.
        coverage: (Q,) share of queries answered.
        risk: (Q,) share of those answers that is wrong.
    """

    label: str
    coverage: Floats
    risk: Floats


def plot_reliability(
    bins: ReliabilityBins,
    *,
    title: str,
    subtitle: str = "",
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Plot what holds against what is said; on the diagonal both are one.

    The bar at each bin is the 95 % interval of a share of so many answers (Wilson, 1927).
    """
    figure, axes = new_figure(5.4, 5.0, theme)
    axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=1.0, linestyle=(0, (4, 3)), label="perfect")
    low, high = _wilson(bins.held, bins.counts)
    color = theme.cycle[0]
    axes.vlines(bins.said, low, high, color=color, linewidth=1.4, alpha=0.7)
    label = f"bins of about {int(np.median(bins.counts))} answers"
    axes.plot(bins.said, bins.held, color=color, marker="o", markersize=5.5, linewidth=1.6, label=label)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel("Confidence (what the answer says)")
    axes.set_ylabel("Share of answers that are right")
    set_title(axes, title, theme, subtitle=subtitle)
    add_legend(axes, theme, location="lower right")
    return save_figure(figure, image_format)


def plot_risk_coverage(
    curves: Sequence[RiskCurve],
    *,
    title: str,
    subtitle: str = "",
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Plot the share of wrong answers against the share of queries answered, the surest first."""
    figure, axes = new_figure(7.0, 4.3, theme)
    for number, curve in enumerate(curves):
        axes.plot(
            100 * curve.coverage,
            100 * curve.risk,
            color=theme.cycle[number % len(theme.cycle)],
            linestyle=("-", "--", "-.", ":")[number % 4],
            linewidth=1.8,
            label=curve.label,
        )
    axes.set_xlim(0, 101)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Queries answered (%), the surest first")
    axes.set_ylabel("Wrong among those (%)")
    set_title(axes, title, theme, subtitle=subtitle)
    if curves:
        add_legend(axes, theme)
    return save_figure(figure, image_format)


def _wilson(share: Floats, counts: NDArray[np.int64], z: float = 1.96) -> tuple[Floats, Floats]:
    """Return the ends (B,) of the Wilson score interval."""
    middle = (share + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z / (1 + z**2 / counts) * np.sqrt(share * (1 - share) / counts + z**2 / (4 * counts**2))
    return middle - half, middle + half
