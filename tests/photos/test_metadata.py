from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

from landfall.photos import InputSpec, PhotoMetadata, load_photo, read_metadata

Draw = Callable[[int, int], NDArray[np.uint8]]
Save = Callable[..., Path]


def nairobi(orientation: int = 1) -> bytes:
    """EXIF of a photo taken at 1.2864 S, 36.8172 E, written by Pillow: not by the code under test."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.IFD.GPSInfo] = {
        1: "S",
        2: (1.0, 17.0, 11.04),
        3: "E",
        4: (36.0, 49.0, 1.92),
        5: b"\x00",
        6: 1795.0,
        16: "M",
        17: 271.5,
    }
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2024:05:06 07:08:09"}
    return exif.tobytes()


def save_heic(path: Path, image: Image.Image, exif: bytes | None = None) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(image).save(path, quality=90, exif=exif)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "heic"])
def test_every_format_gives_its_position_and_upright_size(
    tmp_path: Path, draw: Draw, save: Save, suffix: str
) -> None:
    image, path = Image.fromarray(draw(48, 64)), tmp_path / f"a.{suffix}"
    if suffix == "heic":
        save_heic(path, image, nairobi(6))
    else:
        save(path.name, image, exif=nairobi(6))
    metadata = read_metadata(path)
    assert (metadata.width, metadata.height) == (48, 64)
    assert metadata.location is not None
    assert (metadata.location.lat, metadata.location.lon) == pytest.approx((-1.2864, 36.8172), abs=1e-7)
    assert metadata.location_problem is None
    assert (metadata.altitude_m, metadata.heading_deg, metadata.heading_ref) == (1795.0, 271.5, "M")
    assert metadata.taken_at == datetime(2024, 5, 6, 7, 8, 9)
    loaded = load_photo(path, InputSpec(None, None))
    assert loaded.metadata == metadata
    assert loaded.pixels.shape == (64, 48, 3)


def test_a_photo_without_exif_says_so(draw: Draw, save: Save) -> None:
    metadata = read_metadata(save("a.jpg", draw(48, 64)))
    assert metadata == PhotoMetadata(64, 48, None, "no EXIF")


@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0garbage that is no TIFF",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
    ],
)
def test_broken_exif_costs_the_position_alone_and_warns_nobody(draw: Draw, save: Save, block: bytes) -> None:
    path = save("a.jpg", draw(48, 64), exif=block)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metadata = read_metadata(path)
        loaded = load_photo(path, InputSpec(48, 64))
    assert metadata.location is None
    assert str(metadata.location_problem).startswith("EXIF is malformed: ")
    assert (loaded.metadata, loaded.pixels.shape) == (metadata, (48, 64, 3))


def test_png_with_its_exif_behind_the_pixels(draw: Draw, save: Save, tmp_path: Path) -> None:
    plain = save("plain.png", draw(48, 64)).read_bytes()
    body = b"eXIf" + nairobi(6).removeprefix(b"Exif\0\0")
    chunk = struct.pack(">L", len(body) - 4) + body + struct.pack(">L", zlib.crc32(body))
    end = plain.rindex(b"\0\0\0\0IEND")
    path = tmp_path / "late.png"
    path.write_bytes(plain[:end] + chunk + plain[end:])
    metadata = read_metadata(path)
    assert metadata.location is not None
    assert (metadata.width, metadata.height) == (48, 64)
    assert load_photo(path, InputSpec(None, None)).metadata == metadata


def test_the_header_alone_is_read(
    draw: Draw, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = save("a.jpg", draw(600, 800), exif=nairobi()).read_bytes()
    path = tmp_path / "cut.jpg"
    path.write_bytes(whole[: whole.index(b"\xff\xda") + 20])  # ends where the compressed pixels begin
    assert read_metadata(path).location is not None


def test_reading_leaves_pillow_as_it_was(tmp_path: Path, draw: Draw) -> None:
    before = (Image.MAX_IMAGE_PIXELS, set(Image.ID), set(Image.EXTENSION))
    path = tmp_path / "a.heic"
    save_heic(path, Image.fromarray(draw(48, 64)))
    load_photo(path, InputSpec(48, 64))
    assert (Image.MAX_IMAGE_PIXELS, set(Image.ID), set(Image.EXTENSION)) == before


def test_a_tiff_of_many_pages_is_its_first(draw: Draw, tmp_path: Path) -> None:
    first, second = Image.fromarray(draw(48, 64)), Image.new("RGB", (32, 32))
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=[second], exif=nairobi())
    path = tmp_path / "pages.tif"
    path.write_bytes(buffer.getvalue())
    loaded = load_photo(path, InputSpec(None, None))
    assert loaded.metadata.location is not None
    np.testing.assert_array_equal(loaded.pixels, draw(48, 64))
