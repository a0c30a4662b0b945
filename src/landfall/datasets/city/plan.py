"""The town's plan: bending row streets, slanted cross streets, the blocks between them.

Rows run roughly west to east and bend at control points. Between two rows lies a band, and each
band has its own cross streets, so junctions are offset (T) as often as they meet (X). All lengths
are metres in the town's own frame: x east, y north.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.city.hashing import Dice

Array = NDArray[np.float64]

# half the carriageway, half of everything between the building lines
ROAD_KINDS = ((4.0, 6.6), (5.6, 9.4), (3.0, 4.9))
SIDE, MAIN, COBBLED = range(3)
BUILT, PARK, SQUARE, CHURCH = range(4)
SNAP_M = 15.0


@dataclass(frozen=True)
class Link:
    """A straight piece of street between two junctions or bends.

    ``stop_start`` and ``stop_end`` are how far from that end the crossing carriageway reaches,
    in metres; 0 where the street only bends.
    """

    start: Array
    end: Array
    kind: int
    stop_start: float
    stop_end: float
    inner: bool

    @property
    def half_road(self) -> float:
        """Half the carriageway's width in metres."""
        return ROAD_KINDS[self.kind][0]

    @property
    def half_total(self) -> float:
        """From the middle of the street to the building line, in metres."""
        return ROAD_KINDS[self.kind][1]

    @property
    def length(self) -> float:
        """Metres from end to end."""
        return float(np.hypot(*(self.end - self.start)))


@dataclass(frozen=True)
class Block:
    """What streets enclose: a polygon (P, 2) of street middles, counter-clockwise.

    ``half_total`` (P,) is, for the edge from each vertex to the next, how far the building line
    stands back from the middle of the street; ``road`` (P,) the street's kind.
    """

    polygon: Array
    half_total: Array
    road: NDArray[np.int64]
    kind: int
    number: int


