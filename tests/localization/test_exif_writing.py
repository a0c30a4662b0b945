"""Which fixes are written into which photos, and where copies go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from landfall.geo import LatLon
from landfall.localization import Fix, write_positions
from landfall.localization.exif_writing import copy_path
from landfall.photos import read_metadata, write_jpeg

PLACE = LatLon(52.5, 13.4)


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / "in" / f"{name}.jpg" for name in ("sure", "unsure", "elsewhere", "broken")}
    (tmp_path / "in").mkdir()
    for path in paths.values():
        write_jpeg(path, np.zeros((16, 16, 3), np.uint8))
    return paths


def fixes() -> list[Fix]:
    return [
        Fix("sure", PLACE, 12.0, 0.9, True),
        Fix("unsure", PLACE),
        Fix("elsewhere", PLACE, 900.0, 0.01, False),
        Fix("broken", error="empty file (0 bytes)"),
        Fix("folder", error="the folder can't be listed"),
    ]


def test_only_what_was_accepted_is_written(photos: dict[str, Path], tmp_path: Path) -> None:
    report = write_positions(fixes(), photos, tmp_path / "out")
    assert report.written == ("sure", "unsure")  # nothing was calibrated for the second
    assert [(each.photo, each.reason) for each in report.left_alone] == [("elsewhere", "not in this index")]
    assert report.failed == ()
    assert str(report) == "EXIF positions: 2 written, 1 left alone, 0 failed"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["sure", "unsure"]
    with Image.open(tmp_path / "out" / "sure") as image:
        gps = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert float(gps[ExifTags.GPS.GPSHPositioningError]) == 12.0
    # Again: the same copies are there already, which is no trouble.
    assert write_positions(fixes(), photos, tmp_path / "out") == report


def test_in_place_a_second_time_leaves_photos_alone(photos: dict[str, Path]) -> None:
    assert write_positions(fixes(), photos, None).written == ("sure", "unsure")
    before = photos["sure"].read_bytes()
    again = write_positions(fixes(), photos, None)
    assert (again.written, len(again.left_alone)) == ((), 3)
    assert photos["sure"].read_bytes() == before
    assert read_metadata(photos["elsewhere"]).location is None


def test_a_copy_is_never_the_photo_itself(photos: dict[str, Path]) -> None:
    folder = photos["sure"].parent
    (report,) = (write_positions([Fix("sure.jpg", PLACE)], {"sure.jpg": photos["sure"]}, folder),)
    assert "is the photo itself" in report.failed[0].reason
    assert read_metadata(photos["sure"]).location is None


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a.jpg", "a.jpg"),
        ("x/a.jpg", "x/a.jpg"),
        ("../../a.jpg", "a.jpg"),
        ("/home/x/../a.jpg", "home/x/a.jpg"),
    ],
)
def test_copies_stay_below_their_folder(name: str, place: str) -> None:
    assert copy_path(Path("out"), name) == Path("out") / place
