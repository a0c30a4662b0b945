"""GPS tags to positions, with EXIF built byte by byte: what cameras write, and what they should not."""

from __future__ import annotations

import io
import math
import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.photos.exif import ExifTags, MalformedExifError, TagValue, parse_exif
from landfall.photos.gps import (
    read_altitude_m,
    read_camera_time,
    read_gps_time,
    read_heading_deg,
    read_location,
)

Entry = tuple[int, int, int, bytes]  # tag, type, count, data
RATIONAL, ASCII, BYTE = 5, 2, 1


def directory(entries: list[Entry], start: int, order: str) -> bytes:
    """A TIFF directory at offset ``start``: count, entries, no successor, then the values of over 4 bytes."""
    body, tail = struct.pack(f"{order}H", len(entries)), b""
    end = start + 2 + 12 * len(entries) + 4
    for tag, kind, count, data in entries:
        inline = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(f"{order}L", end + len(tail))
        tail += b"" if len(data) <= 4 else data
        body += struct.pack(f"{order}HHL4s", tag, kind, count, inline)
    return body + bytes(4) + tail


def exif_block(gps: list[Entry], order: str = "<", orientation: int = 6) -> bytes:
    primary = [
        (0x0112, 3, 1, struct.pack(f"{order}H", orientation)),
        (0x8825, 4, 1, struct.pack(f"{order}L", 38)),
    ]
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    return header + directory(primary, 8, order) + directory(gps, 38, order)


def rationals(order: str, *pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack(f"{order}LL", *pair) for pair in pairs)


def dms_entries(lat: float, lon: float, order: str = "<", parts: int = 10**6) -> list[Entry]:
    entries: list[Entry] = []
    for tag, letters, degrees in ((1, "NS", lat), (3, "EW", lon)):
        minutes, seconds = divmod(round(abs(degrees) * 3600 * parts), 60 * parts)
        data = rationals(order, (minutes // 60, 1), (minutes % 60, 1), (seconds, parts))
        entries += [
            (tag, ASCII, 2, letters[degrees < 0].encode() + b"\0"),
            (tag + 1, RATIONAL, 3, data),
        ]
    return entries


def gps(**tags: TagValue) -> dict[int, TagValue]:
    """A good position in Nairobi (1.2864 S, 36.8172 E), with tags changed or, given ``None``, left out."""
    numbers = {"lat_ref": 1, "lat": 2, "lon_ref": 3, "lon": 4}
    good: dict[str, TagValue | None] = {
        "lat_ref": "S",
        "lat": (1.0, 17.0, 11.04),
        "lon_ref": "E",
        "lon": (36.0, 49.0, 1.92),
    }
    return {numbers[name]: value for name, value in (good | tags).items() if value is not None}


@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.sampled_from("<>"),
)
def test_any_position_survives_degrees_minutes_seconds(lat: float, lon: float, order: str) -> None:
    tags = parse_exif(io.BytesIO(exif_block(dms_entries(lat, lon, order), order)))
    location, problem = read_location(tags.gps)
    if max(abs(lat), abs(lon)) < 1.1e-6:
        return  # null island has a test of its own
    assert problem is None
    assert location is not None
    # A millionth of a second, halved by rounding, in degrees.
    assert abs(location.lat - lat) < 2e-10
    assert abs(location.lon - lon) < 2e-10


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        ((1.0, 17.0, 11.04), (36.0, 49.0, 1.92), (-1.2864, 36.8172)),
        ((1.0, 17.184), (36.0, 49.032), (-1.2864, 36.8172)),  # degrees and decimal minutes
        ((1.2864,), (36.8172,), (-1.2864, 36.8172)),  # a plain number
        ((0.0, 22.278, 0.0), (36.0, 3.385, 0.0), (-0.3713, 36.0564167)),  # as a Kodak CX7530 writes it
        ((90.0, 0.0, 0.0), (180.0, 0.0, 0.0), (-90.0, 180.0)),
        ((0.0, 0.0, 0.0), (36.0, 0.0, 0.0), (0.0, 36.0)),  # on the equator, but not at 0,0
    ],
)
def test_forms_of_a_coordinate(
    lat: tuple[float, ...], lon: tuple[float, ...], expected: tuple[float, float]
) -> None:
    location, problem = read_location(gps(lat=lat, lon=lon))
    assert problem is None
    assert location is not None
    assert (location.lat, location.lon) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"lat": None, "lon": None}, "no GPS position in EXIF"),
        ({"lat": None}, "GPS latitude is missing"),
        ({"lon": None}, "GPS longitude is missing"),
        ({"lat": (0.0, 0.0, 0.0), "lon": (0.0, 0.0, 0.0)}, "GPS position is 0,0"),
        ({"lat": (math.nan, 0.0, 0.0)}, "GPS latitude is not a finite number"),
        ({"lon": (36.0, math.inf, 0.0)}, "GPS longitude is not a finite number"),
        ({"lat": (90.0, 0.0, 0.1)}, "GPS latitude out of range (90.00003 degrees)"),
        ({"lat": (91.0, 0.0, 0.0)}, "GPS latitude out of range (91 degrees)"),
        ({"lon": (181.0, 0.0, 0.0)}, "GPS longitude out of range (181 degrees)"),
        ({"lat": (1.0, 60.0, 0.0)}, "GPS latitude is malformed: minutes or seconds of 60 or more"),
        ({"lon": (1.0, 0.0, 60.0)}, "GPS longitude is malformed: minutes or seconds of 60 or more"),
        (
            {"lat": (-1.0, 0.0, 0.0)},
            "GPS latitude is malformed: a negative number where a hemisphere says the sign",
        ),
        ({"lat": "1.2864"}, "GPS latitude is malformed: text where numbers were expected"),
        ({"lat": ()}, "GPS latitude is malformed: 0 readable numbers, expected degrees, minutes, seconds"),
        ({"lat_ref": None}, "GPS latitude has no hemisphere (N or S)"),
        ({"lat_ref": ""}, "GPS latitude has no hemisphere (N or S)"),
        ({"lon_ref": "N"}, "GPS longitude has no hemisphere (E or W)"),
    ],
)
def test_no_position_has_a_reason(tags: dict[str, TagValue], reason: str) -> None:
    assert read_location(gps(**tags)) == (None, reason)


