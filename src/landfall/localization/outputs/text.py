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


def to_text(fixes: Sequence[Fix]) -> str:
    """Return a table: where each photo was taken, the first match, and what went wrong."""
    rows = [("photo", "lat", "lon", "first match", "distance", "")]
    for fix in fixes:
        if fix.location is None:
            rows.append((shorten(fix.photo, _NAME_LENGTH), "", "", "", "", f"failed: {fix.error}"))
            continue
        first = fix.matches[0]
        # A photo that finds itself proves nothing, so whoever reads the table must see it.
        remarks = [f"is in the index as {shorten(fix.in_index, _NAME_LENGTH)}"] if fix.in_index else []
        remarks += [NOT_IN_INDEX] if fix.accepted is False else []
        lat, lon = f"{fix.location.lat:.6f}", f"{fix.location.lon:.6f}"
        photo, match = shorten(fix.photo, _NAME_LENGTH), shorten(first.photo, _NAME_LENGTH)
        rows.append((photo, lat, lon, match, f"{first.distance:.3f}", "; ".join(remarks)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if says_uncalibrated(fixes):
        lines += ["", UNCALIBRATED]
    return "\n".join(lines)


def says_uncalibrated(fixes: Sequence[Fix]) -> bool:
    """Tell whether there are answers and none has a confidence; in a sequence some alone may have none."""
    found = [fix for fix in fixes if fix.location is not None]
    return bool(found) and all(fix.confidence is None for fix in found)
