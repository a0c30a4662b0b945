"""File names that carry a photo's position, the field's convention.

``@E@N@zone@letter@lat@lon@pano_id@tile@heading@pitch@roll@height@timestamp@note@.jpg``: fields of the
*file name* (never of its folders) between ``@`` signs. East and north, in metres, are required; any other
may be empty or, from the end, left out. East, north and zone rule; latitude and longitude are there for
people to read and are only compared with them. With no zone the metres are planar, of no place on earth
(Gardens Point and Nordland are published so).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime

from landfall.errors import DatasetError, PhotoError

FIELD_COUNT = 14
ZONE_LETTERS = "CDEFGHJKLMNPQRSTUVWX"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ZONE = re.compile(r"0*([1-9][0-9]?)")
_UNFIT = re.compile(r"[@/\\\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class NameFields:
    """What one ``@`` name says. None where its field is empty."""

    east_m: float
    north_m: float
    zone: int | None = None
    letter: str | None = None
    lat: float | None = None
    lon: float | None = None
    pano_id: str | None = None
    tile: str | None = None
    heading_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    height_m: float | None = None
    taken_at: datetime | None = None
    note: str | None = None


def is_position_name(name: str) -> bool:
    """Tell whether the file name means to be one of these: it starts with ``@`` and has another."""
    file_name = name.rpartition("/")[2]
    return file_name.startswith("@") and "@" in file_name[1:]


def split_fields(name: str) -> list[str]:
    """Return the 14 fields of a file name as text, empty where missing. A note keeps its own ``@``."""
    parts = name.rpartition("/")[2].split("@")
    fields, tail = parts[1:-1], parts[-1]
    if tail and not tail.startswith("."):
        # "@E@N.jpg": the closing @ was left out, so the last field carries the suffix.
        stem, _, suffix = tail.rpartition(".")
        fields.append(stem if suffix[:1].isalpha() and stem else tail)
    if len(fields) > FIELD_COUNT:
        fields[FIELD_COUNT - 1 :] = ["@".join(fields[FIELD_COUNT - 1 :])]
    return fields + [""] * (FIELD_COUNT - len(fields))


def number(text: str) -> float | None:
    """Return the finite number that ``text`` writes in plain digits, else None."""
    if _NUMBER.fullmatch(text) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def zone_number(text: str) -> int | None:
    """Return the UTM zone 1..60 that ``text`` writes, else None."""
    match = _ZONE.fullmatch(text)
    if match is None:
        return None
    zone = int(match[1])
    return zone if zone <= 60 else None


def timestamp(text: str) -> datetime | None:
    """Return the time that ``YYYYMMDD_hhmmss`` writes, cut short after any of its parts; else None."""
    digits = text.replace("_", "")
    if len(digits) not in (4, 6, 8, 10, 12, 14) or not (digits.isascii() and digits.isdigit()):
        return None
    pairs = [int(digits[i : i + 2]) for i in range(4, len(digits), 2)]
    month, day, hour, minute, second = pairs + [1, 1, 0, 0, 0][len(pairs) :]
    try:
        return datetime(int(digits[:4]), month, day, hour, minute, second)
    except ValueError:
        return None


def parse_name(name: str) -> NameFields:
    """Read one name, every field.

    Args:
        name: a file name, or a path with forward slashes whose last part is read.

    Raises:
        PhotoError: not such a name, or a field that makes no sense; the reason names the field.
    """
    if not is_position_name(name):
        raise PhotoError(name, "the file name has no fields between @ signs")
    fields = split_fields(name)

    def optional_number(index: int, noun: str) -> float | None:
        text = fields[index]
        value = number(text)
        if text and value is None:
            raise PhotoError(name, f"{noun} {text!r} in the name is not a number")
        return value

    east_m, north_m = optional_number(0, "east"), optional_number(1, "north")
    if east_m is None or north_m is None:
        raise PhotoError(name, "the name has no east and north")
    zone = zone_number(fields[2])
    if fields[2] and zone is None:
        raise PhotoError(name, f"zone {fields[2]!r} in the name is not a UTM zone, 1 to 60")
    letter = fields[3].upper()
    if letter and (len(letter) > 1 or letter not in ZONE_LETTERS):
        raise PhotoError(name, f"zone letter {fields[3]!r} in the name is none of {ZONE_LETTERS}")
    taken_at = timestamp(fields[12])
    if fields[12] and taken_at is None:
        raise PhotoError(name, f"timestamp {fields[12]!r} in the name is not YYYYMMDD_hhmmss")
    return NameFields(
        east_m=east_m,
        north_m=north_m,
        zone=zone,
        letter=letter or None,
        lat=optional_number(4, "latitude"),
        lon=optional_number(5, "longitude"),
        # Other tools write a missing pano id as the text None.
        pano_id=None if fields[6] in ("", "None") else fields[6],
        tile=fields[7] or None,
        heading_deg=optional_number(8, "heading"),
        pitch_deg=optional_number(9, "pitch"),
        roll_deg=optional_number(10, "roll"),
        height_m=optional_number(11, "height"),
        taken_at=taken_at,
        note=fields[13] or None,
    )


def format_name(fields: NameFields, suffix: str = ".jpg") -> str:
    """Write a name that :func:`parse_name` reads back: metres to a centimetre, degrees to 5 decimals.

    Raises:
        DatasetError: a text field that can't stand in such a name.
    """
    for noun, text in (("pano id", fields.pano_id), ("tile", fields.tile), ("note", fields.note)):
        if text is not None and _UNFIT.search(text):
            raise DatasetError(
                f"The {noun} {text!r} can't stand in a file name between @ signs: "
                "it holds @, a slash or a control character. Replace them."
            )
    parts = [
        f"{fields.east_m:010.2f}",
        f"{fields.north_m:010.2f}",
        "" if fields.zone is None else f"{fields.zone:02d}",
        fields.letter or "",
        "" if fields.lat is None else f"{fields.lat:09.5f}",
        "" if fields.lon is None else f"{fields.lon:010.5f}",
        fields.pano_id or "",
        fields.tile or "",
        _short(fields.heading_deg),
        _short(fields.pitch_deg),
        _short(fields.roll_deg),
        _short(fields.height_m),
        "" if fields.taken_at is None else format_timestamp(fields.taken_at),
        fields.note or "",
    ]
    return "@" + "@".join(parts) + "@" + suffix


def fit_text(text: str) -> str:
    """Return ``text`` with everything that can't stand in a field replaced by an underscore."""
    return _UNFIT.sub("_", text)


def format_timestamp(moment: datetime) -> str:
    """Write ``YYYYMMDD_hhmmss``."""
    # strftime does not pad years before 1000 on every system.
    return (
        f"{moment.year:04d}{moment.month:02d}{moment.day:02d}"
        f"_{moment.hour:02d}{moment.minute:02d}{moment.second:02d}"
    )


def _short(value: float | None) -> str:
    if value is None:
        return ""
    rounded = round(value, 2)
    return f"{int(rounded):03d}" if rounded.is_integer() else f"{rounded:.2f}"
