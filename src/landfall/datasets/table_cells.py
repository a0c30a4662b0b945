"""The cells of a CSV of photos as columns of positions, headings and times; a bad cell stops nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.names import ZONE_LETTERS, number, timestamp
from landfall.geo import Positions, utm_to_latlon

_ZONE = re.compile(r"0*([1-9][0-9]?)(?:\.0+)?\s*([A-Za-z]?)")


@dataclass(frozen=True, eq=False)
class CellColumns:
    """What the cells of N rows say.

    Attributes:
        positions: N positions; unknown where the cells are empty or bad.
        heading_deg: (N,) in [0, 360), NaN where not given.
        taken_at: (N,) datetime64[s], NaT where not given.
        bad: row -> why it can't be used.
        remarks: row -> which cell makes no sense and was taken as empty; the row is of use.
        empty: row -> why its position is unknown though nothing in it is wrong.
    """

    positions: Positions
    heading_deg: NDArray[np.float64]
    taken_at: NDArray[np.datetime64]
    bad: Mapping[int, str]
    remarks: Mapping[int, str]
    empty: Mapping[int, str]


def parse_cells(cells: Mapping[str, Sequence[str]], count: int, *, decimal_comma: bool) -> CellColumns:
    """Read positions, headings and times of ``count`` rows.

    East, north and zone rule; latitude and longitude stand in where one of them is empty. Metres with no
    zone, and no latitude beside them, are planar.

    Args:
        cells: "lat", "lon", "east", "north", "zone", "letter", "heading", "time" -> N texts, any left out.
        count: N.
        decimal_comma: whether numbers other than degrees may be written with a comma for the point.
    """
    bad: dict[int, str] = {}
    remarks: dict[int, str] = {}

    def numbers(what: str, trouble: dict[int, str]) -> NDArray[np.float64]:
        values = np.full(count, np.nan)
        # No degrees need a comma for thousands, so in quotes it is the point whatever parts the columns.
        comma = decimal_comma or what in ("lat", "lon")
        for row, text in enumerate(cells.get(what, ())):
            if text:
                value = number(text.replace(",", ".") if comma else text)
                if value is None:
                    trouble.setdefault(row, f"{what} {text!r} is not a number")
                else:
                    values[row] = value
        return values

    lat, lon = numbers("lat", bad), numbers("lon", bad)
    east_m, north_m = numbers("east", bad), numbers("north", bad)
    heading_deg = numbers("heading", remarks) % 360.0
    zone, south = _zones(cells.get("zone", [""] * count), cells.get("letter", [""] * count), lat, bad)
    taken_at = np.full(count, "NaT", dtype="datetime64[s]")
    for row, text in enumerate(cells.get("time", ())):
        if text:
            moment = _moment(text)
            if moment is None:
                remarks.setdefault(row, f"time {text!r} is not a date and time")
            else:
                taken_at[row] = np.datetime64(moment, "s")

    def refuse(mask: NDArray[np.bool_], reason: str) -> None:
        for row in np.flatnonzero(mask).tolist():
            bad.setdefault(
                row, reason.format(lat=lat[row], lon=lon[row], east=east_m[row], north=north_m[row])
            )

    refuse(np.isnan(lat) != np.isnan(lon), "of latitude and longitude only one is given")
    refuse(np.isnan(east_m) != np.isnan(north_m), "of east and north only one is given")
    refuse(np.abs(lat) > 90, "latitude {lat} is outside -90 to 90")
    refuse(np.abs(lon) > 180, "longitude {lon} is outside -180 to 180")
    by_metres = np.isfinite(east_m) & ((zone > 0) | np.isnan(lat))
    refuse(
        by_metres & (zone > 0) & np.isnan(utm_to_latlon(east_m, north_m, zone, south)[0]),
        "east {east} and north {north} are far outside any UTM zone",
    )
    usable = np.array([row not in bad for row in range(count)], dtype=np.bool_)
    zero = (lat == 0) & (lon == 0) & ~by_metres
    by_metres &= usable
    by_degrees = usable & ~by_metres & ~zero
    metres = Positions.from_utm(
        np.where(by_metres, east_m, np.nan), np.where(by_metres, north_m, np.nan), zone, south
    )
    degrees = Positions.from_latlon(np.where(by_degrees, lat, np.nan), np.where(by_degrees, lon, np.nan))
    rows = np.arange(count)
    positions = Positions.concatenate([metres, degrees]).take(np.where(by_metres, rows, rows + count))
    empty = {
        row: "its latitude and longitude are both 0" if zero[row] else "no position in the table"
        for row in np.flatnonzero(usable & ~positions.known).tolist()
    }
    return CellColumns(positions, heading_deg, taken_at, bad, remarks, empty)


def _zones(
    zones: Sequence[str], letters: Sequence[str], lat: NDArray[np.float64], bad: dict[int, str]
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Return zone numbers, 0 where empty, and which are southern; "33", "33U" and "33.0" are known."""
    numbers = np.zeros(len(zones), dtype=np.int16)
    south = np.zeros(len(zones), dtype=np.bool_)
    for row, (zone, letter) in enumerate(zip(zones, letters, strict=True)):
        if zone:
            match = _ZONE.fullmatch(zone)
            if match is None or int(match[1]) > 60:
                bad.setdefault(row, f"zone {zone!r} is not a UTM zone, 1 to 60")
                continue
            numbers[row] = int(match[1])
            letter = (letter or match[2]).upper()
        else:
            letter = letter.upper()
        if letter in ("NORTH", "SOUTH"):
            south[row] = letter == "SOUTH"
        elif letter and (len(letter) > 1 or letter not in ZONE_LETTERS):
            bad.setdefault(row, f"zone letter {letter!r} is none of {ZONE_LETTERS}")
        else:
            # With no letter the latitude tells the hemisphere; with neither it is the north.
            south[row] = letter < "N" if letter else lat[row] < 0
    return numbers, south


def _moment(text: str) -> datetime | None:
    """Read ISO 8601, EXIF's "YYYY:MM:DD hh:mm:ss", ``YYYYMMDD_hhmmss`` or 13 digits of Unix milliseconds."""
    if len(text) == 13 and text.isascii() and text.isdigit():
        return datetime.fromtimestamp(int(text) / 1000, tz=UTC).replace(tzinfo=None)
    if (short := timestamp(text)) is not None:
        return short
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
        except ValueError:
            return None
    return moment.replace(tzinfo=None)
