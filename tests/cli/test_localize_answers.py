"""``landfall localize``'s files, positions written into photos, and sequences."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from landfall.cli.localize_answers import ExifTarget, speed_of
from landfall.errors import UsageError
from landfall.geo import LatLon
from landfall.photos import InputSpec, load_photo, read_metadata, write_jpeg

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PLACES, STEP_DEG = 6, 0.001
# densevlad takes a black photo for one of place 2, which place 3's neighbours rule out.
BLACK = 3
GPX = "{http://www.topografix.com/GPX/1/1}"


@pytest.fixture
def walk(street: Path, tmp_path: Path) -> Path:
    """The street's queries with times, the last first, 120 s apart; one of them is black, one broken."""
    folder = tmp_path / "walk"
    folder.mkdir()
    for place in range(PLACES):
        pixels = load_photo(street / "queries" / f"{place}.jpg", InputSpec(None, None)).pixels
        when = datetime(2024, 5, 6, 7, 2 * (PLACES - place))
        write_jpeg(folder / f"{place}.jpg", pixels * (0 if place == BLACK else 1), taken_at=when)
    (folder / "broken.jpg").write_bytes(b"")
    return folder


def test_a_walk_is_joined_and_told_in_every_format(
    walk: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    files = {kind: tmp_path / "out" / f"answers.{kind}" for kind in ("json", "geojson", "kml", "gpx", "csv")}
    options = [word for kind, path in files.items() for word in (f"--{kind}", path)]
    page = tmp_path / "page.html"
    arguments = ("--sequence", "--speed-limit", "1m/s", *options, "--html", page)
    done = landfall("localize", walk, "--index", street_index, *arguments)
    assert done.returncode == 1, done.stderr  # the broken photo
    assert "Sequence of 6 photos: " in done.stderr
    assert "1 placed between their neighbours" in done.stderr
    fixes = json.loads(files["json"].read_text())
    for place, fix in enumerate(fixes[:PLACES]):
        # The black one lies where the photos before and after it put it.
        assert fix["lat"] == pytest.approx(52.0 + STEP_DEG * place, abs=3e-4)
    features = json.loads(files["geojson"].read_text())["features"]
    assert features[-1]["geometry"]["type"] == "LineString"
    assert len(features[-1]["geometry"]["coordinates"]) == PLACES
    rows = list(csv.DictReader(files["csv"].open(newline="")))
    assert [row["track_place"] for row in rows] == ["6", "5", "4", "3", "2", "1", ""]
    assert rows[BLACK]["track_change"] == "interpolated"
    assert rows[-1]["error"]
    gpx = ElementTree.parse(files["gpx"]).getroot()
    names = [point.findtext(f"{GPX}name") for point in gpx.iter(f"{GPX}trkpt")]
    assert names == [f"{place}.jpg" for place in reversed(range(PLACES))]
    assert "broken.jpg" in (gpx.findtext(f"{GPX}metadata/{GPX}desc") or "")
    assert "LineString" in files["kml"].read_text()
    assert '"name":"Track"' in page.read_text()


def test_copies_get_positions_and_what_has_one_is_left_alone(
    street: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    photos, copies = tmp_path / "photos", tmp_path / "copies"
    shutil.copytree(street / "queries", photos / "deep")
    pixels = load_photo(street / "queries" / "1.jpg", InputSpec(None, None)).pixels
    write_jpeg(photos / "placed.jpg", pixels, location=LatLon(-33.0, 151.0))
    copies.mkdir()
    (copies / "deep").mkdir()
    (copies / "deep" / "0.jpg").write_bytes(b"somebody's")
    before = {path: path.read_bytes() for path in photos.rglob("*.jpg")}
    command = ("localize", photos, "--index", street_index, "--write-exif", copies)
    done = landfall(*command)
    assert done.returncode == 1  # one could not be written
    assert f"EXIF positions: {PLACES - 1} written, 1 left alone, 1 failed" in done.stderr
    assert "0.jpg is there already" in done.stderr
    assert (copies / "deep" / "0.jpg").read_bytes() == b"somebody's"
    assert not (copies / "placed.jpg").exists()
    for place in range(1, PLACES):
        found = read_metadata(copies / "deep" / f"{place}.jpg").location
        assert found is not None
        assert found.lat == pytest.approx(52.0 + STEP_DEG * place, abs=3e-4)
    assert {path: path.read_bytes() for path in photos.rglob("*.jpg")} == before


def test_photos_are_edited_in_place_when_asked(
    street: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    placed, plain = tmp_path / "placed.jpg", tmp_path / "plain.jpg"
    pixels = load_photo(street / "queries" / "3.jpg", InputSpec(None, None)).pixels
    write_jpeg(placed, pixels, location=LatLon(-33.0, 151.0))
    write_jpeg(plain, pixels)
    done = landfall(
        "localize", placed, plain, "--index", street_index, "--in-place", "--overwrite-position", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    for photo in (placed, plain):
        found = read_metadata(photo).location
        assert found is not None
        assert found.lat == pytest.approx(52.0 + STEP_DEG * 3, abs=3e-4)
    contradiction = landfall(
        "localize", plain, "--index", street_index, "--in-place", "--write-exif", tmp_path / "copies"
    )
    assert contradiction.returncode == 2
    assert "--write-exif" in contradiction.stderr


def test_overwriting_nothing_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--overwrite-position needs"):
        ExifTarget(None, in_place=False, overwrite=True).check()


@pytest.mark.parametrize(
    ("text", "m_s"), [("30m/s", 30.0), ("36 km/h", 10.0), ("0.5m/s", 0.5), (".5m/s", 0.5), ("60mph", 26.8224)]
)
def test_speeds_have_units(text: str, m_s: float) -> None:
    # A mile is 1609.344 m.
    assert speed_of(text) == pytest.approx(m_s)


@pytest.mark.parametrize("text", ["30", "fast", "-5m/s", "0km/h", "5 m/h", ""])
def test_what_is_no_speed_is_told_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="30m/s"):
        speed_of(text)
