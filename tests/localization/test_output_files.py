"""KML, GPX and CSV: every photo in each, in the order and the words that the schemas ask for."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from landfall.geo import LatLon
from landfall.index import Match
from landfall.localization import Fix, Track, to_csv, to_geojson, to_gpx, to_kml
from landfall.localization.outputs.csv_table import COLUMNS
from landfall.localization.outputs.gpx import NAMESPACE as GPX
from landfall.localization.outputs.kml import NAMESPACE as KML
from landfall.localization.outputs.kml import circle
from landfall.localization.outputs.tracks import track_lines

NEAR = Match(id=7, photo="walk/7.jpg", lat=52.1, lon=0.25, distance=0.125, rank=1)
FOUND = Fix("q.jpg", LatLon(52.123456789, -0.000000049), 12.0, 0.93, True, (NEAR,))
UNSURE = Fix("b&<w>.jpg", LatLon(-33.5, 151.25), matches=(NEAR,), in_index='walk/"7".jpg')
ELSEWHERE = Fix("far.jpg", LatLon(52.1, 0.25), 900.0, 0.02, False, (NEAR,))
BROKEN = Fix("broken.jpg", error="empty file (0 bytes)")
FIXES = [FOUND, BROKEN, UNSURE, ELSEWHERE]
NOON = datetime(2024, 5, 6, 12, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=2)))
TRACK = Track((2, 0), ("kept", "moved"), (NOON, datetime(2024, 5, 6, 13)))

# Children in the order that the schemas' sequences give (GPX 1.1: gpxType, metadataType, wptType, trkType;
# OGC 07-147r2: AbstractFeatureType with its extensions by Placemark, Folder and Document).
ORDER = {
    "gpx": ["metadata", "wpt", "rte", "trk", "extensions"],
    "metadata": ["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"],
    "wpt": ["ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type"],
    "trkpt": ["ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type"],
    "trk": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"],
    "trkseg": ["trkpt", "extensions"],
    "kml": ["Document"],
    "Document": ["name", "visibility", "open", "Snippet", "description", "styleUrl", "Style", "Folder"],
    "Folder": ["name", "visibility", "open", "description", "styleUrl", "Style", "Placemark"],
    "Placemark": ["name", "description", "styleUrl", "ExtendedData", "Point", "LineString", "MultiGeometry"],
    "Style": ["IconStyle", "LabelStyle", "LineStyle", "PolyStyle"],
    "IconStyle": ["color"],
    "LineStyle": ["color"],
    "PolyStyle": ["color"],
    "MultiGeometry": ["Point", "LineString", "Polygon"],
    "Polygon": ["tessellate", "altitudeMode", "outerBoundaryIs"],
    "outerBoundaryIs": ["LinearRing"],
    "LinearRing": ["tessellate", "altitudeMode", "coordinates"],
    "LineString": ["tessellate", "altitudeMode", "coordinates"],
    "Point": ["altitudeMode", "coordinates"],
    "ExtendedData": ["Data"],
    "Data": ["displayName", "value"],
}
LEAVES = {
    "name",
    "desc",
    "time",
    "type",
    "description",
    "styleUrl",
    "color",
    "coordinates",
    "value",
    "tessellate",
}


def parsed(text: str, namespace: str) -> ElementTree.Element:
    """Parse a document and check every element's name, namespace and place among its siblings."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ElementTree.fromstring(text.encode("utf-8"))
    for element in root.iter():
        assert element.tag.startswith(f"{{{namespace}}}")
        name = element.tag.partition("}")[2]
        children = [child.tag.partition("}")[2] for child in element]
        if name in LEAVES:
            assert children == []
            continue
        ranks = [ORDER[name].index(child) for child in children]
        assert ranks == sorted(ranks), name
        element.tag = name
    for element in root.iter():
        element.tag = element.tag.partition("}")[2] or element.tag
    return root


def test_kml_has_a_folder_for_each_state() -> None:
    root = parsed(to_kml(FIXES), KML)
    folders = {folder.findtext("name"): folder for folder in root.iter("Folder")}
    names = {name: [p.findtext("name") for p in f.iter("Placemark")] for name, f in folders.items()}
    assert names == {
        "Localized": ["q.jpg", "b&<w>.jpg"],
        "Not in this index": ["far.jpg"],
        "Not localized": ["broken.jpg"],
    }
    lost = next(folders["Not localized"].iter("Placemark"))
    assert lost.find("Point") is None
    assert lost.findtext("description") == "not localized: empty file (0 bytes)"
    found, unsure = folders["Localized"].iter("Placemark")
    assert found.findtext("MultiGeometry/Point/coordinates") == "0.0000000,52.1234568"
    assert unsure.findtext("Point/coordinates") == "151.2500000,-33.5000000"
    assert "93 %" in (found.findtext("description") or "")
    data = {item.get("name"): item.findtext("value") for item in found.iter("Data")}
    assert (data["accepted"], data["radius_m"]) == ("true", "12.0")
    styles = {style.get("id") for style in root.iter("Style")}
    assert {p.findtext("styleUrl", "#localized")[1:] for p in root.iter("Placemark")} <= styles


def test_kml_s_circle_is_a_closed_ring_at_the_radius() -> None:
    ring = circle(52.0, 0.5, 100.0)
    assert ring[0] == ring[-1]
    lon, lat = np.array(ring).T
    metres = Geod(ellps="WGS84").inv(np.full(len(lon), 0.5), np.full(len(lon), 52.0), lon, lat)[2]
    assert metres == pytest.approx(100.0, abs=1e-6)
    # Counter-clockwise, as the schema asks of an outer boundary: the signed area is positive.
    assert np.sum(lon[:-1] * lat[1:] - lon[1:] * lat[:-1]) > 0


