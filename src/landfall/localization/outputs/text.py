"""Fixes as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from landfall.localization.fix import Fix
from landfall.localization.outputs.words import NOT_IN_INDEX
from landfall.rendering import shorten

# In the table, longer names are cut in the middle: both their ends tell photos apart.
_NAME_LENGTH = 44

UNCALIBRATED = (
    "This index is not calibrated: every photo is given a position, one from elsewhere, too. Look at the "
    "matches. Distances are between descriptors, not metres; smaller is more alike."
)


CERTAINTY = (
    "radius: holds the truth in 9 of 10 cases; sure: how often such an answer is within 25 m, if the index "
    "has photos of the place."
)


def to_text(fixes: Sequence[Fix]) -> str:
    """Return a table: where each photo was taken, the first match, and what went wrong."""
    sure = any(fix.confidence is not None for fix in fixes)
    rows = [("photo", "lat", "lon", *(("radius", "sure") if sure else ()), "first match", "distance", "")]
    for fix in fixes:
        if fix.location is None:
            nothing = ("",) * (len(rows[0]) - 2)
            rows.append((shorten(fix.photo, _NAME_LENGTH), *nothing, f"failed: {fix.error}"))
            continue
        first = fix.matches[0]
        # A photo that finds itself proves nothing, so whoever reads the table must see it.
        remarks = [f"is in the index as {shorten(fix.in_index, _NAME_LENGTH)}"] if fix.in_index else []
        remarks += [NOT_IN_INDEX] if fix.accepted is False else []
        lat, lon = f"{fix.location.lat:.6f}", f"{fix.location.lon:.6f}"
        photo, match = shorten(fix.photo, _NAME_LENGTH), shorten(first.photo, _NAME_LENGTH)
        certainty = (_metres(fix.radius_m), _percent(fix.confidence)) if sure else ()
        rows.append((photo, lat, lon, *certainty, match, f"{first.distance:.3f}", "; ".join(remarks)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if sure:
        lines += ["", CERTAINTY]
    if says_uncalibrated(fixes):
        lines += ["", UNCALIBRATED]
    return "\n".join(lines)


def _metres(radius_m: float | None) -> str:
    if radius_m is None:
        return "-"
    return f"{radius_m:.0f} m" if radius_m < 1000 else f"{radius_m / 1000:.1f} km"


def _percent(confidence: float | None) -> str:
    return "-" if confidence is None else f"{100 * confidence:.0f} %"


def says_uncalibrated(fixes: Sequence[Fix]) -> bool:
    """Tell whether there are answers and none has a confidence; in a sequence some alone may have none."""
    found = [fix for fix in fixes if fix.location is not None]
    return bool(found) and all(fix.confidence is None for fix in found)
