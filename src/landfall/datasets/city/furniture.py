"""What stands on the pavements: trees and lamps that stay, cars and people that each pass finds anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.city.hashing import Dice, uniform
from landfall.datasets.city.plan import BUILT, CHURCH, MAIN, SIDE, Array, Link, Plan, inset

TREE, CONIFER, LAMP, SIGN, PERSON, BIN, BENCH = range(7)
KIND_NAMES = ("tree", "conifer", "lamp", "sign", "person", "bin", "bench")
TREE_SHAPES = 4
PERSON_SHAPES = 6
SIGN_SHAPES = 3


@dataclass(frozen=True)
class Sprites:
    """Flat things that turn to the camera: place (N, 2), width and height in metres, kind, shape, number."""

    place: Array
    width: Array
    height: Array
    kind: NDArray[np.int64]
    shape: NDArray[np.int64]
    number: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Sprites:
        """These rows only."""
        return Sprites(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @staticmethod
    def of(rows: list[tuple[float, float, float, float, int, int, int]]) -> Sprites:
        """From rows of x, y, width, height, kind, shape, number."""
        table = np.array(rows, dtype=np.float64).reshape(-1, 7)
        kinds = table[:, 4:].astype(np.int64)
        return Sprites(table[:, :2], table[:, 2], table[:, 3], kinds[:, 0], kinds[:, 1], kinds[:, 2])

    @staticmethod
    def join(parts: list[Sprites]) -> Sprites:
        """One after the other."""
        return Sprites(*(np.concatenate([getattr(part, name) for part in parts])
                         for name in Sprites.__dataclass_fields__))  # fmt: skip


@dataclass(frozen=True)
class Cars:
    """Cars: place (N, 2) of the middle, heading unit vectors (N, 2), kind and number (N,)."""

    place: Array
    along: Array
    kind: NDArray[np.int64]
    number: NDArray[np.int64]


def fixtures(plan: Plan) -> Sprites:
    """Trees, lamps and signs of the whole town."""
    rows: list[tuple[float, float, float, float, int, int, int]] = []
    for number, link in enumerate(plan.links):
        rows += _street_fixtures(Dice(plan.seed, 31, number), link, number)
    for block in plan.blocks:
        if block.kind != BUILT:
            dice = Dice(plan.seed, 32, block.number)
            inner = inset(block.polygon, block.half_total + 2.5)
            low, high = inner.min(axis=0), inner.max(axis=0)
            for i in range(26 if block.kind != CHURCH else 10):
                place = low + (high - low) * np.array([dice.unit(f"x{i}"), dice.unit(f"y{i}")])
                if not _inside(inner, place) or np.hypot(*(place - inner.mean(axis=0))) < 9.0:
                    continue
                kind = CONIFER if dice.happens(f"conifer{i}", 0.25) else TREE
                height = dice.between(f"height{i}", 6.0, 12.0)
                rows.append((*place, height * 0.75, height, kind, dice.pick(f"shape{i}", TREE_SHAPES), i))
    return Sprites.of(rows)


def _street_fixtures(
    dice: Dice, link: Link, number: int
) -> list[tuple[float, float, float, float, int, int, int]]:
    unit = (link.end - link.start) / link.length
    left = np.array([-unit[1], unit[0]])
    rows: list[tuple[float, float, float, float, int, int, int]] = []
    first, last = link.stop_start + 4.0, link.length - link.stop_end - 4.0
    planted = link.kind == MAIN or (link.kind == SIDE and dice.happens("trees", 0.4))
    kerb = link.half_road + 0.55
    for side in (-1.0, 1.0):
        for i, along in enumerate(np.arange(first + 4.0, last, 11.5) if planted else ()):
            if dice.happens(f"missing{side}{i}", 0.2):
                continue
            height = dice.between(f"tall{side}{i}", 4.8, 8.0)
            place = link.start + unit * along + left * side * (kerb + 0.25)
            shape = dice.pick("species", TREE_SHAPES)
            rows.append((*place, height * 0.62, height, TREE, shape, number * 64 + i))
        offset = 4.0 if side > 0 else 17.0
        lamps = [
            link.start + unit * along + left * side * kerb for along in np.arange(first + offset, last, 27.0)
        ]
        rows += [(float(x), float(y), 1.1, 5.2, LAMP, 0, number) for x, y in lamps]
    for end, stop in ((0.0, link.stop_start), (link.length, link.stop_end)):
        if stop and dice.happens(f"sign{end}", 0.6):
            along = stop + 5.5 if end == 0.0 else link.length - stop - 5.5
            side = 1.0 if end == 0.0 else -1.0
            place = link.start + unit * along + left * side * kerb
            rows.append((*place, 0.8, 3.0, SIGN, dice.pick(f"plate{end}", SIGN_SHAPES), number))
    for i, along in enumerate(np.arange(first + 9.0, last, 31.0)):
        kind = BENCH if link.kind == MAIN and i % 2 else BIN
        size = (1.8, 0.9) if kind == BENCH else (0.5, 0.95)
        place = link.start + unit * along - left * (link.half_total - 0.9)
        if dice.happens(f"thing{i}", 0.6):
            rows.append((*place, *size, kind, 0, number))
    return rows


def _inside(polygon: Array, place: Array) -> bool:
    edges = np.roll(polygon, -1, axis=0) - polygon
    return bool(np.all(edges[:, 0] * (place - polygon)[:, 1] - edges[:, 1] * (place - polygon)[:, 0] > 0))


def traffic(plan: Plan, links: NDArray[np.int64], visit: int, hour: float) -> tuple[Cars, Sprites]:
    """Cars and people on these links during pass ``visit``; other passes find others.

    A place at the kerb is taken by the luck of (link, place, pass), so it does not depend on which
    other links are asked for.
    """
    cars: list[Array] = []
    people: list[Array] = []
    busy = 0.5 if 8.0 <= hour <= 19.0 else 0.35
    for number in links.tolist():
        link = plan.links[number]
        unit = (link.end - link.start) / link.length
        left = np.array([-unit[1], unit[0]])
        clear = 7.5
        spots = np.arange(link.stop_start + clear, link.length - link.stop_end - clear, 5.9)
        for side in (-1.0, 1.0):
            if link.kind == MAIN or (side > 0) == (number % 2 == 0):
                key = (plan.seed, 33, number, int(side), visit)
                luck, look, shift = (uniform(*key, purpose, np.arange(len(spots))) for purpose in range(3))
                taken = luck < busy
                at = (spots + shift * 0.8)[taken]
                middle = link.start + unit * at[:, None] + left * side * (link.half_road - 1.1)
                direction = np.broadcast_to(unit * -side, middle.shape)
                cars.append(np.c_[middle, direction, look[taken]])
            walk = np.arange(2.0, link.length, 6.0)
            luck, look, shift = (
                uniform(plan.seed, 34, number, int(side), visit, purpose, np.arange(len(walk)))
                for purpose in range(3)
            )
            out = luck < (0.16 if link.kind == MAIN else 0.09)
            across = link.half_road + 0.6 + (link.half_total - link.half_road - 1.1) * shift[out]
            place = (
                link.start + unit * (walk[out] + 3.0 * shift[out])[:, None] + left * side * across[:, None]
            )
            people.append(np.c_[place, look[out]])
    return _cars(cars), _people(people)


def _cars(parts: list[Array]) -> Cars:
    table = np.concatenate(parts) if parts else np.zeros((0, 5))
    look = table[:, 4]
    return Cars(table[:, :2], table[:, 2:4], (look * 3).astype(np.int64), (look * 1e6).astype(np.int64))


def _people(parts: list[Array]) -> Sprites:
    table = np.concatenate(parts) if parts else np.zeros((0, 3))
    look = table[:, 2]
    height = 1.58 + 0.3 * ((look * 17.0) % 1.0)
    shape = (look * PERSON_SHAPES).astype(np.int64)
    kind = np.full(len(table), PERSON)
    return Sprites(table[:, :2], height * 0.46, height, kind, shape, (look * 1e6).astype(np.int64))
