"""Trees, people, lamps and the like as small stencils, drawn once in memory.

A stencil holds, for each texel, how much of three tints it takes and how much it covers, so that one
drawing serves every season's foliage and every person's clothes.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from landfall.datasets.city import furniture
from landfall.datasets.city.hashing import Dice

WIDTH, HEIGHT = 128, 160
LEVELS = 4
_SCALE = 2

Stencil = NDArray[np.float32]
Tint = tuple[int, int, int]


class _Sheet:
    """A drawing board in metres-free units: x 0..1 from the left, y 0..1 from the ground."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (WIDTH * _SCALE, HEIGHT * _SCALE), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def at(self, x: float, y: float) -> tuple[float, float]:
        return x * WIDTH * _SCALE, (1.0 - y) * HEIGHT * _SCALE

    def disc(self, x: float, y: float, rx: float, ry: float, tint: Tint) -> None:
        cx, cy = self.at(x, y)
        w, h = rx * WIDTH * _SCALE, ry * HEIGHT * _SCALE
        self.draw.ellipse((cx - w, cy - h, cx + w, cy + h), fill=(*tint, 255))

    def shape(self, points: list[tuple[float, float]], tint: Tint) -> None:
        self.draw.polygon([self.at(x, y) for x, y in points], fill=(*tint, 255))

    def stroke(self, points: list[tuple[float, float]], thick: float, tint: Tint) -> None:
        """A line of this thickness, as a share of the width."""
        wide = max(1, round(thick * WIDTH * _SCALE))
        self.draw.line([self.at(x, y) for x, y in points], fill=(*tint, 255), width=wide, joint="curve")

    def done(self) -> Stencil:
        """Premultiplied weights and coverage (HEIGHT, WIDTH, 4)."""
        values = np.asarray(self.image, np.float32) / 255.0
        values[..., :3] *= values[..., 3:]
        blocks = values.reshape(HEIGHT, _SCALE, WIDTH, _SCALE, 4)
        return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _branches(sheet: _Sheet, dice: Dice, depth: int) -> list[tuple[float, float]]:
    """Grow a tree's wood; answers where twigs end. Tint three is bark."""
    tips: list[tuple[float, float]] = []

    def grow(x: float, y: float, angle: float, length: float, thick: float, level: int, name: str) -> None:
        bend = angle + dice.between(f"b{name}", -0.12, 0.12)
        ex = x + math.sin(bend) * length * HEIGHT / WIDTH * 0.92
        ey = y + math.cos(bend) * length
        sheet.stroke([(x, y), (ex, ey)], thick, (0, 0, 200 + 10 * level if level < 5 else 255))
        if level == depth:
            tips.append((ex, ey))
            return
        for i in range(3 if level else 4):
            spread = (i - (1.0 if level else 1.5)) * dice.between(f"s{name}{i}", 0.42, 0.62)
            shrink = dice.between(f"l{name}{i}", 0.62, 0.82)
            grow(
                ex,
                ey,
                bend * 0.75 + spread,
                length * shrink,
                max(thick * 0.6, 0.006),
                level + 1,
                f"{name}{i}",
            )

    grow(0.5, 0.0, dice.between("lean", -0.05, 0.05), 0.27, 0.045, 0, "")
    return tips


def _bare_tree(shape: int) -> Stencil:
    sheet = _Sheet()
    _branches(sheet, Dice(41, shape), 5)
    return sheet.done()


def _leafy_tree(shape: int) -> Stencil:
    sheet = _Sheet()
    dice = Dice(41, shape)
    _branches(sheet, dice, 2)
    wide, tall = dice.between("wide", 0.36, 0.46), dice.between("tall", 0.3, 0.36)
    clumps = []
    for i in range(900):
        angle, radius = dice.unit(f"a{i}") * 2 * math.pi, math.sqrt(dice.unit(f"r{i}"))
        lump = 1.0 + 0.16 * math.sin(3 * angle + shape) + 0.09 * math.sin(7 * angle + 2 * shape)
        x = 0.5 + wide * lump * radius * math.cos(angle) * 0.97
        y = 0.99 - tall * 1.12 + tall * lump * radius * math.sin(angle)
        clumps.append((dice.unit(f"d{i}"), x, y, i))
    for layer, x, y, i in sorted(clumps):
        lit = (
            0.5
            + 0.9 * (y - 0.62)
            - 0.45 * (x - 0.5)
            + 0.45 * (layer - 0.5)
            + 0.3 * (dice.unit(f"v{i}") - 0.5)
        )
        light = int(255 * min(max(lit, 0.0), 1.0))
        size = dice.between(f"z{i}", 0.009, 0.026)
        if y < 0.985 - size:
            sheet.disc(x, y, size, size * 0.75, (255 - light, light, 0))
    return sheet.done()


