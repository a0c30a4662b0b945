"""A position as raw GPS directory entries, in either byte order.

Source: CIPA DC-008 (Exif 2.32), 4.6.6. Written are the version, latitude and longitude with their
hemispheres, the datum WGS-84, the method "landfall", the error radius where there is one, and the altitude
where there is one.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Literal

from landfall.errors import UsageError
from landfall.geo import LatLon
from landfall.photos.gps import (
    ALTITUDE,
    ALTITUDE_REF,
    LATITUDE,
    LATITUDE_REF,
    LONGITUDE,
    LONGITUDE_REF,
    split_degrees,
)

VERSION_ID, MAP_DATUM, PROCESSING_METHOD, POSITIONING_ERROR = 0, 18, 27, 31
METHOD = "landfall"

# Satellites, status, mode, precision, differential correction and error radius belong to another fix. A
# status of "V" (no fix), which cameras leave behind, would make readers ignore the position written.
OF_ANOTHER_FIX = frozenset({8, 9, 10, 11, 30, POSITIONING_ERROR})

_BYTE, _ASCII, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 4, 5, 7
_LARGEST = 2**32 - 1


@dataclass(frozen=True)
class Entry:
    """One entry of a directory: its tag, EXIF type, count, and its value's bytes in the block's order."""

    tag: int
    kind: int
    count: int
    value: bytes


def gps_entries(
    location: LatLon,
    order: Literal["<", ">"],
    *,
    radius_m: float | None = None,
    altitude_m: float | None = None,
) -> list[Entry]:
    """Return the entries, by ascending tag.

    Args:
        location: to 3e-9 degrees, 0.3 mm.
        order: of the bytes, as ``struct`` writes it.
        radius_m: to a centimetre.
        altitude_m: metres above sea level, to a millimetre.

    Raises:
        UsageError: a number that is not finite, or that the tags can't hold.
    """
    entries = [Entry(VERSION_ID, _BYTE, 4, b"\x02\x03\x00\x00")]
    for degrees, letters, ref_tag, tag in (
        (location.lat, "NS", LATITUDE_REF, LATITUDE),
        (location.lon, "EW", LONGITUDE_REF, LONGITUDE),
    ):
        letter = letters[1] if degrees < 0 else letters[0]
        parts = [number for pair in split_degrees(degrees) for number in pair]
        entries += [
            Entry(ref_tag, _ASCII, 2, letter.encode() + b"\x00"),
            Entry(tag, _RATIONAL, 3, struct.pack(f"{order}6L", *parts)),
        ]
    if altitude_m is not None:
        below = b"\x01" if altitude_m < 0 else b"\x00"
        entries += [
            Entry(ALTITUDE_REF, _BYTE, 1, below),
            _fraction(ALTITUDE, abs(altitude_m), 1000, order, "Altitude"),
        ]
    entries += [
        Entry(MAP_DATUM, _ASCII, 7, b"WGS-84\x00"),
        Entry(PROCESSING_METHOD, _UNDEFINED, 8 + len(METHOD), b"ASCII\x00\x00\x00" + METHOD.encode()),
    ]
    if radius_m is not None:
        entries.append(_fraction(POSITIONING_ERROR, radius_m, 100, order, "Radius"))
    return entries


def pointer_entry(tag: int, offset: int, order: str) -> Entry:
    """Return the entry that says where a directory stands."""
    return Entry(tag, _LONG, 1, struct.pack(f"{order}L", offset))


def _fraction(tag: int, value: float, parts: int, order: str, noun: str) -> Entry:
    if not (math.isfinite(value) and 0 <= value * parts <= _LARGEST):
        raise UsageError(f"{noun} is {value} m: expected a finite number below {_LARGEST // parts}, or None.")
    return Entry(tag, _RATIONAL, 1, struct.pack(f"{order}2L", round(value * parts), parts))
