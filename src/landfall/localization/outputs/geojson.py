"""Fixes as GeoJSON (RFC 7946), for maps and GIS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from landfall.localization.fix import Fix
from landfall.localization.outputs.tracks import Place, track_lines
from landfall.localization.outputs.words import DEGREE_DECIMALS
from landfall.localization.sequence.track import Track


def to_geojson(fixes: Sequence[Fix], track: Track | None = None) -> str:
    """Return a FeatureCollection: a point for each photo that has a fix, and a line for a track.

    Photos without an answer have a feature without geometry, so that none is silently missing. The track, the
    last feature, is a LineString, or a MultiLineString where it crosses the date line.
    """
    features = [_feature(fix) for fix in fixes] + _track_features(fixes, track)
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _feature(fix: Fix) -> dict[str, Any]:
    if fix.location is None:
        return {"type": "Feature", "geometry": None, "properties": {"photo": fix.photo, "error": fix.error}}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": _rounded((fix.location.lon, fix.location.lat))},
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


def _track_features(fixes: Sequence[Fix], track: Track | None) -> list[dict[str, Any]]:
    lines = [[_rounded(place) for place in line] for line in track_lines(fixes, track)]
    if track is None or not lines:
        return []
    geometry = (
        {"type": "LineString", "coordinates": lines[0]}
        if len(lines) == 1
        else {"type": "MultiLineString", "coordinates": lines}
    )
    return [
        {"type": "Feature", "geometry": geometry, "properties": {"track": True, "photos": len(track.rows)}}
    ]


def _rounded(place: Place) -> list[float]:
    return [round(place[0], DEGREE_DECIMALS), round(place[1], DEGREE_DECIMALS)]
