"""The main job through its commands: build an index, localize photos, read the answers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from landfall.geo import LatLon
from landfall.photos import write_jpeg

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PLACES, STEP_DEG = 6, 0.001
# A stored number is off by 2^-11 of itself at most, so a unit descriptor is no further from its own.
HALF = 2.0**-11
KEYS = {"photo", "lat", "lon", "radius_m", "confidence", "accepted", "matches", "in_index"}
MATCH_KEYS = {"id", "photo", "lat", "lon", "distance", "rank", "inliers"}


def test_every_query_is_placed_where_its_place_is(street: Path, street_index: Path, landfall: Run) -> None:
    done = landfall("localize", street / "queries", "--index", street_index, "--json", "-", "--quiet")
    assert done.returncode == 0, done.stderr
    fixes = json.loads(done.stdout)
    assert [fix["photo"] for fix in fixes] == [f"{place}.jpg" for place in range(PLACES)]
    for place, fix in enumerate(fixes):
        assert set(fix) == KEYS
        assert fix["lat"] == pytest.approx(52.0 + STEP_DEG * place, abs=2e-4)
        assert fix["lon"] == pytest.approx(0.5, abs=2e-4)
        # Nothing was calibrated, so nothing is claimed.
        assert fix["radius_m"] is fix["confidence"] is fix["accepted"] is None
        assert [match["rank"] for match in fix["matches"]] == list(range(1, len(fix["matches"]) + 1))
        assert set(fix["matches"][0]) == MATCH_KEYS
        assert fix["matches"][0]["photo"].startswith(f"first pass/{place}-")


def test_a_query_s_own_position_and_name_change_nothing(
    street: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    from landfall.photos import InputSpec, load_photo

    answers = []
    for name, lie in (
        ("plain.jpg", None),
        ("@0303215.20@5787861.31@31@U@@@@@@@@@@@.jpg", LatLon(-33.0, 151.0)),
    ):
        folder = tmp_path / ("with a lie" if lie else "without")
        folder.mkdir()
        pixels = load_photo(street / "queries" / "2.jpg", InputSpec(height=None, width=None)).pixels
        write_jpeg(folder / name, pixels, location=lie)
        done = landfall("localize", folder, "--index", street_index, "--json", "-", "--quiet")
        assert done.returncode == 0, done.stderr
        (fix,) = json.loads(done.stdout)
        answers.append({key: value for key, value in fix.items() if key != "photo"})
    assert answers[0] == answers[1]


def test_a_query_that_is_in_the_index_is_flagged(street: Path, street_index: Path, landfall: Run) -> None:
    indexed = street / "photos" / "first pass" / "3-0.jpg"
    done = landfall("localize", indexed, street / "queries" / "3.jpg", "--index", street_index, "--json", "-")
    same, other = json.loads(done.stdout)
    assert same["in_index"] == "first pass/3-0.jpg"
    assert same["matches"][0]["distance"] < HALF
    assert same["photo"] == indexed.as_posix()
    assert other["in_index"] is None


def test_outputs_hold_every_photo(street: Path, street_index: Path, landfall: Run, tmp_path: Path) -> None:
    queries = tmp_path / "queries"
    shutil.copytree(street / "queries", queries)
    (queries / "broken.jpg").write_bytes(b"")
    page, geojson = tmp_path / "out" / "page.html", tmp_path / "out" / "fixes.geojson"
    done = landfall("localize", queries, "--index", street_index, "--html", page, "--geojson", geojson)
    assert done.returncode == 1  # one photo could not be read
    assert "broken.jpg" in done.stdout
    features = json.loads(geojson.read_text())["features"]
    assert len(features) == PLACES + 1
    first = features[0]
    assert first["geometry"]["coordinates"] == pytest.approx([0.5, 52.0], abs=2e-4)  # longitude first
    assert [f["properties"]["photo"] for f in features if f["geometry"] is None] == ["broken.jpg"]
    html = page.read_text()
    assert html.count("data:image/jpeg") >= PLACES
    assert "broken.jpg" in html


def test_build_tells_what_it_skips(street: Path, landfall: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(street / "photos", photos)
    shutil.copy(street / "queries" / "0.jpg", photos / "nowhere.jpg")
    done = landfall("index", "build", photos, "--out", tmp_path / "i.lf", "--json", "-")
    assert done.returncode == 0  # a photo that merely has no position counts as done
    told = json.loads(done.stdout)
    assert told["indexed"] == 2 * PLACES
    assert [skip["photo"] for skip in told["skipped"]] == ["nowhere.jpg"]
    listed = json.loads(landfall("index", "info", tmp_path / "i.lf", "--photos", "--json", "-").stdout)
    assert len(listed["photos"]) == 2 * PLACES
    assert set(listed["photos"][0]) == {"id", "photo", "lat", "lon"}


def test_a_finished_index_is_refused_and_left_alone(street: Path, street_index: Path, landfall: Run) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in street_index.iterdir())
    done = landfall("index", "build", street / "photos", "--out", street_index)
    assert done.returncode == 2
    assert str(street_index) in done.stderr
    assert sorted((path.name, path.stat().st_mtime_ns) for path in street_index.iterdir()) == before


def test_photos_without_any_position_are_refused_with_what_to_do(
    street: Path, landfall: Run, tmp_path: Path
) -> None:
    done = landfall("index", "build", street / "queries", "--out", tmp_path / "i.lf")
    assert done.returncode == 2
    assert "GPS" in done.stderr
    assert not (tmp_path / "i.lf").exists()


def test_metres_with_no_zone_are_refused(street: Path, landfall: Run, tmp_path: Path) -> None:
    for row in range(4):
        shutil.copy(street / "queries" / "0.jpg", tmp_path / f"@{row * 10}@0@@@@@@@@@@@@@.jpg")
    done = landfall("index", "build", tmp_path, "--out", tmp_path / "i.lf")
    assert done.returncode == 2
    assert "zone" in done.stderr


def test_a_csv_gives_positions(street: Path, landfall: Run, tmp_path: Path) -> None:
    rows = [f"{street / 'queries' / f'{place}.jpg'},{52.0 + STEP_DEG * place},0.5" for place in range(PLACES)]
    table = tmp_path / "photos.csv"
    table.write_text("\n".join(["path,lat,lon", *rows]))
    done = landfall("index", "build", table, "--out", tmp_path / "i.lf", "--json", "-", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["indexed"] == PLACES


def test_a_missing_index_and_missing_photos_are_wrong_usage(
    street: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    nothing = landfall("localize", street / "queries", "--index", tmp_path / "none.lf")
    assert nothing.returncode == 2
    assert "index build" in nothing.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    for photos in (empty, tmp_path / "missing"):
        done = landfall("localize", photos, "--index", street_index)
        assert done.returncode == 2
        assert str(photos) in done.stderr
        assert "Traceback" not in done.stderr


def test_the_index_keeps_the_size_that_was_asked_for(street: Path, landfall: Run, tmp_path: Path) -> None:
    out = tmp_path / "small.lf"
    assert (
        landfall("index", "build", street / "photos", "--out", out, "--resize", 96, 128, "-q").returncode == 0
    )
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["model"]["height"], manifest["model"]["width"]) == (96, 128)
    done = landfall("localize", street / "photos", "--index", out, "--json", "-", "--quiet")
    # Queries are read at the same size, so each photo finds itself, as near as half precision stores it.
    fixes = json.loads(done.stdout)
    assert [fix["matches"][0]["photo"] for fix in fixes] == [fix["photo"] for fix in fixes]
    assert max(fix["matches"][0]["distance"] for fix in fixes) < HALF
