"""Fixes as CSV (RFC 4180): one row a photo, always the same columns.

Lines end with CR LF, text is UTF-8 without a byte order mark (which readers that follow the RFC would take
as part of the first column's name). Names of photos that a spreadsheet would take for a formula begin with
``./`` instead, which is the same path to every program; standard ``@`` names, which are no formula because
a number follows and then another ``@``, stay, so that they can be joined with other tables of the field.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from landfall.localization.fix import Fix
from landfall.localization.outputs.words import degrees, plain
from landfall.localization.sequence.track import Change, Track

COLUMNS = (
    "photo",
    "lat",
    "lon",
    "radius_m",
    "confidence",
    "accepted",
    "in_index",
    "first_match",
    "first_match_distance",
    "track_place",
    "track_change",
    "error",
)

_FORMULA = re.compile(r"[=+\-@]")
_STANDARD_NAME = re.compile(r"@[+-]?[0-9.]+@[+-]?[0-9.]+@")


def to_csv(fixes: Sequence[Fix], track: Track | None = None) -> str:
    """Return the table; a cell is empty where there is nothing to say, ``accepted`` is true or false."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    placed = {} if track is None else track.by_row()
    for row, fix in enumerate(fixes):
        place, change, _ = placed.get(row, (None, None, None))
        writer.writerow(_cells(fix, place, change))
    return text.getvalue()


def _cells(fix: Fix, place: int | None, change: Change | None) -> list[str]:
    if fix.location is None:
        return [_name(fix.photo), *[""] * (len(COLUMNS) - 2), plain(fix.error or "")]
    first = fix.matches[0] if fix.matches else None
    return [
        _name(fix.photo),
        degrees(fix.location.lat),
        degrees(fix.location.lon),
        _number(fix.radius_m),
        _number(fix.confidence),
        "" if fix.accepted is None else str(fix.accepted).lower(),
        _name(fix.in_index),
        _name(None if first is None else first.photo),
        _number(None if first is None else first.distance),
        "" if place is None else str(place),
        change or "",
        "",
    ]


def _name(name: str | None) -> str:
    text = plain(name or "")
    is_formula = _FORMULA.match(text) is not None and _STANDARD_NAME.match(text) is None
    return f"./{text}" if is_formula else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
