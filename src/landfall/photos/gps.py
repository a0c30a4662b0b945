"""From GPS tags to a position, a height, a heading and a time; what can't be trusted is none, with a reason.

Source: CIPA DC-008 (Exif 2.32), 4.6.6. Functions take tags as numbers and text (see ``exif``); none raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

from landfall.geo import LatLon
from landfall.photos.exif import TagValue

LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE = 1, 2, 3, 4
ALTITUDE_REF, ALTITUDE = 5, 6
TIME_STAMP, DATE_STAMP = 7, 29
IMAGE_DIRECTION_REF, IMAGE_DIRECTION = 16, 17

# Cameras without a fix write zeros. This is 11 cm: nobody took a photo there, on the open sea, by chance.
_NULL_ISLAND_DEG = 1e-6
# 1e-5 of an arc second is 0.3 mm on the ground.
_SECOND_PARTS = 100_000


def read_location(gps: Mapping[int, TagValue]) -> tuple[LatLon | None, str | None]:
    """The position in the tags, or ``None`` and the reason.

    A missing hemisphere (N or S, E or W) is no position: the sign would be a guess, and a wrong guess is
    thousands of kilometres off. The datum is taken as WGS84 whatever GPSMapDatum says.
    """
    if LATITUDE not in gps and LONGITUDE not in gps:
        return None, "no GPS position in EXIF"
    try:
        lat = _signed_degrees(gps, "latitude", LATITUDE, LATITUDE_REF, "NS", 90.0)
        lon = _signed_degrees(gps, "longitude", LONGITUDE, LONGITUDE_REF, "EW", 180.0)
    except _NoPositionError as reason:
        return None, str(reason)
    if abs(lat) < _NULL_ISLAND_DEG and abs(lon) < _NULL_ISLAND_DEG:
        return None, "GPS position is 0,0"
    return LatLon(lat, lon), None


class _NoPositionError(Exception):
    """Carries the reason from one coordinate to ``read_location``."""


def _signed_degrees(
    gps: Mapping[int, TagValue], noun: str, tag: int, ref_tag: int, signs: str, limit_deg: float
) -> float:
    value, ref = gps.get(tag), gps.get(ref_tag)
    if value is None:
        raise _NoPositionError(f"GPS {noun} is missing")
    if isinstance(value, str):
        raise _NoPositionError(f"GPS {noun} is malformed: text where numbers were expected")
    if not 1 <= len(value) <= 3:
        raise _NoPositionError(
            f"GPS {noun} is malformed: {len(value)} readable numbers, expected degrees, minutes, seconds"
        )
    if not all(math.isfinite(part) for part in value):
        raise _NoPositionError(f"GPS {noun} is not a finite number")
    if any(part < 0 for part in value):
        raise _NoPositionError(f"GPS {noun} is malformed: a negative number where a hemisphere says the sign")
    if any(part >= 60 for part in value[1:]):
        raise _NoPositionError(f"GPS {noun} is malformed: minutes or seconds of 60 or more")
    letter = _letter(ref)
    if letter is None or letter not in signs:
        raise _NoPositionError(f"GPS {noun} has no hemisphere ({signs[0]} or {signs[1]})")
    degrees = sum(part / 60.0**power for power, part in enumerate(value))
    if degrees > limit_deg:
        raise _NoPositionError(f"GPS {noun} out of range ({degrees:.7g} degrees)")
    return degrees if letter == signs[0] else -degrees


def read_altitude_m(gps: Mapping[int, TagValue]) -> float | None:
    """Metres above sea level, negative below (refs 1 and, since Exif 3.0, 3)."""
    metres = _single(gps.get(ALTITUDE))
    if metres is None:
        return None
    return -metres if _single(gps.get(ALTITUDE_REF)) in (1.0, 3.0) else metres


def read_heading_deg(gps: Mapping[int, TagValue]) -> tuple[float | None, Literal["T", "M"] | None]:
    """Where the camera looked, degrees clockwise in [0, 360), and from which north (if said)."""
    degrees = _single(gps.get(IMAGE_DIRECTION))
    if degrees is None or not 0 <= degrees <= 360:
        return None, None
    letter = _letter(gps.get(IMAGE_DIRECTION_REF))
    return degrees % 360.0, "T" if letter == "T" else "M" if letter == "M" else None


def read_gps_time(gps: Mapping[int, TagValue]) -> datetime | None:
    """The satellites' time, aware (UTC)."""
    date, clock = gps.get(DATE_STAMP), gps.get(TIME_STAMP)
    if not isinstance(date, str) or not isinstance(clock, tuple) or len(clock) != 3:
        return None
    match = re.fullmatch(r"([0-9]{4})[:/-]([0-9]{2})[:/-]([0-9]{2})", date)
    hours, minutes, seconds = clock
    # Written so that NaN fails, too.
    if match is None or not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 60):
        return None
    try:
        midnight = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
        return midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        return None  # 0000:00:00 and the like: a camera whose clock was never set


def read_camera_time(date_time: TagValue | None, offset: TagValue | None) -> datetime | None:
    """DateTimeOriginal; naive (the camera's own clock) unless OffsetTimeOriginal says how far from UTC."""
    if not isinstance(date_time, str):
        return None
    try:
        naive = datetime.strptime(date_time, "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    match = re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", offset) if isinstance(offset, str) else None
    if match is None or int(match[2]) > 23 or int(match[3]) > 59:
        return naive
    minutes = int(match[2]) * 60 + int(match[3])
    return naive.replace(tzinfo=timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes)))


def split_degrees(degrees: float) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Degrees, minutes and seconds as EXIF writes them: numerator and denominator each, without the sign."""
    # Whole parts of a second first, so that rounding never leaves 60 seconds.
    whole, parts = divmod(round(abs(degrees) * 3600 * _SECOND_PARTS), 60 * _SECOND_PARTS)
    return (whole // 60, 1), (whole % 60, 1), (parts, _SECOND_PARTS)


def _single(value: TagValue | None) -> float | None:
    if not isinstance(value, tuple) or len(value) != 1 or not math.isfinite(value[0]):
        return None
    return value[0]


def _letter(ref: TagValue | None) -> str | None:
    """The first letter of a reference tag; cameras write ``N``, ``n`` and ``North``."""
    return ref[0].upper() if isinstance(ref, str) and ref else None
