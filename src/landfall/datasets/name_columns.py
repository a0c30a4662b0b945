"""``@`` file names in bulk: the columns of many names at once, where one bad name stops nothing.

The fields mean what :mod:`landfall.datasets.names` says; this is that parser turned by a right angle, so
that a hundred thousand names take about a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.names import (
    ZONE_LETTERS,
    is_position_name,
    number,
    split_fields,
    timestamp,
    zone_number,
)
from landfall.geo import Positions, utm_to_latlon

_Kind = TypeVar("_Kind", np.float64, np.datetime64)

NOT_A_POSITION_NAME = "its name has no @ fields"


@dataclass(frozen=True, eq=False)
class NameColumns:
    """What N names say.

    Attributes:
        positions: N positions from east, north and zone; unknown where the name gives none.
        named_lat, named_lon: (N,) degrees as written in the name, NaN where not; for comparison only.
        heading_deg: (N,) in [0, 360), NaN where not given.
        taken_at: (N,) datetime64[s], NaT where not given.
        reasons: row -> why its name gives no position.
        remarks: row -> what else in its name makes no sense and was left out; the position stands.
    """

    positions: Positions
    named_lat: NDArray[np.float64]
    named_lon: NDArray[np.float64]
    heading_deg: NDArray[np.float64]
    taken_at: NDArray[np.datetime64]
    reasons: dict[int, str]
    remarks: dict[int, str]


def parse_names(names: Sequence[str]) -> NameColumns:
    """Read many names; never raises for what a name says."""
    reasons: dict[int, str] = {}
    remarks: dict[int, str] = {}
    rows = [row for row, name in enumerate(names) if is_position_name(name)]
    for row in set(range(len(names))).difference(rows):
        reasons[row] = NOT_A_POSITION_NAME
    columns = list(zip(*(split_fields(names[row]) for row in rows), strict=True)) if rows else [()] * 14

    def numbers(field: int, noun: str, trouble: dict[int, str]) -> NDArray[np.float64]:
        return _column(columns[field], rows, number, f"{noun} {{!r}} in its name is not a number", trouble)

    # The last trouble found is the one told, so what matters most comes last.
    zone = _column(columns[2], rows, zone_number, "zone {!r} in its name is not 1 to 60", reasons)
    letters = [letter.upper() for letter in columns[3]]
    for row, letter in zip(rows, letters, strict=True):
        if letter and (len(letter) > 1 or letter not in ZONE_LETTERS):
            reasons[row] = f"zone letter {letter!r} in its name is none of {ZONE_LETTERS}"
    north_m = numbers(1, "north", reasons)
    east_m = numbers(0, "east", reasons)
    for row, east, north in zip(rows, columns[0], columns[1], strict=True):
        if not (east and north):
            reasons[row] = "its name has no east and north"
    heading_deg = numbers(8, "heading", remarks)
    named_lat, named_lon = numbers(4, "latitude", remarks), numbers(5, "longitude", remarks)
    taken_at = _times(columns[12], rows, remarks)
    south = np.array([bool(letter) and letter < "N" for letter in letters], dtype=np.bool_)
    # With no letter the latitude tells the hemisphere; with neither it is the north.
    south |= np.array([not letter for letter in letters], dtype=np.bool_) & (named_lat < 0)

    bad = np.array([row in reasons for row in rows], dtype=np.bool_)
    zones = np.where(np.isnan(zone) | bad, 0, zone).astype(np.int16)
    off_earth = (zones > 0) & np.isnan(utm_to_latlon(east_m, north_m, zones, south)[0])
    for at in np.flatnonzero(off_earth & ~bad).tolist():
        reasons[rows[at]] = (
            f"east {columns[0][at]} and north {columns[1][at]} in its name are far outside any UTM zone"
        )
    bad |= off_earth
    positions = Positions.from_utm(
        np.where(bad, np.nan, east_m), np.where(bad, np.nan, north_m), np.where(bad, 0, zones), south
    )
    index = np.zeros(len(names), dtype=np.int64)
    index[rows] = np.arange(1, len(rows) + 1)
    return NameColumns(
        positions=Positions.concatenate([Positions.unknown(1), positions]).take(index),
        named_lat=_spread(named_lat, rows, len(names)),
        named_lon=_spread(named_lon, rows, len(names)),
        heading_deg=_spread(heading_deg, rows, len(names)) % 360.0,
        taken_at=_spread(taken_at, rows, len(names)),
        reasons=dict(sorted(reasons.items())),
        remarks=dict(sorted(remarks.items())),
    )


def _column(
    texts: Sequence[str],
    rows: Sequence[int],
    read: Callable[[str], float | None],
    message: str,
    trouble: dict[int, str],
) -> NDArray[np.float64]:
    """Return one field, NaN where empty or unreadable; the latter are entered in ``trouble``."""
    values = [read(text) if text else None for text in texts]
    for row, text, value in zip(rows, texts, values, strict=True):
        if text and value is None:
            trouble[row] = message.format(text)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _times(texts: Sequence[str], rows: Sequence[int], trouble: dict[int, str]) -> NDArray[np.datetime64]:
    # Whole passes share a timestamp, so each text is read once.
    known = {text: timestamp(text) for text in set(texts) if text}
    for row, text in zip(rows, texts, strict=True):
        if text and known[text] is None:
            trouble[row] = f"timestamp {text!r} in its name is not YYYYMMDD_hhmmss"
    return np.array([known.get(text) for text in texts], dtype="datetime64[s]")


def _spread(values: NDArray[_Kind], rows: Sequence[int], count: int) -> NDArray[_Kind]:
    """Put the values of ``rows`` into a column of ``count``, unknown elsewhere."""
    # NaN becomes NaT in a column of times.
    column = np.full(count, np.nan).astype(values.dtype)
    column[list(rows)] = values
    return column