@pytest.mark.parametrize(
    ("lat_ref", "lon_ref", "signs"), [("N", "E", (1, 1)), ("South", "w", (-1, -1)), ("n", "West", (1, -1))]
)
def test_hemispheres(lat_ref: str, lon_ref: str, signs: tuple[int, int]) -> None:
    location, _ = read_location(gps(lat_ref=lat_ref, lon_ref=lon_ref))
    assert location is not None
    assert (math.copysign(1, location.lat), math.copysign(1, location.lon)) == signs


_VALUES = st.one_of(
    st.text(max_size=8),
    st.lists(st.floats() | st.floats(0, 200) | st.just(0.0), max_size=5).map(tuple),
)


@given(st.dictionaries(st.integers(0, 31), _VALUES | st.sampled_from(["N", "S", "E", "W"])))
def test_garbage_in_the_tags_is_never_a_wrong_position(tags: dict[int, TagValue]) -> None:
    check_sane(ExifTags(gps=tags))


@given(st.binary(max_size=400))
def test_any_bytes_are_tags_or_malformed(data: bytes) -> None:
    for header in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        try:
            tags = parse_exif(io.BytesIO(header + data))
        except MalformedExifError:
            continue
        check_sane(tags)


@given(st.data())
def test_a_damaged_block_is_never_a_wrong_position(data: st.DataObject) -> None:
    block = bytearray(exif_block(dms_entries(-1.2864, 36.8172)))
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(8, len(block) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(block)))
    try:
        tags = parse_exif(io.BytesIO(block[:cut]))
    except MalformedExifError:
        return
    check_sane(tags)


