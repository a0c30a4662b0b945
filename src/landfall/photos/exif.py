"""The tags that Landfall reads from EXIF: a small, defensive reader of the TIFF structure they stand in.

Pillow's own reader drops damaged tags with a process-wide warning; why a photo has no position must be told
with the photo's name, so the dozen tags needed are read here. Source: CIPA DC-008 (Exif 2.32), 4.6.2 for the
structure of a directory, 4.6.6 for the position tags.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

TagValue: TypeAlias = str | tuple[float, ...]
"""Text, or numbers (a rational n/0 is infinite, 0/0 is NaN). Empty tuple: there, but its value is broken."""

ORIENTATION = 0x0112
EXIF_DIRECTORY = 0x8769
GPS_DIRECTORY = 0x8825
DATE_TIME_ORIGINAL = 0x9003
OFFSET_TIME_ORIGINAL = 0x9011

_PRIMARY_TAGS = frozenset({ORIENTATION, EXIF_DIRECTORY, GPS_DIRECTORY})
_EXIF_TAGS = frozenset({DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL})
_GPS_TAGS = frozenset(range(0x20))

# EXIF type -> struct character of one number (rationals: of their halves) and how many halves make a value.
_NUMBERS = {1: "B", 3: "H", 4: "L", 6: "b", 7: "B", 8: "h", 9: "l", 11: "f", 12: "d"}
_RATIONALS = {5: "L", 10: "l"}
_TEXT = 2
_MAX_VALUES = 64  # the longest tag read here is a date of 20 characters


class MalformedExifError(ValueError):
    """EXIF whose structure can't be followed; the message is the reason, in words."""


@dataclass(frozen=True)
class ExifTags:
    """The tags of one photo, by directory; ``gps_problem`` says why a GPS directory could not be read."""

    orientation: int = 1
    exif: dict[int, TagValue] = field(default_factory=dict)
    gps: dict[int, TagValue] = field(default_factory=dict)
    gps_problem: str | None = None


def parse_exif(stream: BinaryIO) -> ExifTags:
    """Read the tags from a TIFF structure: an EXIF block without its prefix, or a whole TIFF file.

    A broken GPS directory costs the position, not the orientation.

    Raises:
        MalformedExifError: the header or first directory can't be followed.
    """
    stream.seek(0)
    header = stream.read(8)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(header[:4])
    if order is None or len(header) < 8:
        raise MalformedExifError("no TIFF header (BigTIFF is not read)")
    (offset,) = struct.unpack(order + "L", header[4:])
    primary = _read_directory(stream, offset, order, _PRIMARY_TAGS)
    exif: dict[int, TagValue] = {}
    gps: dict[int, TagValue] = {}
    gps_problem = None
    if EXIF_DIRECTORY in primary:
        try:
            exif = _read_directory(stream, _pointer(primary[EXIF_DIRECTORY]), order, _EXIF_TAGS)
        except MalformedExifError:
            exif = {}  # only the time stands there, and a photo without one is fine
    if GPS_DIRECTORY in primary:
        try:
            gps = _read_directory(stream, _pointer(primary[GPS_DIRECTORY]), order, _GPS_TAGS)
        except MalformedExifError as error:
            gps_problem = f"the GPS directory: {error}"
    return ExifTags(_orientation(primary.get(ORIENTATION)), exif, gps, gps_problem)


def _read_directory(stream: BinaryIO, offset: int, order: str, wanted: frozenset[int]) -> dict[int, TagValue]:
    stream.seek(offset)
    head = stream.read(2)
    if len(head) < 2:
        raise MalformedExifError("a directory lies outside the file")
    (count,) = struct.unpack(order + "H", head)
    entries = stream.read(12 * count)
    tags: dict[int, TagValue] = {}
    for tag, kind, values, raw in struct.iter_unpack(order + "HHL4s", entries[: len(entries) // 12 * 12]):
        if tag in wanted and tag not in tags:
            tags[tag] = _read_value(stream, kind, values, raw, order)
    if len(entries) < 12 * count and not wanted & tags.keys():
        raise MalformedExifError("a directory is cut short")
    return tags


def _read_value(stream: BinaryIO, kind: int, count: int, raw: bytes, order: str) -> TagValue:
    halves = 2 if kind in _RATIONALS else 1
    code = "s" if kind == _TEXT else _RATIONALS.get(kind) or _NUMBERS.get(kind)
    if code is None or not 0 < count <= _MAX_VALUES:
        return ()
    size = struct.calcsize(f"{order}{count * halves}{code}")
    if size <= 4:
        data = raw[:size]
    else:
        stream.seek(struct.unpack(order + "L", raw)[0])
        data = stream.read(size)
    if len(data) < size:
        return ()
    if kind == _TEXT:
        return data.split(b"\x00", 1)[0].decode("latin-1").strip()
    numbers = struct.unpack(f"{order}{count * halves}{code}", data)
    if halves == 1:
        return tuple(float(number) for number in numbers)
    return tuple(_quotient(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))


def _quotient(numerator: int, denominator: int) -> float:
    if denominator:
        return numerator / denominator
    return float("nan") if numerator == 0 else float("inf") * numerator


def _pointer(value: TagValue) -> int:
    if isinstance(value, str) or len(value) != 1 or not 0 <= value[0] < 2**32:
        raise MalformedExifError("its place is not a number")
    return int(value[0])


def _orientation(value: TagValue | None) -> int:
    """1 to 8; anything else means upright, as in every viewer."""
    if value is None or isinstance(value, str) or len(value) != 1 or value[0] not in range(1, 9):
        return 1
    return int(value[0])
