"""Fixes as text for a terminal and as GeoJSON for maps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from landfall.localization.fix import Fix
from landfall.rendering import shorten

# Decimals of a degree: the seventh is about a centimetre.
_DECIMALS = 7
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
        remark = f"is in the index as {shorten(fix.in_index, _NAME_LENGTH)}" if fix.in_index else ""
        lat, lon = f"{fix.location.lat:.6f}", f"{fix.location.lon:.6f}"
        photo, match = shorten(fix.photo, _NAME_LENGTH), shorten(first.photo, _NAME_LENGTH)
        rows.append((photo, lat, lon, match, f"{first.distance:.3f}", remark))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if any(fix.location is not None and fix.confidence is None for fix in fixes):
        lines += ["", UNCALIBRATED]
    return "\n".join(lines)


def to_geojson(fixes: Sequence[Fix]) -> str:
    """Return a GeoJSON FeatureCollection (RFC 7946): a point for each photo that has a fix.

    Photos without an answer have a feature without geometry, so that none is silently missing.
    """
    collection = {"type": "FeatureCollection", "features": [_feature(fix) for fix in fixes]}
    return json.dumps(collection, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _feature(fix: Fix) -> dict[str, Any]:
    if fix.location is None:
        return {"type": "Feature", "geometry": None, "properties": {"photo": fix.photo, "error": fix.error}}
    coordinates = [round(fix.location.lon, _DECIMALS), round(fix.location.lat, _DECIMALS)]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates},
        "properties": {
            "photo": fix.photo,
            "radius_m": fix.radius_m,
            "confidence": fix.confidence,
            "accepted": fix.accepted,
            "in_index": fix.in_index,
            "first_match": fix.matches[0].photo,
            "first_match_distance": fix.matches[0].distance,
        },
    }