def _conifer(shape: int) -> Stencil:
    sheet = _Sheet()
    dice = Dice(42, shape)
    sheet.stroke([(0.5, 0.0), (0.5, 0.9)], 0.04, (0, 0, 220))
    for tier in range(15):
        y = 0.1 + 0.058 * tier
        half = 0.36 * (1.0 - tier / 15.5)
        for i in range(7):
            x = 0.5 + half * (i / 3.0 - 1.0)
            light = int(60 + 110 * dice.unit(f"{tier}.{i}") - 40 * (i / 3.0 - 1.0))
            sag = 0.05 * abs(i / 3.0 - 1.0)
            points = [(x - 0.06, y - sag), (x, y + 0.1 - sag * 0.4), (x + 0.06, y - sag)]
            sheet.shape(points, (255 - light, light, 0))
    return sheet.done()


def _lamp(lit: bool) -> Stencil:
    """Post and lantern; tint one is the post, tint two the glass, tint three the glow."""
    sheet = _Sheet()
    sheet.shape([(0.44, 0.0), (0.56, 0.0), (0.54, 0.12), (0.46, 0.12)], (255, 0, 0))
    sheet.stroke([(0.5, 0.0), (0.5, 0.86)], 0.05, (235, 0, 0))
    sheet.stroke([(0.36, 0.8), (0.64, 0.8)], 0.03, (235, 0, 0))
    glass = (0, 0, 255) if lit else (0, 255, 0)
    sheet.shape([(0.42, 0.85), (0.58, 0.85), (0.66, 0.95), (0.34, 0.95)], glass)
    sheet.shape([(0.31, 0.95), (0.69, 0.95), (0.5, 1.0)], (255, 0, 0))
    stencil = sheet.done()
    if lit:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        glow = np.exp(-(((x - WIDTH / 2) / 26.0) ** 2) - ((y - HEIGHT * 0.1) / 8.0) ** 2) * 0.55
        stencil[..., 2] += (glow * (1 - stencil[..., 3])).astype(np.float32)
        stencil[..., 3] = np.maximum(stencil[..., 3], glow * 0.4)
    return stencil


def _person(shape: int) -> Stencil:
    """Tint one is the coat, tint two the trousers and shoes, tint three skin and hair."""
    sheet = _Sheet()
    dice = Dice(43, shape)
    stride = dice.between("stride", 0.05, 0.16)
    for side, shade in ((-1, 190), (1, 255)):
        foot = 0.5 + side * stride
        sheet.shape([(0.5 + side * 0.02 - 0.09, 0.5), (0.5 + side * 0.02 + 0.09, 0.5), (foot + 0.06, 0.04),
                     (foot - 0.06, 0.04)], (0, shade, 0))  # fmt: skip
        sheet.disc(foot + 0.05, 0.025, 0.09, 0.022, (0, 90, 0))
    hem = (0.3, 0.42, 0.5)[shape % 3]
    flare = 0.2 if shape % 3 == 0 else 0.15
    for side, shade in ((-1, 170), (1, 225)):
        arm = 0.5 + side * dice.between(f"arm{side}", 0.2, 0.27)
        sheet.stroke([(0.5 + side * 0.15, 0.8), (arm, 0.62), (arm + 0.03, 0.47)], 0.085, (shade, 0, 0))
        sheet.disc(arm + 0.03, 0.455, 0.035, 0.02, (0, 0, 255))
    body = [(0.5 - flare, hem), (0.5 + flare, hem), (0.67, 0.8), (0.58, 0.85), (0.42, 0.85), (0.33, 0.8)]
    sheet.shape(body, (255, 0, 0))
    sheet.shape([(0.5, hem), (0.5 + flare, hem), (0.67, 0.8), (0.56, 0.85)], (215, 0, 0))
    sheet.disc(0.5, 0.865, 0.05, 0.03, (0, 0, 225))
    sheet.disc(0.5, 0.925, 0.095, 0.062, (0, 0, 255))
    sheet.shape(
        [(0.405, 0.93), (0.43, 0.985), (0.57, 0.985), (0.595, 0.93), (0.55, 0.95), (0.45, 0.95)], (0, 0, 60)
    )
    if shape % 2:
        sheet.shape([(0.68, 0.3), (0.84, 0.3), (0.84, 0.45), (0.68, 0.45)], (0, 110, 90))
    return sheet.done()


