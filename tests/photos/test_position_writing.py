"""Positions written into whole files: the same pixels, the same other metadata, and no surprise on disk."""

from __future__ import annotations

import csv
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, PngImagePlugin

from landfall.errors import PhotoError
from landfall.geo import LatLon
from landfall.photos import read_metadata, write_jpeg, write_position
from landfall.photos.exif_blocks import EDITORS, UneditableError

Draw = Callable[[int, int], NDArray[np.uint8]]
Save = Callable[..., Path]
PLACE = LatLon(55.7047, 13.191)
PROFILE = b"not a real profile, but kept all the same"


def pixels_of(path: Path, frame: int = 0) -> NDArray[np.uint8]:
    """As stored, at full size."""
    with Image.open(path) as image:
        image.seek(frame)
        return np.asarray(image.convert("RGBA"))


def metadata_of(path: Path) -> dict[str, Any]:
    """All that Pillow tells of a file, but for the EXIF block itself and the GPS tags."""
    with Image.open(path) as image:
        exif = image.getexif()
        tags: dict[object, Any] = {tag: value for tag, value in exif.items() if tag != ExifTags.IFD.GPSInfo}
        tags["exif"] = dict(exif.get_ifd(ExifTags.IFD.Exif))
        # A list of pictures moves with the EXIF before it; where there is EXIF, Pillow makes up a resolution
        # (that of JFIF stands in the file and is compared).
        ignored = ("exif", "mpoffset", "dpi")
        told = {key: value for key, value in image.info.items() if key not in ignored}
        return {"tags": tags, "info": told, "size": image.size, "mode": image.mode}


