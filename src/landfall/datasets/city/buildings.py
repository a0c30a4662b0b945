"""Buildings as a height field: wall segments and roof planes seen from above.

Everything solid stands on the ground, so a vertical slice through the town is a height profile; that
is all the ray caster needs. A roof piece is a convex quadrilateral in plan with a plane above it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.city import houses
from landfall.datasets.city.hashing import Dice
from landfall.datasets.city.houses import Colour, Style
from landfall.datasets.city.plan import BUILT, CHURCH, MAIN, PARK, Array, Block, inset

FACADE, SIDE_WALL, CHIMNEY, GARDEN_WALL, TOWER = range(5)
TILES, SLATES, GRAVEL, TOP = range(4)
DEPTH_M = 11.0


@dataclass
class Pieces:
    """Walls and roofs gathered while a town is built.

    A wall is (x0, y0, x1, y1, top0, top1); its outside lies to the right of start -> end.
    A roof is four plan corners (8 numbers) and z = a x + b y + c (3 numbers).
    """

    walls: list[tuple[float, ...]] = field(default_factory=list)
    wall_kinds: list[int] = field(default_factory=list)
    wall_facades: list[int] = field(default_factory=list)
    wall_offsets: list[float] = field(default_factory=list)
    roofs: list[tuple[float, ...]] = field(default_factory=list)
    roof_kinds: list[int] = field(default_factory=list)
    roof_colours: list[Colour] = field(default_factory=list)
    facades: list[NDArray[np.float64]] = field(default_factory=list)
    footprints: list[tuple[Array, float]] = field(default_factory=list)

    def wall(
        self, p: Array, q: Array, tops: tuple[float, float], kind: int, facade: int, u: float = 0.0
    ) -> None:
        """Add a wall with outside to the right of p -> q; ``u`` is where along its facade p lies."""
        self.walls.append((p[0], p[1], q[0], q[1], *tops))
        self.wall_kinds.append(kind)
        self.wall_facades.append(facade)
        self.wall_offsets.append(u)

    def facade(self, row: NDArray[np.float64]) -> int:
        """Keep a facade's numbers; answers which one it is."""
        self.facades.append(row)
        return len(self.facades) - 1

    def roof(self, corners: Array, heights: Array, kind: int, colour: Colour) -> None:
        """Add a plane through the first three corners' heights."""
        ones = np.c_[corners[:3], np.ones(3)]
        plane = np.linalg.solve(ones, heights[:3])
        self.roofs.append((*corners.ravel().tolist(), *plane.tolist()))
        self.roof_kinds.append(kind)
        self.roof_colours.append(colour)


@dataclass(frozen=True)
class Lot:
    """A building's ground: front from ``left`` to ``right`` as seen from the street, ``back`` inwards."""

    left: Array
    right: Array
    back: Array
    corner: bool


def build(seed: int, blocks: tuple[Block, ...], texts: int) -> Pieces:
    """Put up every building of the town; ``texts`` is how many different signs there are."""
    pieces = Pieces()
    for block in blocks:
        line = inset(block.polygon, block.half_total)
        if block.kind == BUILT:
            _fill_block(pieces, seed, block, line, texts)
        elif block.kind == CHURCH:
            _church(pieces, Dice(seed, 21, block.number), line)
        elif block.kind == PARK:
            style = houses.choose(Dice(seed, 22, block.number), 1, 0.0, texts)
            facade = pieces.facade(houses.facade_row(style, 30.0, Dice(seed, 22, block.number), blank=True))
            for a, b in zip(line, np.roll(line, -1, axis=0), strict=True):
                pieces.wall(a + (b - a) * 0.12, a + (b - a) * 0.88, (0.7, 0.7), GARDEN_WALL, facade)
    return pieces


def _fill_block(pieces: Pieces, seed: int, block: Block, line: Array, texts: int) -> None:
    count = len(line)
    along = np.roll(line, -1, axis=0) - line
    length = np.linalg.norm(along, axis=1)
    unit = along / length[:, None]
    before = np.roll(np.arange(count), 1)
    turns = unit[before, 0] * unit[:, 1] - unit[before, 1] * unit[:, 0]
    reach = np.array([Dice(seed, 23, block.number, i).between("reach", 9.5, 12.5) for i in range(count)])
    reach = np.where(turns > 0.5, np.minimum(reach, 0.3 * np.minimum(length, length[before])), 0.0)
    for i in range(count):
        after = (i + 1) % count
        dice = Dice(seed, 24, block.number, i)
        shopping = 1.8 if block.road[i] == MAIN else 0.8
        if reach[i] > 0:
            # seen from the street the block's counter-clockwise edge runs left to right
            lot = Lot(line[i], line[i] + unit[i] * reach[i], -unit[before[i]] * reach[i], True)
            _raise(pieces, lot, dice, _corner_house(dice), 1.6 * shopping, texts)
        inward = np.array([-unit[i, 1], unit[i, 0]])
        _terrace(pieces, line[i] + unit[i] * reach[i], unit[i], length[i] - reach[i] - reach[after], inward,
                 (seed, 25, block.number, i), shopping, texts)  # fmt: skip


