from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from landfall.datasets import load_photos
from landfall.errors import DatasetError
from landfall.geo import LatLon
from landfall.photos import write_jpeg


class Draw(Protocol):
    def __call__(self, path: Path, *, at: tuple[float, float] | None = None) -> Path: ...


def test_names_go_before_exif_and_exif_before_nothing(tmp_path: Path, draw: Draw) -> None:
    root = tmp_path / "@odd@1@2@"
    draw(root / "a" / "@500000.00@0000000.00@31@N@@@@@045@@@@2015@@.jpg", at=(50.0, 10.0))
    draw(root / "b" / "plain.JPG", at=(50.0, 10.0))
    draw(root / "c" / "@me@beach.jpg", at=(51.0, 11.0))
    draw(root / "d" / "nothing.png")
    draw(root / "@0@10@.jpg")
    (root / "notes.txt").write_text("no photo")
    (root / "broken.jpg").write_bytes(b"no photo")
    (root / "loop").symlink_to(root, target_is_directory=True)
    listing = load_photos(root)
    assert listing.photos.names == (
        "@0@10@.jpg",
        "a/@500000.00@0000000.00@31@N@@@@@045@@@@2015@@.jpg",
        "b/plain.JPG",
        "c/@me@beach.jpg",
        "d/nothing.png",
    )
    np.testing.assert_allclose(listing.photos.positions.lat, [np.nan, 0, 50, 51, np.nan], atol=1e-7)
    np.testing.assert_allclose(listing.photos.positions.lon, [np.nan, 3, 10, 11, np.nan], atol=1e-7)
    assert listing.photos.heading_deg[1] == 45
    assert str(listing.photos.taken_at[1]) == "2015-01-01T00:00:00"
    assert [(problem.photo, problem.reason) for problem in listing.without_position] == [
        ("@0@10@.jpg", "its name gives metres with no UTM zone; no EXIF"),
        ("d/nothing.png", "no EXIF"),
    ]
    assert [problem.photo for problem in listing.failed] == ["loop", "broken.jpg"]
    assert listing.other_files == 1


def test_exif_tells_heading_and_time_too(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    moment = datetime(2015, 3, 12, 14, 30, 5)
    write_jpeg(tmp_path / "a.jpg", pixels, location=LatLon(50, 10), heading_deg=123.0, taken_at=moment)
    photos = load_photos(tmp_path).photos
    assert photos.heading_deg.tolist() == [123.0]
    assert photos.taken_at[0].astype(object) == moment


def test_a_single_photo(tmp_path: Path, draw: Draw) -> None:
    listing = load_photos(draw(tmp_path / "ü ber.jpg", at=(-33.9, 151.2)))
    assert listing.photos.names == ("ü ber.jpg",)
    assert listing.photos.paths == [tmp_path / "ü ber.jpg"]
    np.testing.assert_allclose(listing.photos.positions.lat, [-33.9], atol=1e-7)
    assert listing.photos.positions.south.tolist() == [True]


def test_a_bad_field_beside_a_good_position_is_remarked(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "@500000@0@31@N@@@@@east@@@@@@.jpg")
    listing = load_photos(tmp_path)
    assert listing.photos.positions.known.all()
    assert not listing.without_position
    assert not listing.failed
    assert "heading 'east'" in listing.remarks[0].reason


def test_a_table(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "a.jpg")
    draw(tmp_path / "b.jpg")
    table = tmp_path / "list.csv"
    table.write_text("file,lat,lon\na.jpg,52.5,13.4\nb.jpg,,\ngone.jpg,52,13\na.jpg,1,1\n")
    listing = load_photos(table)
    assert listing.photos.names == ("a.jpg", "b.jpg")
    assert listing.photos.positions.known.tolist() == [True, False]
    assert [(problem.photo, problem.reason) for problem in listing.without_position] == [
        ("b.jpg", "line 3 of list.csv: no position in the table; no EXIF")
    ]
    assert [problem.photo for problem in listing.failed] == ["gone.jpg"]
    assert "line 4 of list.csv: no such file" in listing.failed[0].reason
    assert [problem.reason for problem in listing.remarks] == [
        "line 5 of list.csv: the same photo as in line 2, which counts"
    ]


def test_an_empty_folder_lists_nothing(tmp_path: Path) -> None:
    listing = load_photos(tmp_path)
    assert len(listing.photos) == 0
    assert not listing.failed


@pytest.mark.parametrize(("name", "reason"), [("none", "does not exist"), ("notes.md", "neither a folder")])
def test_what_is_no_photos_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "notes.md").write_text("text")
    with pytest.raises(DatasetError, match=reason):
        load_photos(tmp_path / name)
