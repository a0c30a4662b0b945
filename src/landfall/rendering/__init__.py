"""Plots, contact sheets, maps and self-contained HTML: arrays and thumbnails in, files' contents out.

What belongs here draws and knows nothing else: no photo is read, no distance decided, no result
computed. A file draws one kind of thing and returns bytes, ``Html`` or a ``Page``; ``write_output`` puts
them on disk. matplotlib and Pillow are imported when something is drawn, so that importing this package
stays cheap.
"""

from __future__ import annotations

from landfall.rendering.attention import AttentionCell, AttentionColumn, AttentionRow, draw_attention
from landfall.rendering.calibration_plots import (
    ReliabilityBins,
    RiskCurve,
    plot_reliability,
    plot_risk_coverage,
)
from landfall.rendering.contact_sheet import SheetPhoto, SheetRow, sheet_section, shorten
from landfall.rendering.contact_sheet_png import draw_sheet
from landfall.rendering.files import write_output
from landfall.rendering.frame import local_metres
from landfall.rendering.grouped_table import Cell, ColumnGroup, grouped_table
from landfall.rendering.match_lines import MatchPhoto, draw_matches
from landfall.rendering.page import Html, Page, facts, figure, paragraph, preformatted, table
from landfall.rendering.plots import Curve, ErrorCurve, plot_curves, plot_errors, plot_recall
from landfall.rendering.positions_map import PositionGroup, draw_positions
from landfall.rendering.style import (
    DARK,
    DATABASE_COLOR,
    FIX_COLOR,
    LIGHT,
    QUERY_COLOR,
    RIGHT_COLOR,
    WRONG_COLOR,
    Theme,
)
from landfall.rendering.web_map import OPEN_STREET_MAP, Lines, Points, Popup, Tiles, map_page, map_section

__all__ = [
    "DARK",
    "DATABASE_COLOR",
    "FIX_COLOR",
    "LIGHT",
    "OPEN_STREET_MAP",
    "QUERY_COLOR",
    "RIGHT_COLOR",
    "WRONG_COLOR",
    "AttentionCell",
    "AttentionColumn",
    "AttentionRow",
    "Cell",
    "ColumnGroup",
    "Curve",
    "ErrorCurve",
    "Html",
    "Lines",
    "MatchPhoto",
    "Page",
    "Points",
    "Popup",
    "PositionGroup",
    "ReliabilityBins",
    "RiskCurve",
    "SheetPhoto",
    "SheetRow",
    "Theme",
    "Tiles",
    "draw_attention",
    "draw_matches",
    "draw_positions",
    "draw_sheet",
    "facts",
    "figure",
    "grouped_table",
    "local_metres",
    "map_page",
    "map_section",
    "paragraph",
    "plot_curves",
    "plot_errors",
    "plot_recall",
    "plot_reliability",
    "plot_risk_coverage",
    "preformatted",
    "sheet_section",
    "shorten",
    "table",
    "write_output",
]