def _corner_house(dice: Dice) -> int:
    return (2, 2, 8, 5, 7, 9)[dice.pick("corner", 6)]


def _terrace(
    pieces: Pieces, start: Array, unit: Array, length: float, inward: Array,
    keys: tuple[int, ...], shopping: float, texts: int,
) -> None:  # fmt: skip
    """Fill a street front with houses, one type repeated or several mixed."""
    dice = Dice(*keys)
    if length < 4.0:
        return
    repeat = dice.happens("repeat", 0.3)
    common = dice.weighted("common", (1, 2, 1, 1, 0.6, 0.7, 1, 0.3, 0.5, 0.2))
    kinds: list[int] = []
    widths: list[float] = []
    while sum(widths) < length - 3.0:
        lot = len(kinds)
        kind = common if repeat else dice.weighted(f"kind{lot}", (1, 1, 1, 0.9, 0.6, 0.6, 1, 0.35, 0.5, 0.4))
        bays = houses.TYPES[kind].widths
        kinds.append(kind)
        widths.append(bays[dice.pick(f"bays{lot}", len(bays))] * houses.TYPES[kind].bay + 0.8)
    scale = length / sum(widths)
    at = 0.0
    shared = Dice(*keys, 999)
    for lot, (kind, width) in enumerate(zip(kinds, widths, strict=True)):
        left, right = start + unit * at, start + unit * (at + width * scale)
        own = Dice(*keys, lot)
        if not own.happens("gap", 0.05 if lot else 0.0):
            site = Lot(left, right, inward * (DEPTH_M + own.between("depth", -1.0, 1.0)), False)
            # a developer's terrace shares heights and colours, but not signs
            look = shared if repeat and not own.happens("odd", 0.2) else own
            _raise(pieces, site, own, kind, shopping, texts, look=look)
        at += width * scale


def _raise(
    pieces: Pieces, lot: Lot, dice: Dice, house: int, shopping: float, texts: int, look: Dice | None = None
) -> None:
    style = houses.choose(look or dice, house, shopping, texts)
    style.row["text"] = float(dice.pick("own text", texts))
    style.row["number"] = float(dice.pick("own number", 1 << 20))
    corners = np.array([lot.left, lot.right, lot.right + lot.back, lot.left + lot.back])
    tops = np.full(4, style.eaves)
    pieces.footprints.append((corners, style.eaves + 1.0))
    for side in range(4):
        p, q = corners[side], corners[(side + 1) % 4]
        width = float(np.hypot(*(q - p)))
        street = side == 0 or (side == 3 and lot.corner)
        row = houses.facade_row(style, width, Dice(int(style.row["number"]), side), blank=not street)
        facade = pieces.facade(row)
        if side == 0 and style.roof in (houses.GABLE, houses.STEPPED) and not lot.corner:
            _gable_front(pieces, p, q, style, facade)
        elif side in (1, 3) and style.roof == houses.PITCHED and not lot.corner:
            middle = (p + q) / 2
            ridge = style.eaves + _rise(lot, style)
            pieces.wall(p, middle, (style.eaves, ridge), SIDE_WALL, facade)
            pieces.wall(middle, q, (ridge, style.eaves), SIDE_WALL, facade, width / 2)
        else:
            kind = FACADE if street else SIDE_WALL
            pieces.wall(p, q, (tops[side], tops[side]), kind, facade)
    _cover(pieces, lot, corners, style, dice)


def _rise(lot: Lot, style: Style) -> float:
    if style.roof == houses.PITCHED:
        return 0.5 * float(np.hypot(*lot.back)) * 0.85
    return 0.5 * float(np.hypot(*(lot.right - lot.left))) * 1.15


