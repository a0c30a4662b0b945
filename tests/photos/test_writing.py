from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import PhotoUnreadableError, UsageError
from landfall.geo import LatLon, to_geocentric
from landfall.photos import InputSpec, encode_thumbnail, load_photo, read_metadata, write_jpeg

Draw = Callable[[int, int], NDArray[np.uint8]]
Save = Callable[..., Path]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_the_position_comes_back_within_a_centimetre(tmp_path: Path, lat: float, lon: float) -> None:
    path = tmp_path / "a.jpg"
    write_jpeg(path, np.zeros((16, 16, 3), np.uint8), location=LatLon(lat, lon))
    back = read_metadata(path).location
    if back is None:
        assert max(abs(lat), abs(lon)) < 1.1e-6
        return
    here, there = to_geocentric(np.array([lat, back.lat]), np.array([lon, back.lon]))
    assert np.linalg.norm(here - there) < 0.01


@pytest.mark.parametrize(
    "degrees", [59.99999999999, 12 + 59 / 60 + 59.9999999 / 3600, 89.99999999999999]
)  # would be 60 seconds if minutes were split off before rounding
def test_seconds_never_round_to_sixty(tmp_path: Path, degrees: float) -> None:
    path = tmp_path / "a.jpg"
    write_jpeg(path, np.zeros((16, 16, 3), np.uint8), location=LatLon(degrees, -degrees))
    back = read_metadata(path).location
    assert back is not None
    assert (back.lat, back.lon) == pytest.approx((degrees, -degrees), abs=1e-8)


@pytest.mark.parametrize(
    "taken_at",
    [
        datetime(2024, 5, 6, 7, 8, 9),
        datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
        datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    ],
)
def test_everything_comes_back(tmp_path: Path, draw: Draw, taken_at: datetime) -> None:
    path = tmp_path / "a.jpg"
    write_jpeg(
        path,
        draw(48, 64),
        location=LatLon(-33.85, -70.5),
        altitude_m=-12.345,
        heading_deg=359.996,
        taken_at=taken_at,
    )
    metadata = read_metadata(path)
    assert metadata.altitude_m == pytest.approx(-12.345)
    assert (metadata.heading_deg, metadata.heading_ref) == (0.0, "T")
    assert metadata.taken_at == taken_at
    assert str(metadata.taken_at) == str(
        taken_at
    )  # equal times in other zones are equal; their offsets are not
    with Image.open(path) as image:  # as others read it
        gps = image.getexif().get_ifd(0x8825)
        assert (gps[1], gps[3]) == ("S", "W")
        assert [float(part) for part in gps[2]] == pytest.approx([33, 51, 0])
        assert 0x0112 not in image.getexif()


def test_bytes_depend_on_the_arguments_alone_and_nothing_is_left_beside(tmp_path: Path, draw: Draw) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_jpeg(tmp_path / name, draw(48, 64), location=LatLon(1, 2), heading_deg=3, quality=80)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.jpg"]


def test_without_facts_there_is_no_exif(tmp_path: Path, draw: Draw) -> None:
    write_jpeg(tmp_path / "a.jpg", draw(48, 64))
    assert read_metadata(tmp_path / "a.jpg").location_problem == "no EXIF"


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((16, 16), np.uint8), np.zeros((16, 16, 3), np.float32), np.zeros((0, 16, 3), np.uint8)],
)
def test_other_pixels_are_refused(tmp_path: Path, pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(UsageError, match="expected uint8 of shape"):
        write_jpeg(tmp_path / "a.jpg", pixels)
    with pytest.raises(UsageError, match="expected finite numbers"):
        write_jpeg(tmp_path / "a.jpg", np.zeros((16, 16, 3), np.uint8), altitude_m=float("nan"))
    assert list(tmp_path.iterdir()) == []


def test_a_thumbnail_is_upright_keeps_its_shape_and_is_never_enlarged(draw: Draw, save: Save) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save("a.jpg", draw(600, 800), exif=exif)
    with Image.open(io.BytesIO(encode_thumbnail(path, longest_side=100))) as small:
        assert (small.format, small.size) == ("JPEG", (75, 100))
        whole = load_photo(path, InputSpec(100, 75)).pixels
        assert np.abs(np.asarray(small).astype(int) - whole).mean() < 6
    with Image.open(io.BytesIO(encode_thumbnail(draw(48, 64)))) as small:
        assert small.size == (64, 48)
    with Image.open(io.BytesIO(encode_thumbnail(draw(480, 640), longest_side=64))) as small:
        assert small.size == (64, 48)


def test_a_thumbnail_of_a_broken_photo_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(PhotoUnreadableError, match=r"a\.jpg: empty file"):
        encode_thumbnail(tmp_path / "a.jpg")
