"""Fixes as text and as GeoJSON, against what is written out by hand."""

from __future__ import annotations

import json

from landfall.geo import LatLon
from landfall.index import Match
from landfall.localization import Fix, to_geojson, to_text

NEAR = Match(id=7, photo="walk/7.jpg", lat=52.1, lon=0.25, distance=0.125, rank=1)
FAR = Match(id=3, photo="walk/3.jpg", lat=52.2, lon=0.5, distance=0.5, rank=2)
FOUND = Fix(photo="q.jpg", location=LatLon(52.123456789, -0.000000049), matches=(NEAR, FAR))
SAME = Fix(photo="same.jpg", location=LatLon(52.1, 0.25), matches=(NEAR,), in_index="walk/7.jpg")
BROKEN = Fix(photo="broken.jpg", error="empty file (0 bytes)")


def test_a_fix_says_what_the_command_promises() -> None:
    assert FOUND.to_dict() == {
        "photo": "q.jpg",
        "lat": 52.123456789,
        "lon": -0.000000049,
        # Nothing was calibrated, so nothing is claimed.
        "radius_m": None,
        "confidence": None,
        "accepted": None,
        "in_index": None,
        "matches": [
            {
                "id": 7,
                "photo": "walk/7.jpg",
                "lat": 52.1,
                "lon": 0.25,
                "distance": 0.125,
                "rank": 1,
                "inliers": None,
            },
            {
                "id": 3,
                "photo": "walk/3.jpg",
                "lat": 52.2,
                "lon": 0.5,
                "distance": 0.5,
                "rank": 2,
                "inliers": None,
            },
        ],
    }
    assert BROKEN.to_dict() == {"photo": "broken.jpg", "error": "empty file (0 bytes)"}


def test_the_table_has_a_line_a_photo_in_columns() -> None:
    lines = to_text([FOUND, SAME, BROKEN]).splitlines()[:4]
    assert [line.split("  ")[0] for line in lines] == ["photo", "q.jpg", "same.jpg", "broken.jpg"]
    assert lines[1].split() == ["q.jpg", "52.123457", "-0.000000", "walk/7.jpg", "0.125"]
    assert lines[2].endswith("is in the index as walk/7.jpg")
    assert lines[3].endswith("failed: empty file (0 bytes)")
    starts = [line.index(word) for line, word in zip(lines, ("lat", "52.", "52."), strict=False)]
    assert len(set(starts)) == 1


def test_long_names_keep_both_ends_in_the_table() -> None:
    name = "first pass/" + "x" * 200 + "/last.jpg"
    line = to_text([Fix(photo=name, location=LatLon(1.0, 2.0), matches=(NEAR,))]).splitlines()[1]
    assert line.startswith("first pass/")
    assert "/last.jpg  " in line
    assert len(line) < 100


def test_geojson_has_longitude_first_and_a_feature_for_every_photo() -> None:
    # RFC 7946: longitude comes first (3.1.1); a feature without a place has a null geometry (3.2).
    told = json.loads(to_geojson([FOUND, SAME, BROKEN]))
    assert told["type"] == "FeatureCollection"
    found, same, broken = told["features"]
    assert all(feature["type"] == "Feature" for feature in told["features"])
    assert found["geometry"] == {"type": "Point", "coordinates": [0.0, 52.1234568]}
    assert found["properties"] == {
        "photo": "q.jpg",
        "radius_m": None,
        "confidence": None,
        "accepted": None,
        "in_index": None,
        "first_match": "walk/7.jpg",
        "first_match_distance": 0.125,
    }
    assert same["properties"]["in_index"] == "walk/7.jpg"
    assert broken["geometry"] is None
    assert broken["properties"] == {"photo": "broken.jpg", "error": "empty file (0 bytes)"}


def test_no_fixes_give_a_head_alone_and_an_empty_collection() -> None:
    assert to_text([]).split() == ["photo", "lat", "lon", "first", "match", "distance"]
    assert json.loads(to_geojson([])) == {"type": "FeatureCollection", "features": []}
