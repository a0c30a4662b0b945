"""The EXIF block with a position put in: nothing moves, and everything else reads as before."""

from __future__ import annotations

import io
import struct
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from landfall.errors import UsageError
from landfall.geo import LatLon
from landfall.photos.exif import MalformedExifError, parse_exif
from landfall.photos.exif_editing import with_position
from landfall.photos.gps import read_altitude_m, read_location

PLACE = LatLon(-33.856784, 151.215297)
ORDERS: tuple[Literal["<", ">"], ...] = ("<", ">")


def block_of(order: str, *, gps: dict[int, tuple[int, int, bytes]] | None = None) -> bytes:
    """An EXIF block by hand: maker, orientation, and a maker's note whose content is its own offset.

    Args:
        order: of the bytes.
        gps: a GPS directory to have: type, count and up to 4 bytes of value, by tag.
    """
    maker, note = b"Landfall Optics\x00", b"note"
    entries = [(0x010F, 2, len(maker), None), (0x0112, 3, 1, struct.pack(f"{order}HH", 6, 0))]
    entries.append((0x927C, 7, 8, None))
    if gps is not None:
        entries.append((0x8825, 4, 1, None))
    entries.sort()
    at = 8 + 2 + 12 * len(entries) + 4
    places = {0x010F: at, 0x927C: at + len(maker), 0x8825: at + len(maker) + 8}
    body = struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        field = struct.pack(f"{order}L", places[tag]) if value is None else value
        body += struct.pack(f"{order}HHL", tag, kind, count) + field
    body += bytes(4) + maker + note + struct.pack(f"{order}L", places[0x927C])
    if gps is not None:
        body += struct.pack(f"{order}H", len(gps))
        for tag, (kind, count, value) in sorted(gps.items()):
            body += struct.pack(f"{order}HHL", tag, kind, count) + value.ljust(4, b"\x00")
        body += bytes(4)
    return (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(f"{order}L", 8) + body


def tags_of(block: bytes) -> tuple[dict[int, object], dict[int, object]]:
    """The first directory (but for the GPS pointer) and the GPS directory, as Pillow reads them."""
    exif = Image.Exif()
    exif.load(block)
    gps = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
    return {tag: value for tag, value in exif.items() if tag != 0x8825}, gps


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("has_gps", [False, True])
def test_a_position_comes_in_and_nothing_moves(order: str, has_gps: bool) -> None:
    block = block_of(order, gps={0x10: (2, 2, b"T\x00")} if has_gps else None)
    edited = with_position(block, PLACE, radius_m=12.35, altitude_m=-3.5)
    before, _ = tags_of(block)
    after, gps = tags_of(edited)
    assert after == before
    assert after[0x927C][4:] == struct.pack(f"{order}L", edited.index(b"note"))  # type: ignore[index]
    # Of the old bytes at most one pointer changed, or the header's and none other.
    changed = [i for i in range(len(block)) if block[i] != edited[i]]
    assert max(changed) - min(changed) < 4
    assert (gps[1], gps[3], gps[18]) == ("S", "E", "WGS-84")
    assert gps[27] == b"ASCII\x00\x00\x00landfall"
    assert float(gps[31]) == 12.35  # type: ignore[arg-type]
    assert (gps[5], float(gps[6])) == (b"\x01", 3.5)  # type: ignore[arg-type]
    assert gps.get(0x10) == ("T" if has_gps else None)


def test_what_belongs_to_another_fix_goes_and_the_rest_stays() -> None:
    old = {
        1: (2, 2, b"N\x00"),
        9: (2, 2, b"V\x00"),  # no fix
        10: (2, 2, b"3\x00"),
        12: (2, 2, b"K\x00"),
        16: (2, 2, b"T\x00"),
        30: (3, 1, b"\x01\x00"),
    }
    _, gps = tags_of(with_position(block_of("<", gps=old), PLACE))
    assert (gps[12], gps[16], gps[1]) == ("K", "T", "S")
    assert not {9, 10, 30, 31} & gps.keys()


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(ORDERS), st.booleans())
def test_any_position_reads_back_within_a_centimetre(lat: float, lon: float, order: str, empty: bool) -> None:
    tags = parse_exif(io.BytesIO(with_position(None if empty else block_of(order), LatLon(lat, lon))))
    found, _ = read_location(tags.gps)
    if max(abs(lat), abs(lon)) < 1.1e-6:
        return  # 0,0 reads as no position, whoever wrote it
    assert found is not None
    assert abs(found.lat - lat) < 1e-8
    assert abs(found.lon - lon) < 1e-8


def test_written_twice_the_second_position_holds() -> None:
    once = with_position(block_of(">"), PLACE, altitude_m=7.0)
    twice = parse_exif(io.BytesIO(with_position(once, LatLon(1.5, -2.5))))
    assert read_location(twice.gps)[0] == LatLon(1.5, -2.5)
    assert read_altitude_m(twice.gps) == 7.0


@given(st.binary(max_size=120), st.sampled_from([b"", b"II*\x00", b"MM\x00*\x00\x00\x00\x08"]))
def test_any_block_is_edited_or_refused(tail: bytes, head: bytes) -> None:
    try:
        edited = with_position(head + tail, PLACE)
    except MalformedExifError:
        return
    found, _ = read_location(parse_exif(io.BytesIO(edited)).gps)
    assert found is not None
    assert (found.lat, found.lon) == pytest.approx((PLACE.lat, PLACE.lon), abs=1e-8)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"", "no TIFF header"),
        (b"II+\x00" + bytes(20), "no TIFF header"),
        (b"II*\x00\xff\x00\x00\x00", "outside"),
        (b"II*\x00\x08\x00\x00\x00\x05\x00" + bytes(12), "cut short"),
    ],
)
def test_what_can_t_be_followed_is_refused(block: bytes, reason: str) -> None:
    with pytest.raises(MalformedExifError, match=reason):
        with_position(block, PLACE)


def test_a_gps_directory_that_can_t_be_followed_is_replaced() -> None:
    block = bytearray(block_of("<", gps={}))
    place = block.index(struct.pack("<HHL", 0x8825, 4, 1)) + 8
    block[place : place + 4] = struct.pack("<L", 60_000)
    found, _ = read_location(parse_exif(io.BytesIO(with_position(bytes(block), PLACE))).gps)
    assert found is not None


@pytest.mark.parametrize("numbers", [{"radius_m": float("inf")}, {"radius_m": -1.0}, {"altitude_m": 1e9}])
def test_impossible_numbers_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="expected a finite number"):
        with_position(None, PLACE, **numbers)
