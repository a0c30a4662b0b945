"""Fixes as GPX 1.1, for navigation devices and photo tools: a waypoint a photo, and a track of a sequence.

A waypoint needs a position, so photos without an answer are listed in the file's description. A photo that
is not in this index has the type "not in this index"; others have the type "localized".
Source: GPX 1.1 Schema Documentation (Topografix), which also says in which order elements stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from landfall.localization.fix import Fix
from landfall.localization.outputs.words import (
    NOT_LOCALIZED,
    degrees,
    described,
    of_state,
    plain,
    state_of,
)
from landfall.localization.sequence.track import Track

NAMESPACE = "http://www.topografix.com/GPX/1/1"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def to_gpx(fixes: Sequence[Fix], track: Track | None = None) -> str:
    """Return the GPX document.

    Times stand with the track's points where a photo's time knows its zone; GPX's are in UTC, and a camera's
    own clock would be passed off for it.
    """
    root = ElementTree.Element("gpx", version="1.1", creator="Landfall", xmlns=NAMESPACE)
    metadata = ElementTree.SubElement(root, "metadata")
    _text(metadata, "name", "Where the photos were taken")
    lost = of_state(fixes, NOT_LOCALIZED)
    if lost:
        _text(metadata, "desc", "Not localized: " + "; ".join(f"{fix.photo}: {fix.error}" for fix in lost))
    placed = {} if track is None else track.by_row()
    for row, fix in enumerate(fixes):
        if fix.location is not None:
            point = _point(root, "wpt", fix)
            _time(point, placed[row][2] if row in placed else None)
            _text(point, "name", fix.photo)
            _text(point, "desc", "; ".join(described(fix)))
            _text(point, "type", state_of(fix))
    if track is not None and track.rows:
        line = ElementTree.SubElement(root, "trk")
        _text(line, "name", f"{len(track.rows)} photos in order of time")
        segment = ElementTree.SubElement(line, "trkseg")
        for row, time in zip(track.rows, track.times, strict=True):
            point = _point(segment, "trkpt", fixes[row])
            _time(point, time)
            _text(point, "name", fixes[row].photo)
    ElementTree.indent(root)
    return f"{_DECLARATION}{ElementTree.tostring(root, encoding='unicode')}\n"


def _point(parent: ElementTree.Element, tag: str, fix: Fix) -> ElementTree.Element:
    assert fix.location is not None  # callers give fixes with a position
    place = {"lat": degrees(fix.location.lat), "lon": degrees(_below_180(fix.location.lon))}
    return ElementTree.SubElement(parent, tag, place)


def _below_180(lon: float) -> float:
    """Return the longitude as the schema wants it: 180 itself is not allowed, -180 is."""
    return -180.0 if degrees(lon) == degrees(180.0) else lon


def _time(point: ElementTree.Element, time: datetime | None) -> None:
    if time is not None and time.tzinfo is not None:
        _text(point, "time", time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z")


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = plain(text)