def _sign(shape: int) -> Stencil:
    """Post with a plate; tint one is red or blue, tint two white, tint three metal."""
    sheet = _Sheet()
    sheet.stroke([(0.5, 0.0), (0.5, 0.86)], 0.07, (0, 0, 230))
    if shape == 0:
        sheet.disc(0.5, 0.88, 0.46, 0.115, (255, 0, 0))
        sheet.shape([(0.2, 0.905), (0.8, 0.905), (0.8, 0.86), (0.2, 0.86)], (0, 255, 0))
    elif shape == 1:
        sheet.shape([(0.02, 0.78), (0.98, 0.78), (0.5, 0.99)], (255, 0, 0))
        sheet.shape([(0.2, 0.805), (0.8, 0.805), (0.5, 0.935)], (0, 255, 0))
    else:
        sheet.shape([(0.08, 0.77), (0.92, 0.77), (0.92, 0.99), (0.08, 0.99)], (255, 0, 0))
        sheet.shape([(0.3, 0.81), (0.42, 0.81), (0.42, 0.95), (0.3, 0.95)], (0, 255, 0))
        sheet.disc(0.52, 0.913, 0.2, 0.042, (0, 255, 0))
    return sheet.done()


def _bin() -> Stencil:
    sheet = _Sheet()
    sheet.shape([(0.2, 0.0), (0.8, 0.0), (0.88, 0.82), (0.12, 0.82)], (235, 0, 0))
    sheet.shape([(0.6, 0.0), (0.8, 0.0), (0.88, 0.82), (0.64, 0.82)], (170, 0, 0))
    sheet.disc(0.5, 0.84, 0.42, 0.12, (0, 0, 200))
    return sheet.done()


def _bench() -> Stencil:
    sheet = _Sheet()
    for x in (0.1, 0.86):
        sheet.shape([(x, 0.0), (x + 0.05, 0.0), (x + 0.05, 0.98), (x, 0.98)], (0, 0, 130))
    for y in (0.42, 0.62, 0.78, 0.92):
        sheet.shape([(0.0, y), (1.0, y), (1.0, y + 0.09), (0.0, y + 0.09)], (255, 0, 0))
    return sheet.done()


FIRST: dict[str, int] = {"tree": 0, "bare": furniture.TREE_SHAPES}
FIRST["conifer"] = FIRST["bare"] + furniture.TREE_SHAPES
FIRST["lamp"] = FIRST["conifer"] + 1
FIRST["person"] = FIRST["lamp"] + 2
FIRST["sign"] = FIRST["person"] + furniture.PERSON_SHAPES
FIRST["bin"] = FIRST["sign"] + furniture.SIGN_SHAPES
FIRST["bench"] = FIRST["bin"] + 1


@cache
def atlas() -> NDArray[np.float32]:
    """All stencils in the order of ``FIRST``, every level of detail laid flat: (texels, 4).

    Level l of stencil s starts at ``level_starts()[l] + s * (HEIGHT >> l) * (WIDTH >> l)``.
    """
    trees = range(furniture.TREE_SHAPES)
    sheets = [*map(_leafy_tree, trees), *map(_bare_tree, trees), _conifer(0), _lamp(False), _lamp(True),
              *map(_person, range(furniture.PERSON_SHAPES)), *map(_sign, range(furniture.SIGN_SHAPES)),
              _bin(), _bench()]  # fmt: skip
    level = np.stack(sheets)
    levels = []
    for _ in range(LEVELS):
        levels.append(level.reshape(-1, 4))
        count, height, width, _channels = level.shape
        level = level.reshape(count, height // 2, 2, width // 2, 2, 4).mean(axis=(2, 4))
    return np.concatenate(levels).astype(np.float32)


def level_starts() -> list[int]:
    """First texel of each level of detail."""
    count = FIRST["bench"] + 1
    sizes = [count * (HEIGHT >> level) * (WIDTH >> level) for level in range(LEVELS)]
    return [sum(sizes[:level]) for level in range(LEVELS)]
