"""Where a dataset's photos were taken, as the paper's Figure 3 shows it: all groups on one plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.rendering.frame import Frame, local_metres, round_step
from landfall.rendering.style import (
    DATABASE_COLOR,
    LIGHT,
    QUERY_COLOR,
    ImageFormat,
    Theme,
    add_legend,
    new_figure,
    save_figure,
    set_title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Database photos are dots under the queries' crosses: the two differ by shape as well as by colour.
_LOOKS = (("o", DATABASE_COLOR), ("x", QUERY_COLOR), ("^", "#11946b"), ("s", "#cc79a7"))
_KILOMETRES_FROM_M = 5000.0
# An SVG of more points is slower to show than a picture inside it.
_VECTOR_POINTS = 20_000


@dataclass(frozen=True, eq=False)
class PositionGroup:
    """Photos shown alike.

    Args:
        label: what they are, as in "912 {label}": "database photos", "queries".
        x, y: (N,) longitude and latitude in degrees, or east and north in metres; NaN rows are counted
            as having no position.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def draw_positions(
    groups: Sequence[PositionGroup],
    *,
    title: str,
    frame: Frame = "degrees",
    image_format: ImageFormat = "png",
    theme: Theme = LIGHT,
) -> bytes:
    """Draw up to four groups of positions, with axes from the south-west corner and a scale bar.

    Args:
        groups: drawn in this order, so that the last is on top.
        title: the dataset's name; the counts are put under it.
        frame: what the groups' ``x`` and ``y`` are; degrees become metres by ``local_metres``.

    Returns:
        a PNG or SVG file.
    """
    every = np.concatenate(
        [*(np.stack([g.x, g.y], axis=1).astype(np.float64) for g in groups), np.zeros((0, 2))]
    )
    if frame == "degrees":
        every = local_metres(every[:, 1], every[:, 0])
    known = np.isfinite(every).all(axis=1)
    ends = np.cumsum([len(group.x) for group in groups])
    points = [xy[here] for xy, here in zip(np.split(every, ends), np.split(known, ends), strict=True)][
        : len(groups)
    ]
    every = every[known]
    corner = every.min(axis=0) if len(every) else np.zeros(2)
    # A lone position still gets a plane around it.
    extent_m = np.maximum(every.max(axis=0) - corner, 10.0) if len(every) else np.full(2, 10.0)
    unit_m, unit = (1000.0, "km") if extent_m.max() >= _KILOMETRES_FROM_M else (1.0, "m")

    aspect = float(np.clip(extent_m[1] / extent_m[0], 0.35, 1.6))
    figure, axes = new_figure(min(7.5, 8.5 / aspect), min(7.5, 8.5 / aspect) * aspect + 1.0, theme)
    size = float(np.clip(9000.0 / max(len(every), 1), 5.0, 30.0))
    for group, xy, (marker, color) in zip(groups, points, _LOOKS, strict=False):
        axes.scatter(
            (xy[:, 0] - corner[0]) / unit_m,
            (xy[:, 1] - corner[1]) / unit_m,
            s=size * (2.2 if marker == "x" else 1.0),
            c=color,
            marker=marker,
            linewidths=1.2 if marker == "x" else 0.0,
            label=group.label,
            rasterized=len(every) > _VECTOR_POINTS,
        )
    axes.update_datalim(np.stack([np.zeros(2), extent_m / unit_m]))
    axes.margins(0.06)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel(f"East of the south-west corner ({unit})")
    axes.set_ylabel(f"North of the south-west corner ({unit})")
    set_title(axes, title, theme, subtitle=_counts(groups, points))
    if len(groups):
        add_legend(axes, theme)
    _add_scale_bar(axes, max(extent_m[0], extent_m[1] / aspect), unit_m, theme)
    return save_figure(figure, image_format)


def _counts(groups: Sequence[PositionGroup], points: Sequence[NDArray[np.float64]]) -> str:
    parts = []
    for group, xy in zip(groups, points, strict=True):
        missing = len(group.x) - len(xy)
        parts.append(
            f"{len(group.x):,} {group.label}" + (f" ({missing:,} without position)" if missing else "")
        )
    return ", ".join(parts)


def _add_scale_bar(axes: Axes, width_m: float, unit_m: float, theme: Theme) -> None:
    from matplotlib.font_manager import FontProperties
    from mpl_toolkits.axes_grid1.anchored_artists import (  # type: ignore[import-untyped]
        AnchoredSizeBar,
    )

    length_m = round_step(width_m / 4)
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    bar = AnchoredSizeBar(
        axes.transData,
        length_m / unit_m,
        text,
        "lower right",
        pad=0.5,
        borderpad=0.6,
        sep=4,
        color=theme.text,
        label_top=True,
        fontproperties=FontProperties(size=9),
    )
    bar.patch.set(facecolor=theme.surface, edgecolor=theme.grid, alpha=0.9)
    axes.add_artist(bar)