def _gable_front(pieces: Pieces, p: Array, q: Array, style: Style, facade: int) -> None:
    width = float(np.hypot(*(q - p)))
    rise = 0.5 * width * 1.15
    if style.roof == houses.GABLE:
        middle = (p + q) / 2
        pieces.wall(p, middle, (style.eaves, style.eaves + rise), FACADE, facade)
        pieces.wall(middle, q, (style.eaves + rise, style.eaves), FACADE, facade, width / 2)
        return
    steps = 4
    edges = np.linspace(0.0, 1.0, 2 * steps + 2)
    for i, (a, b) in enumerate(pairwise(edges)):
        level = min(i, 2 * steps - i) + 1
        top = style.eaves + rise * level / (steps + 1) * 1.12
        pieces.wall(p + (q - p) * a, p + (q - p) * b, (top, top), FACADE, facade, width * float(a))


def _cover(pieces: Pieces, lot: Lot, corners: Array, style: Style, dice: Dice) -> None:
    a, b, c, d = corners
    low, colour = style.eaves, style.roof_colour
    covering = TILES if colour[0] > 1.3 * colour[2] else SLATES
    if style.roof == houses.FLAT or (lot.corner and style.roof != houses.MANSARD):
        pieces.roof(corners, np.full(4, low - 0.3), GRAVEL, colour)
    elif style.roof == houses.MANSARD:
        inner = inset(corners, np.full(4, 1.3))
        high = low + 2.9
        sides = range(4) if lot.corner else (0, 2)
        for side in sides:
            after = (side + 1) % 4
            if lot.corner:
                quad = np.array([corners[side], corners[after], inner[after], inner[side]])
            else:
                setback = (1.3 / float(np.hypot(*lot.back))) * lot.back * (1 if side == 0 else -1)
                quad = np.array(
                    [corners[side], corners[after], corners[after] + setback, corners[side] + setback]
                )
            pieces.roof(quad, np.array([low, low, high, high]), covering, colour)
        pieces.roof(inner if lot.corner else corners, np.full(4, high), TOP, colour)
    elif style.roof == houses.PITCHED:
        high = low + _rise(lot, style)
        left, right = (a + d) / 2, (b + c) / 2
        pieces.roof(np.array([a, b, right, left]), np.array([low, low, high, high]), covering, colour)
        pieces.roof(np.array([c, d, left, right]), np.array([low, low, high, high]), covering, colour)
        _chimney(pieces, dice, left + (right - left) * dice.between("chimney", 0.08, 0.3), high + 0.9)
    else:
        high = low + _rise(lot, style)
        front, rear = (a + b) / 2, (c + d) / 2
        pieces.roof(np.array([b, c, rear, front]), np.array([low, low, high, high]), covering, colour)
        pieces.roof(np.array([d, a, front, rear]), np.array([low, low, high, high]), covering, colour)
        _chimney(pieces, dice, front + (rear - front) * 0.6, high + 0.6)


def _chimney(pieces: Pieces, dice: Dice, centre: Array, top: float) -> None:
    if dice.happens("has chimney", 0.7):
        _box(pieces, centre, 0.45, 0.35, top, CHIMNEY)


def _box(pieces: Pieces, centre: Array, half_x: float, half_y: float, top: float, kind: int) -> Array:
    offsets = np.array([[-half_x, -half_y], [half_x, -half_y], [half_x, half_y], [-half_x, half_y]])
    corners = centre + offsets
    for i in range(4):
        pieces.wall(corners[i], corners[(i + 1) % 4], (top, top), kind, 0)
    return np.asarray(corners)


def _church(pieces: Pieces, dice: Dice, line: Array) -> None:
    """A nave with a pitched roof and a tower with a spire: the landmark of its quarter."""
    centre = line.mean(axis=0)
    colour = houses.linear(houses.TYPES[2].roofs[dice.pick("roof", 3)])
    half_w, half_l, eaves = 6.0, 13.0, 8.5
    nave = _box(pieces, centre, half_l, half_w, eaves, TOWER)
    ridge = eaves + 7.0
    west, east = (nave[0] + nave[3]) / 2, (nave[1] + nave[2]) / 2
    slopes = ((nave[0], nave[1], east, west), (nave[2], nave[3], west, east))
    for slope in slopes:
        pieces.roof(np.array(slope), np.array([eaves, eaves, ridge, ridge]), SLATES, colour)
    pieces.footprints.append((nave, eaves + 3.0))
    top = dice.between("tower", 20.0, 28.0)
    tower = _box(pieces, west + np.array([-2.5, 0.0]), 3.0, 3.0, top, TOWER)
    pieces.footprints.append((tower, top + 4.0))
    apex = tower.mean(axis=0)
    for i in range(4):
        quad = np.array([tower[i], tower[(i + 1) % 4], apex, apex])
        height = top + dice.between("spire", 9.0, 18.0)
        pieces.roof(quad, np.array([top, top, height, height]), SLATES, colour)