@dataclass(frozen=True)
class Plan:
    """Streets and blocks of the whole town."""

    seed: int
    width_m: float
    depth_m: float
    links: tuple[Link, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class _Cross:
    bottom_x: float
    top_x: float
    kind: int


@dataclass(frozen=True)
class _Row:
    bends_x: Array
    bends_y: Array
    kind: int

    def at(self, x: float) -> Array:
        return np.array([x, float(np.interp(x, self.bends_x, self.bends_y))])

    def between(self, x0: float, x1: float) -> list[Array]:
        inside = (self.bends_x > x0 + 8.0) & (self.bends_x < x1 - 8.0)
        return [np.array(p) for p in zip(self.bends_x[inside], self.bends_y[inside], strict=True)]


def lay_out(seed: int, width_m: float, bands: int) -> Plan:
    """Lay a town ``width_m`` wide and ``bands`` blocks deep; the same seed gives the same town."""
    rows = _rows(seed, width_m, bands)
    crossings = [_cross_streets(seed, band, width_m) for band in range(bands)]
    crossings = _snap(crossings)
    links = [*_row_links(rows, crossings, width_m), *_cross_links(rows, crossings)]
    blocks = _blocks(seed, rows, crossings)
    return Plan(seed, width_m, float(rows[-1].bends_y.max()), tuple(links), tuple(blocks))


def _rows(seed: int, width_m: float, bands: int) -> list[_Row]:
    rows = []
    y = 0.0
    for number in range(bands + 1):
        dice = Dice(seed, 11, number)
        xs = [-20.0]
        while xs[-1] < width_m + 20.0:
            xs.append(xs[-1] + dice.between(f"step{len(xs)}", 60.0, 150.0))
        ys = [y + dice.between(f"bend{i}", -8.0, 8.0) for i in range(len(xs))]
        rows.append(_Row(np.array(xs), np.array(ys), dice.weighted("kind", (0.5, 0.3, 0.2))))
        y += dice.between("depth", 62.0, 92.0)
    return rows


def _cross_streets(seed: int, band: int, width_m: float) -> list[_Cross]:
    dice = Dice(seed, 12, band)
    crosses = [_Cross(0.0, 0.0, SIDE)]
    x = dice.between("first", 45.0, 85.0)
    while x < width_m - 40.0:
        number = len(crosses)
        slant = dice.between(f"slant{number}", -11.0, 11.0)
        crosses.append(_Cross(x, x + slant, dice.weighted(f"kind{number}", (0.6, 0.12, 0.28))))
        x += dice.between(f"step{number}", 56.0, 104.0)
    return [*crosses, _Cross(width_m, width_m, SIDE)]


def _snap(bands: list[list[_Cross]]) -> list[list[_Cross]]:
    """Move a junction onto one across the street where the two would nearly meet."""
    snapped = [bands[0]]
    for band in bands[1:]:
        tops = np.array([cross.top_x for cross in snapped[-1]])
        moved = []
        for cross in band:
            nearest = float(tops[np.abs(tops - cross.bottom_x).argmin()])
            close = abs(nearest - cross.bottom_x) < SNAP_M
            moved.append(_Cross(nearest if close else cross.bottom_x, cross.top_x, cross.kind))
        snapped.append(moved)
    return snapped


def _row_links(rows: list[_Row], bands: list[list[_Cross]], width_m: float) -> list[Link]:
    links = []
    for number, row in enumerate(rows):
        stops: dict[float, float] = {}
        for band, end in ((number - 1, "top_x"), (number, "bottom_x")):
            for cross in bands[band] if 0 <= band < len(bands) else []:
                x = float(getattr(cross, end))
                stops[x] = max(stops.get(x, 0.0), ROAD_KINDS[cross.kind][0])
        for x in row.bends_x:
            if 0.0 < x < width_m and all(abs(x - other) > 8.0 for other in stops):
                stops[float(x)] = 0.0
        xs = sorted(stops)
        inner = 0 < number < len(rows) - 1
        links += [
            Link(row.at(a), row.at(b), row.kind, stops[a], stops[b], inner)
            for a, b in pairwise(xs)
            if b - a > 1.0
        ]
    return links


def _cross_links(rows: list[_Row], bands: list[list[_Cross]]) -> list[Link]:
    links = []
    for number, band in enumerate(bands):
        below, above = rows[number], rows[number + 1]
        for place, cross in enumerate(band):
            inner = 0 < place < len(band) - 1
            ends = (ROAD_KINDS[below.kind][0], ROAD_KINDS[above.kind][0])
            links.append(Link(below.at(cross.bottom_x), above.at(cross.top_x), cross.kind, *ends, inner))
    return links


def _blocks(seed: int, rows: list[_Row], bands: list[list[_Cross]]) -> list[Block]:
    blocks: list[Block] = []
    for number, band in enumerate(bands):
        below, above = rows[number], rows[number + 1]
        for west, east in pairwise(band):
            points: list[Any] = []
            kinds: list[int] = []
            bottom = [below.at(west.bottom_x), *below.between(west.bottom_x, east.bottom_x)]
            top = [above.at(east.top_x), *reversed(above.between(west.top_x, east.top_x))]
            points += [*bottom, below.at(east.bottom_x), *top, above.at(west.top_x)]
            kinds += [below.kind] * len(bottom) + [east.kind] + [above.kind] * len(top) + [west.kind]
            kind = Dice(seed, 13, number, len(blocks)).weighted("use", (0.84, 0.06, 0.05, 0.05))
            half = np.array([ROAD_KINDS[k][1] for k in kinds])
            blocks.append(Block(np.array(points), half, np.array(kinds), kind, len(blocks)))
    return blocks


def inset(polygon: Array, distances: Array) -> Array:
    """Move each edge of a counter-clockwise polygon (P, 2) inwards by its distance (P,), edges mitred."""
    along = np.roll(polygon, -1, axis=0) - polygon
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1)
    before = np.roll(np.arange(len(polygon)), 1)
    corners = []
    for vertex, prior in enumerate(before):
        a, b = inward[prior], inward[vertex]
        matrix = np.stack([a, b])
        if abs(np.linalg.det(matrix)) < 0.05:
            corners.append(polygon[vertex] + b * distances[vertex])
            continue
        offsets = np.array([distances[prior], distances[vertex]])
        corners.append(polygon[vertex] + np.linalg.solve(matrix, offsets))
    return np.array(corners)