def a_camera_s_exif(note_bytes: int = 200) -> Image.Exif:
    made = Image.Exif()
    made[ExifTags.Base.Make] = "Landfall Optics"
    made[ExifTags.Base.Orientation] = 6
    made[ExifTags.IFD.Exif] = {
        ExifTags.Base.DateTimeOriginal: "2024:05:06 07:08:09",
        ExifTags.Base.MakerNote: bytes(range(256)) * (note_bytes // 256) + bytes(note_bytes % 256),
    }
    # Pillow writes directories of a TIFF only from EXIF that it has read.
    exif = Image.Exif()
    exif.load(made.tobytes())
    return exif


SAVES: dict[str, dict[str, Any]] = {
    "a.jpg": {"quality": 90, "icc_profile": PROFILE, "comment": b"a comment", "dpi": (300, 300)},
    "progressive.jpg": {"progressive": True, "xmp": b"<x:xmpmeta/>"},
    "a.png": {"icc_profile": PROFILE},
    "lossless.webp": {"lossless": True},
    "lossy.webp": {"quality": 70, "icc_profile": PROFILE, "xmp": b"<x:xmpmeta/>"},
    "plain.webp": {"quality": 70},
    "a.tif": {"icc_profile": PROFILE},
}


@pytest.mark.parametrize("name", SAVES)
@pytest.mark.parametrize("with_exif", [False, True])
def test_pixels_and_all_other_metadata_stay(
    name: str, with_exif: bool, draw: Draw, save: Save, tmp_path: Path
) -> None:
    options = SAVES[name] | ({"exif": a_camera_s_exif()} if with_exif else {})
    source = save(name, draw(48, 67), **options)
    target = tmp_path / f"placed {name}"
    assert write_position(source, target, PLACE, radius_m=8.0)
    after, before = read_metadata(target), read_metadata(source)
    assert after.location is not None
    assert (after.location.lat, after.location.lon) == pytest.approx((PLACE.lat, PLACE.lon), abs=1e-8)
    assert (after.taken_at, after.width, after.height) == (before.taken_at, before.width, before.height)
    assert np.array_equal(pixels_of(source), pixels_of(target))
    assert metadata_of(target) == metadata_of(source)
    assert source.read_bytes() != target.read_bytes()
    # Again, over what was written: the same file is in the way of nobody, another position is.
    assert write_position(source, target, PLACE, radius_m=8.0)
    assert not write_position(target, target, LatLon(1, 2))


def test_transparency_survives_the_extended_header(draw: Draw, save: Save, tmp_path: Path) -> None:
    clear = np.dstack([draw(40, 50), np.arange(2000, dtype=np.uint8).reshape(40, 50)])
    source = save("clear.webp", clear, lossless=True)
    assert source.read_bytes()[12:16] == b"VP8L"  # the simple format
    assert write_position(source, tmp_path / "placed.webp", PLACE)
    assert np.array_equal(pixels_of(source), pixels_of(tmp_path / "placed.webp"))


def test_every_picture_of_a_multi_picture_file_is_found(draw: Draw, tmp_path: Path) -> None:
    first, second = Image.fromarray(draw(64, 96)), Image.fromarray(draw(32, 48))
    source, target = tmp_path / "two.jpg", tmp_path / "placed.jpg"
    first.save(source, format="MPO", save_all=True, append_images=[second], exif=a_camera_s_exif())
    assert write_position(source, target, PLACE)
    for frame in range(2):
        assert np.array_equal(pixels_of(source, frame), pixels_of(target, frame))
    data = target.read_bytes()
    with Image.open(target) as image:
        listed = image.mpinfo[0xB002]  # type: ignore[attr-defined]
    # CIPA DC-007: the first picture's size is that of all its bytes, which end where the second begins.
    assert data[listed[0]["Size"] - 2 : listed[0]["Size"] + 2] == b"\xff\xd9\xff\xd8"
    header = data.index(b"MPF\x00") + 4
    assert header + listed[1]["DataOffset"] == listed[0]["Size"]


def test_a_list_of_pictures_before_the_exif_follows_too(draw: Draw, tmp_path: Path) -> None:
    source, target = tmp_path / "two.jpg", tmp_path / "placed.jpg"
    pictures = [Image.fromarray(draw(side, 48)) for side in (64, 32)]
    pictures[0].save(source, format="MPO", save_all=True, append_images=pictures[1:])
    data = source.read_bytes()
    # Move the MPF segment to the front and put the EXIF behind it, so that the two are cut apart.
    at = data.index(b"MPF\x00") - 4
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    exif = b"Exif\x00\x00" + a_camera_s_exif().tobytes().removeprefix(b"Exif\x00\x00")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    rest = data[2:at] + data[end:]
    listed = bytearray(data[at:end])
    moved = data[:2] + bytes(listed) + segment + rest
    # The second picture now stands where it stood, further by the EXIF, seen from a header nearer the front.
    header, block = 2 + 8, bytes(listed[8:])
    order = "<" if block[:2] == b"II" else ">"
    place = block.index(struct.pack(f"{order}HHL", 0xB002, 7, 32))
    (entries,) = struct.unpack_from(f"{order}L", block, place + 8)
    moved_data = bytearray(moved)
    second = moved.rindex(b"\xff\xd8\xff")
    struct.pack_into(f"{order}L", moved_data, header + entries + 4, second)
    struct.pack_into(f"{order}L", moved_data, header + entries + 16 + 8, second - header)
    source.write_bytes(moved_data)
    before = [pixels_of(source, frame) for frame in range(2)]
    assert write_position(source, target, PLACE)
    for frame in range(2):
        assert np.array_equal(before[frame], pixels_of(target, frame))


def test_a_position_that_is_there_stays_unless_told(draw: Draw, tmp_path: Path) -> None:
    photo, target = tmp_path / "a.jpg", tmp_path / "b.jpg"
    write_jpeg(photo, draw(48, 64), location=LatLon(10, 20), altitude_m=5.0, heading_deg=90.0)
    before = photo.read_bytes()
    assert not write_position(photo, target, PLACE)
    assert not target.exists()
    assert write_position(photo, target, PLACE, overwrite=True)
    after = read_metadata(target)
    assert after.location is not None
    assert after.location.lat == pytest.approx(PLACE.lat)
    assert (after.altitude_m, after.heading_deg) == (5.0, 90.0)
    assert photo.read_bytes() == before


def test_in_place_keeps_permissions_and_the_time_of_modification(draw: Draw, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    write_jpeg(photo, draw(48, 64))
    photo.chmod(0o640)
    os.utime(photo, (1_600_000_000, 1_500_000_000))
    link = tmp_path / "link.jpg"
    link.symlink_to(photo)
    assert write_position(link, link, PLACE)
    assert link.is_symlink()
    status = photo.stat()
    assert (status.st_mode & 0o777, status.st_mtime) == (0o640, 1_500_000_000)
    assert read_metadata(photo).location is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "link.jpg"]


def test_another_file_is_never_written_over(draw: Draw, tmp_path: Path) -> None:
    photo, other = tmp_path / "a.jpg", tmp_path / "b.jpg"
    write_jpeg(photo, draw(48, 64))
    other.write_bytes(b"somebody's")
    with pytest.raises(PhotoError, match=r"b\.jpg is there already"):
        write_position(photo, other, PLACE)
    assert other.read_bytes() == b"somebody's"


def test_a_folder_that_is_not_there_is_told(draw: Draw, tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg", draw(48, 64))
    with pytest.raises(PhotoError, match="can't be written"):
        write_position(tmp_path / "a.jpg", tmp_path / "none" / "a.jpg", PLACE)


def test_a_full_block_is_refused_and_one_that_just_fits_is_not(draw: Draw, tmp_path: Path) -> None:
    for note, fits in ((64_900, True), (65_300, False)):
        exif = a_camera_s_exif(note)
        photo = tmp_path / f"{note}.jpg"
        Image.fromarray(draw(48, 64)).save(photo, exif=exif)
        before = photo.read_bytes()
        if fits:
            assert write_position(photo, photo, PLACE)
        else:
            with pytest.raises(PhotoError, match=r"EXIF is full: .* 65533"):
                write_position(photo, photo, PLACE)
            assert photo.read_bytes() == before


def test_broken_exif_is_left_as_it_is(draw: Draw, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    Image.fromarray(draw(48, 64)).save(photo, exif=b"Exif\x00\x00II*\x00\xff\xff\x00\x00nothing")
    before = photo.read_bytes()
    with pytest.raises(PhotoError, match="EXIF is malformed"):
        write_position(photo, photo, PLACE)
    assert photo.read_bytes() == before


def test_a_heic_is_refused_with_the_formats(draw: Draw, tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.fromarray(draw(64, 64))).save(tmp_path / "a.heic")
    with pytest.raises(PhotoError, match=r"JPEG, PNG, WebP, TIFF; this is HEIC"):
        write_position(tmp_path / "a.heic", tmp_path / "b.heic", PLACE)


def test_exif_kept_as_text_is_not_hidden_behind_a_second_one(draw: Draw, save: Save, tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", "\nexif\n8\n4d4d002a00000008\n")
    photo = save("a.png", draw(48, 64), pnginfo=text)
    with pytest.raises(PhotoError, match="kept as text"):
        write_position(photo, tmp_path / "b.png", PLACE)


def test_a_chunk_behind_the_pixels_is_changed_where_it_stands(draw: Draw, save: Save) -> None:
    photo = save("a.png", draw(48, 64))
    data = photo.read_bytes()
    block = b"eXIf" + a_camera_s_exif().tobytes().removeprefix(b"Exif\x00\x00")
    chunk = struct.pack(">L", len(block) - 4) + block + struct.pack(">L", zlib.crc32(block))
    photo.write_bytes(data[:-12] + chunk + data[-12:])
    assert write_position(photo, photo, PLACE)
    assert photo.read_bytes().count(b"eXIf") == 1
    assert read_metadata(photo).location is not None


def test_exif_in_two_pieces_is_refused() -> None:
    exif = b"\xff\xe1\x00\x10Exif\x00\x00" + bytes(8)
    with pytest.raises(UneditableError, match="2 pieces"):
        EDITORS["JPEG"](b"\xff\xd8" + exif * 2 + b"\xff\xda\x00\x02", lambda block: block or b"")


@pytest.mark.parametrize("kind", EDITORS)
def test_cut_files_are_edited_or_refused(kind: str, draw: Draw) -> None:
    whole = io.BytesIO()
    Image.fromarray(draw(16, 24)).save(whole, format=kind, exif=a_camera_s_exif())
    data = whole.getvalue()
    for end in range(12, min(len(data), 700), 7):
        try:
            EDITORS[kind](data[:end], lambda block: block or b"new")
        except UneditableError:
            continue


_KILLED = """
import sys
from landfall.geo import LatLon
from landfall.photos import write_position
from tests.dying import die_around
die_around(sys.argv[1], "a.jpg")
write_position(sys.argv[2], sys.argv[2], LatLon(55.7047, 13.191))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_in_place_the_photo_is_whole(moment: str, draw: Draw, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    write_jpeg(photo, draw(48, 64))
    pixels = pixels_of(photo)
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", _KILLED, moment, photo], cwd=root, check=False)
    assert done.returncode == -9
    assert np.array_equal(pixels_of(photo), pixels)
    assert (read_metadata(photo).location is not None) == (moment == "after")


@pytest.mark.trial
def test_real_photos_keep_their_pixels_and_tags(tmp_path: Path) -> None:
    data = os.environ.get("LANDFALL_TRIAL_DATA")
    if not data or not (Path(data) / "exif" / "index.csv").is_file():
        pytest.skip("LANDFALL_TRIAL_DATA names no folder with exif/index.csv")
    folder = Path(data) / "exif"
    with (folder / "index.csv").open(newline="") as file:
        names = [row["path"] for row in csv.DictReader(file)]
    refused = []
    for name in names:
        target = tmp_path / name
        try:
            assert write_position(folder / name, target, PLACE, radius_m=5.0, overwrite=True), name
        except PhotoError as error:
            refused.append(f"{name}: {error.reason}")
            continue
        assert np.array_equal(pixels_of(folder / name), pixels_of(target)), name
        assert metadata_of(target) == metadata_of(folder / name), name
    # Of 62 photos two were published as examples of broken headers.
    assert all(line.startswith("invalid__") for line in refused), refused
