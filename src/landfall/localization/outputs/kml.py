"""Fixes as KML 2.2, for Google Earth and its kin: points, their circles, and a track.

Folders say what became of the photos: "Localized", "Not in this index", "Not localized" (placemarks without
a point), "Track". A circle encloses the truth with the probability that the radius was calibrated for.
Source: OGC 07-147r2 (KML 2.2), whose schema also says in which order elements stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np
from pyproj import Geod

from landfall.localization.fix import Fix
from landfall.localization.outputs.tracks import Place, track_lines
from landfall.localization.outputs.words import (
    LOCALIZED,
    NOT_IN_INDEX,
    NOT_LOCALIZED,
    degrees,
    described,
    of_state,
    plain,
)
from landfall.localization.sequence.track import Track
from landfall.rendering import FIX_COLOR, QUERY_COLOR

NAMESPACE = "http://www.opengis.net/kml/2.2"
CIRCLE_POINTS = 36
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Opacity of lines and of areas, in KML's hexadecimal.
_LINE_OPACITY, _AREA_OPACITY = "ff", "40"
# The folder that each state of a fix has, its style, and the colour of that.
_FOLDERS = (
    (LOCALIZED, "Localized", "localized", FIX_COLOR),
    (NOT_IN_INDEX, "Not in this index", "elsewhere", QUERY_COLOR),
    (NOT_LOCALIZED, "Not localized", None, None),
)


def to_kml(fixes: Sequence[Fix], track: Track | None = None) -> str:
    """Return the KML document; each photo has a placemark with its facts as description and as data."""
    root = ElementTree.Element("kml", xmlns=NAMESPACE)
    document = ElementTree.SubElement(root, "Document")
    _text(document, "name", "Where the photos were taken")
    for _, _, style, color in _FOLDERS:
        if style is not None and color is not None:
            _style(document, style, color)
    for state, name, style, _ in _FOLDERS:
        chosen = of_state(fixes, state)
        if chosen:
            folder = ElementTree.SubElement(document, "Folder")
            _text(folder, "name", name)
            for fix in chosen:
                _placemark(folder, fix, style)
    lines = track_lines(fixes, track)
    if lines:
        folder = ElementTree.SubElement(document, "Folder")
        _text(folder, "name", "Track")
        _track(folder, lines)
    ElementTree.indent(root)
    return f"{_DECLARATION}{ElementTree.tostring(root, encoding='unicode')}\n"


def circle(lat: float, lon: float, radius_m: float, points: int = CIRCLE_POINTS) -> list[Place]:
    """Return a closed ring, counter-clockwise, of places a geodesic distance away."""
    bearings = np.linspace(360.0, 0.0, points, endpoint=False)
    everywhere = np.ones(points)
    lons, lats, _ = Geod(ellps="WGS84").fwd(
        lon * everywhere, lat * everywhere, bearings, radius_m * everywhere
    )
    ring = list(zip(lons.tolist(), lats.tolist(), strict=True))
    return [*ring, ring[0]]


def _placemark(folder: ElementTree.Element, fix: Fix, style: str | None) -> None:
    placemark = ElementTree.SubElement(folder, "Placemark")
    _text(placemark, "name", fix.photo)
    _text(placemark, "description", "; ".join(described(fix)))
    if style is not None:
        _text(placemark, "styleUrl", f"#{style}")
    _data(placemark, fix)
    if fix.location is None:
        return
    here = (fix.location.lon, fix.location.lat)
    if fix.radius_m is None:
        _coordinates(ElementTree.SubElement(placemark, "Point"), [here])
        return
    geometry = ElementTree.SubElement(placemark, "MultiGeometry")
    _coordinates(ElementTree.SubElement(geometry, "Point"), [here])
    boundary = ElementTree.SubElement(ElementTree.SubElement(geometry, "Polygon"), "outerBoundaryIs")
    ring = ElementTree.SubElement(boundary, "LinearRing")
    _coordinates(ring, circle(fix.location.lat, fix.location.lon, fix.radius_m))


def _data(placemark: ElementTree.Element, fix: Fix) -> None:
    """Write what is known of the photo as name and value; what is not known is left out."""
    facts = {
        "radius_m": fix.radius_m,
        "confidence": fix.confidence,
        "accepted": None if fix.accepted is None else str(fix.accepted).lower(),
        "in_index": fix.in_index,
        "first_match": fix.matches[0].photo if fix.matches else None,
        "first_match_distance": fix.matches[0].distance if fix.matches else None,
        "error": fix.error,
    }
    extended = ElementTree.SubElement(placemark, "ExtendedData")
    for name, value in facts.items():
        if value is not None:
            _text(ElementTree.SubElement(extended, "Data", name=name), "value", str(value))


def _track(folder: ElementTree.Element, lines: list[list[Place]]) -> None:
    placemark = ElementTree.SubElement(folder, "Placemark")
    _text(placemark, "name", "The photos in order of time")
    _text(placemark, "styleUrl", "#localized")
    parent = placemark if len(lines) == 1 else ElementTree.SubElement(placemark, "MultiGeometry")
    for line in lines:
        element = ElementTree.SubElement(parent, "LineString")
        _text(element, "tessellate", "1")  # along the ground, rather than straight through it
        _coordinates(element, line)


def _style(document: ElementTree.Element, name: str, color: str) -> None:
    style = ElementTree.SubElement(document, "Style", id=name)
    red, green, blue = color[1:3], color[3:5], color[5:7]
    for element, opacity in (
        ("IconStyle", _LINE_OPACITY),
        ("LineStyle", _LINE_OPACITY),
        ("PolyStyle", _AREA_OPACITY),
    ):
        _text(ElementTree.SubElement(style, element), "color", f"{opacity}{blue}{green}{red}")


def _coordinates(parent: ElementTree.Element, places: Sequence[Place]) -> None:
    _text(parent, "coordinates", " ".join(f"{degrees(lon)},{degrees(lat)}" for lon, lat in places))


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = plain(text)