def test_gpx_has_waypoints_and_tells_who_is_missing() -> None:
    root = parsed(to_gpx(FIXES), GPX)
    assert (root.get("version"), bool(root.get("creator"))) == ("1.1", True)
    points = root.findall("wpt")
    assert [point.findtext("name") for point in points] == ["q.jpg", "b&<w>.jpg", "far.jpg"]
    assert [point.findtext("type") for point in points] == ["localized", "localized", "not in this index"]
    assert (points[0].get("lat"), points[0].get("lon")) == ("52.1234568", "0.0000000")
    assert root.findtext("metadata/desc") == "Not localized: broken.jpg: empty file (0 bytes)"
    assert root.find("trk") is None


def test_a_track_is_a_track_in_gpx_and_a_line_in_kml_and_geojson() -> None:
    root = parsed(to_gpx(FIXES, TRACK), GPX)
    points = root.findall("trk/trkseg/trkpt")
    assert [point.findtext("name") for point in points] == ["b&<w>.jpg", "q.jpg"]
    # UTC where the photo knows its zone, nothing where it does not.
    assert [point.findtext("time") for point in points] == ["2024-05-06T10:00:00.500000Z", None]
    line = parsed(to_kml(FIXES, TRACK), KML).findtext(".//LineString/coordinates") or ""
    assert line.split() == ["151.2500000,-33.5000000", "0.0000000,52.1234568"]
    *_, feature = json.loads(to_geojson(FIXES, TRACK))["features"]
    assert feature["geometry"] == {
        "type": "LineString",
        "coordinates": [[151.25, -33.5], [-0.0, 52.1234568]],
    }
    assert feature["properties"] == {"track": True, "photos": 2}


def test_a_track_over_the_date_line_is_cut_there() -> None:
    # RFC 7946, 3.1.9. From 179.9 to -179.7 the line meets the edge after a quarter of the way.
    fixes = [Fix(str(lon), LatLon(lat, lon), matches=(NEAR,)) for lat, lon in ((0.0, 179.9), (4.0, -179.7))]
    track = Track((0, 1), ("kept", "kept"), (None, None))
    lines = track_lines(fixes, track)
    assert np.array(lines) == pytest.approx(
        np.array([[(179.9, 0.0), (180.0, 1.0)], [(-180.0, 1.0), (-179.7, 4.0)]]), abs=1e-9
    )
    assert json.loads(to_geojson(fixes, track))["features"][-1]["geometry"]["type"] == "MultiLineString"
    assert len(list(parsed(to_kml(fixes, track), KML).iter("LineString"))) == 2
    assert track_lines(fixes, Track((1,), ("kept",), (None,))) == []


def test_longitude_180_is_minus_180_in_gpx() -> None:
    # The schema's longitudeType excludes 180.
    root = parsed(to_gpx([Fix("a", LatLon(0.0, 180.0), matches=(NEAR,))]), GPX)
    assert root.find("wpt").get("lon") == "-180.0000000"  # type: ignore[union-attr]


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_row_a_photo_and_always_the_same_columns() -> None:
    rows = rows_of(to_csv(FIXES, TRACK))
    assert all(tuple(row) == COLUMNS for row in rows)
    assert rows[0] == {
        "photo": "q.jpg",
        "lat": "52.1234568",
        "lon": "0.0000000",
        "radius_m": "12",
        "confidence": "0.93",
        "accepted": "true",
        "in_index": "",
        "first_match": "walk/7.jpg",
        "first_match_distance": "0.125",
        "track_place": "2",
        "track_change": "moved",
        "error": "",
    }
    assert rows[1] == dict.fromkeys(COLUMNS, "") | {"photo": "broken.jpg", "error": "empty file (0 bytes)"}
    assert [row["accepted"] for row in rows] == ["true", "", "", "false"]
    assert [row["track_place"] for row in rows] == ["2", "", "1", ""]
    assert to_csv([]) == ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+2.jpg", "./=1+2.jpg"),
        ("@SUM(1,2)@a.jpg", "./@SUM(1,2)@a.jpg"),
        ("-cmd.jpg", "./-cmd.jpg"),
        ("\t=1.jpg", "\\t=1.jpg"),
        ("@0303215.20@5787861.31@31@U@@@@@@@@@@@.jpg", "@0303215.20@5787861.31@31@U@@@@@@@@@@@.jpg"),
        ('a,"b".jpg', 'a,"b".jpg'),
    ],
)
def test_no_name_is_a_formula(name: str, cell: str) -> None:
    (row,) = rows_of(to_csv([Fix(name, LatLon(1.0, 2.0), matches=(NEAR,))]))
    assert row["photo"] == cell


@given(st.text(st.characters(codec=None), max_size=12), st.text(st.characters(codec=None), max_size=12))
def test_any_name_makes_documents_that_parse_and_encode(name: str, reason: str) -> None:
    fixes = [Fix(name, LatLon(1.0, 2.0), matches=(NEAR,)), Fix(name, error=reason)]
    track = Track((0,), ("kept",), (datetime(2024, 1, 1, tzinfo=UTC),))
    kml = parsed(to_kml(fixes, track), KML)
    gpx = parsed(to_gpx(fixes, track), GPX)
    (row, _) = rows_of(to_csv(fixes, track).encode("utf-8").decode("utf-8"))
    fit = re.fullmatch(r"[ -~\xa0-\ud7ff]*", name) is not None
    for told in (gpx.findtext("wpt/name"), next(kml.iter("Placemark")).findtext("name")):
        assert told == name or not fit or told == ""
    assert row["photo"].endswith(name) or not fit
