"""Where each photo is taken: the passes' stops along the streets, split by split.

The splits are neighbouring quarters with more than ``GAP_M`` between their cameras. The database's pass
stops every ``step_m`` along a quarter's streets and looks ahead and to one side; the other passes stop
near some of these places, elsewhere across the street, and look somewhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.city.camera import View
from landfall.datasets.city.hashing import Dice
from landfall.datasets.city.passes import DATABASE_PASS, PASSES
from landfall.datasets.city.plan import Link, Plan, lay_out
from landfall.datasets.city.sizes import SPLITS, VIEWS_A_PLACE, CitySize

GAP_M = 60.0
BAND_M = 77.0
_GROUND_A_STOP_M2 = 560.0
_EDGE_M = 4.0
# which of the later passes queries come from, in the order of PASSES after the database's
QUERY_WEIGHTS = (0.32, 0.2, 0.16, 0.32)


@dataclass(frozen=True)
class Shot:
    """One photo to draw: its split and role, its number in the city, the view, and when it was taken."""

    split: str
    role: str
    number: int
    view: View
    taken_at: datetime


@dataclass(frozen=True)
class Stop:
    """A place on the middle of a street, and the street's direction there (unit vector)."""

    x: float
    y: float
    along: tuple[float, float]
    half_total: float


@dataclass(frozen=True)
class Ground:
    """How large a town must be, and which part west to east belongs to each split."""

    width_m: float
    bands: int
    quarters: tuple[tuple[float, float], ...]


def shots(seed: int, size: CitySize) -> tuple[Plan, list[Shot]]:
    """Lay out a town large enough and choose every photo; the same arguments give the same photos."""
    room = 1.0
    while True:
        ground = _ground(size, room)
        plan = lay_out(seed, ground.width_m, ground.bands)
        stops = [_stops(plan, quarter, size.step_m) for quarter in ground.quarters]
        wanted = [math.ceil(size.of(split)[0] / VIEWS_A_PLACE) for split in SPLITS]
        if all(len(found) >= count for found, count in zip(stops, wanted, strict=True)):
            break
        room *= 1.15
    taken: list[Shot] = []
    for split, found, count in zip(SPLITS, stops, wanted, strict=True):
        taken += _split_shots(seed, split, found[:count], *size.of(split), first=len(taken))
    return plan, taken


def _ground(size: CitySize, room: float) -> Ground:
    stops = [math.ceil(size.of(split)[0] / VIEWS_A_PLACE) for split in SPLITS]
    area = sum(stops) * _GROUND_A_STOP_M2 * size.step_m / 10.0 * room
    # one band of blocks on either side of town keeps every photo among houses
    inner = max(2, round(math.sqrt(area / 1.8) / BAND_M))
    widths = [
        max(150.0, count * _GROUND_A_STOP_M2 * size.step_m / 10.0 * room / (inner * BAND_M))
        for count in stops
    ]
    edge = 90.0
    quarters, x = [], edge
    for width in widths:
        quarters.append((x, x + width))
        x += width + GAP_M
    return Ground(x - GAP_M + edge, inner + 1, tuple(quarters))


def _stops(plan: Plan, quarter: tuple[float, float], step_m: float) -> list[Stop]:
    """Stops in a quarter, those on streets nearest its middle first."""
    west, east = quarter
    middle = np.array([(west + east) / 2, plan.depth_m / 2])
    ranked: list[tuple[float, list[Stop]]] = []
    for link in plan.links:
        if not link.inner:
            continue
        found = [stop for stop in _along(link, step_m) if west + _EDGE_M <= stop.x <= east - _EDGE_M]
        if found:
            centre = np.mean([(stop.x, stop.y) for stop in found], axis=0)
            ranked.append((float(np.hypot(*(centre - middle))), found))
    ranked.sort(key=lambda item: item[0])
    return [stop for _, found in ranked for stop in found]


def _along(link: Link, step_m: float) -> Iterator[Stop]:
    unit = (link.end - link.start) / link.length
    count = max(1, round(link.length / step_m))
    for i in range(count):
        place = link.start + unit * link.length * (i + 0.5) / count
        yield Stop(float(place[0]), float(place[1]), (float(unit[0]), float(unit[1])), link.half_total)


def _split_shots(
    seed: int, split: str, stops: list[Stop], database: int, queries: int, first: int
) -> list[Shot]:
    made = []
    for i in range(database):
        stop, which = stops[i // VIEWS_A_PLACE], i % VIEWS_A_PLACE
        dice = Dice(seed, 61, SPLITS.index(split), i)
        aside = dice.between("aside", 45.0, 68.0) * (1 if (i // VIEWS_A_PLACE) % 2 else -1)
        turn = aside if which else 0.0
        made.append(_shot(seed, split, "database", first + i, stop, DATABASE_PASS, turn, 0.0, dice))
    order = np.argsort([Dice(seed, 62, SPLITS.index(split), i).unit("order") for i in range(len(stops))])
    for i in range(queries):
        dice = Dice(seed, 63, SPLITS.index(split), i)
        stop = stops[int(order[i % len(stops)])]
        visit = 1 + dice.weighted("pass", QUERY_WEIGHTS)
        aside = dice.between("aside", 41.0, 72.0) * (1 if dice.happens("left or right", 0.5) else -1)
        turn = aside if dice.happens("look aside", 0.4) else 0.0
        along = dice.between("along", -4.5, 4.5)
        made.append(_shot(seed, split, "queries", first + database + i, stop, visit, turn, along, dice))
    return made


def _shot(
    seed: int,
    split: str,
    role: str,
    number: int,
    stop: Stop,
    visit: int,
    turn: float,
    along: float,
    dice: Dice,
) -> Shot:
    drive = PASSES[visit]
    ux, uy = stop.along
    lateral = dice.between("lateral", *drive.side) * (stop.half_total - 0.9)
    stray = dice.between("stray", -drive.turn_deg, drive.turn_deg)
    heading = (math.degrees(math.atan2(ux, uy)) + turn + stray) % 360.0
    view = View(
        x=stop.x + ux * along + uy * lateral,
        y=stop.y + uy * along - ux * lateral,
        z=drive.camera_height_m + dice.between("height", -0.12, 0.12),
        heading_deg=heading,
        pitch_deg=dice.between("pitch", 3.0, 7.0),
        roll_deg=dice.between("roll", -1.2, 1.2),
        visit=visit,
        number=int(dice.unit("number") * (1 << 24)) + seed,
        exposure=math.exp(dice.between("exposure", -0.22, 0.22)),
    )
    return Shot(split, role, number, view, drive.start + timedelta(seconds=2 * number % 5400))


def positions(taken: list[Shot]) -> NDArray[np.float64]:
    """Where the shots are taken in town, (N, 2) metres."""
    return np.array([(shot.view.x, shot.view.y) for shot in taken])