def check_sane(tags: ExifTags) -> None:
    location, problem = read_location(tags.gps)
    # Exactly one of the two; LatLon itself refuses what is out of range.
    assert (location is None) != (problem is None)
    assert location is None or (location.lat, location.lon) != (0, 0)
    assert tags.orientation in range(1, 9)
    altitude_m, (heading_deg, _) = read_altitude_m(tags.gps), read_heading_deg(tags.gps)
    assert altitude_m is None or math.isfinite(altitude_m)
    assert heading_deg is None or 0 <= heading_deg < 360
    read_gps_time(tags.gps)
    read_camera_time(tags.gps.get(1), tags.gps.get(2))


def test_zero_denominators_are_not_finite() -> None:
    entries = dms_entries(10, 20)
    entries[1] = (2, RATIONAL, 3, rationals("<", (10, 1), (0, 0), (0, 1)))
    assert read_location(parse_exif(io.BytesIO(exif_block(entries))).gps) == (
        None,
        "GPS latitude is not a finite number",
    )


def test_a_value_outside_the_block_is_malformed_and_leaves_the_orientation() -> None:
    block = exif_block(dms_entries(10, 20))
    tags = parse_exif(io.BytesIO(block[:-24]))  # the last value, the longitude's 24 bytes, is cut off
    assert tags.orientation == 6
    assert read_location(tags.gps)[1] == (
        "GPS longitude is malformed: 0 readable numbers, expected degrees, minutes, seconds"
    )


def test_a_gps_directory_outside_the_block_leaves_the_orientation() -> None:
    tags = parse_exif(io.BytesIO(exif_block([])[:38]))
    assert (tags.orientation, tags.gps_problem) == (6, "the GPS directory: a directory lies outside the file")


@pytest.mark.parametrize("stored", [0, 9, 255])
def test_an_unknown_orientation_is_upright(stored: int) -> None:
    assert parse_exif(io.BytesIO(exif_block([], orientation=stored))).orientation == 1


@pytest.mark.parametrize(
    ("ref", "expected"), [(None, 12.5), ((0.0,), 12.5), ((1.0,), -12.5), ((2.0,), 12.5), ((3.0,), -12.5)]
)
def test_altitude(ref: TagValue | None, expected: float) -> None:
    tags: dict[int, TagValue] = {6: (12.5,)}
    assert read_altitude_m(tags if ref is None else tags | {5: ref}) == expected
    assert read_altitude_m({6: (math.inf,)}) is None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({17: (271.5,), 16: "T"}, (271.5, "T")),
        ({17: (271.5,), 16: "M"}, (271.5, "M")),
        ({17: (360.0,), 16: ""}, (0.0, None)),  # as a Coolpix P6000 writes its reference
        ({17: (-1.0,)}, (None, None)),
        ({17: (361.0,)}, (None, None)),
        ({17: (math.nan,)}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_heading(tags: dict[int, TagValue], expected: tuple[float | None, str | None]) -> None:
    assert read_heading_deg(tags) == expected


def test_gps_time_is_utc_with_its_fraction() -> None:
    assert read_gps_time({29: "2008:10:23", 7: (14.0, 27.0, 7.24)}) == datetime(
        2008, 10, 23, 14, 27, 7, 240000, tzinfo=UTC
    )


@pytest.mark.parametrize("date", ["0000:00:00", "2008:13:01", "2008", "٢٠٠٨:10:23", ""])
def test_impossible_dates_are_no_time(date: str) -> None:
    assert read_gps_time({29: date, 7: (1.0, 2.0, 3.0)}) is None


@pytest.mark.parametrize("clock", [(24.0, 0.0, 0.0), (1.0, 60.0, 0.0), (math.nan, 0.0, 0.0), (1.0, 2.0), ()])
def test_impossible_clocks_are_no_time(clock: tuple[float, ...]) -> None:
    assert read_gps_time({29: "2008:10:23", 7: clock}) is None


def test_camera_time_is_naive_without_an_offset_and_aware_with_one() -> None:
    assert read_camera_time("2024:05:06 07:08:09", None) == datetime(2024, 5, 6, 7, 8, 9)
    expected = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert read_camera_time("2024:05:06 07:08:09", "-03:30") == expected
    assert read_camera_time("2024:05:06 07:08:09", "-99:30") == datetime(2024, 5, 6, 7, 8, 9)
    assert read_camera_time("    :  :     :  :  ", None) is None
