"""House types: what a facade is made of, as one row of numbers that the painter reads per pixel.

The town repeats itself on purpose: a dozen types, a handful of colours each. What tells one place
from another is which houses stand in which order, how high they are, and what their signs say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.city.hashing import Dice

Colour = tuple[float, float, float]

FIELDS = (
    "width", "eaves", "ground_height", "floor_height", "bays", "window_width", "window_height", "sill",
    "arch", "panes_x", "panes_y", "surround", "shutters", "balcony", "material",
    "wall_r", "wall_g", "wall_b", "trim_r", "trim_g", "trim_b", "accent_r", "accent_g", "accent_b",
    "ground_kind", "text", "sign_r", "sign_g", "sign_b", "letters", "awning", "door_bay",
    "cornice", "quoins", "courses", "number", "base_r", "base_g", "base_b",
)  # fmt: skip
COLUMN = {name: place for place, name in enumerate(FIELDS)}

PLASTER, BRICK, STONE, TIMBER, PANEL = range(5)
HOME, SHOP, ARCADE, GARAGE, BLANK = range(5)
FLAT, PITCHED, MANSARD, GABLE, STEPPED = range(5)


def linear(code: str) -> Colour:
    """An sRGB colour ``rrggbb`` in linear light."""
    values = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0
    r, g, b = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).tolist()
    return r, g, b


@dataclass(frozen=True)
class HouseType:
    """One kind of house; lengths in metres, colours as sRGB ``rrggbb``."""

    material: int
    walls: tuple[str, ...]
    trims: tuple[str, ...]
    bay: float
    floors: tuple[int, int]
    floor_height: float
    window: tuple[float, float, float]
    panes: tuple[int, int]
    roof: int
    roofs: tuple[str, ...]
    widths: tuple[int, ...]
    arch: float = 0.0
    surround: float = 0.14
    shutters: float = 0.0
    balcony: tuple[float, ...] = (1.0,)
    shop: float = 0.3
    cornice: float = 0.35
    quoins: float = 0.0
    courses: float = 0.0
    accents: tuple[str, ...] = field(default=("2f4a3c", "5b2b26", "27384f", "6b5a3a", "3a3a3c"))


_RED = ("855846", "77503f", "8f6650", "7c5a4a")
_TILE = ("8a4b37", "7a4334", "96573d")
_SLATE = ("4a4e55", "565a5e", "3f444c")
_WHITE = ("e9e4d8", "ded8c9", "f0ece2")

TYPES = (
    # plaster town house, tall shuttered windows
    HouseType(PLASTER, ("d9c39a", "cfae86", "d8b7a0", "c9cdb4", "dcd3bd"), _WHITE, 2.6, (2, 3), 3.1,
              (1.05, 1.75, 0.75), (2, 3), PITCHED, _TILE, (3, 4), shutters=0.8, shop=0.3),
    # brick terrace, white sashes
    HouseType(BRICK, _RED, _WHITE, 2.5, (1, 2), 2.9, (1.1, 1.55, 0.8), (2, 2), PITCHED, _SLATE, (2, 3),
              surround=0.1, shop=0.12, cornice=0.2),
    # stone apartment house with mansard and iron balconies
    HouseType(STONE, ("cdbf9f", "c4b592", "d3c8ac"), ("d8ccb0", "cfc3a6"), 2.45, (4, 5), 3.15,
              (1.1, 2.1, 0.45), (2, 3), MANSARD, _SLATE, (4, 5, 6), balcony=(0.15, 0.55, 0.0, 0.3),
              surround=0.2, shop=0.65, cornice=0.55, courses=1.0, quoins=0.4),
    # merchant's gabled house
    HouseType(BRICK, ("74473a", "5f443b", "8d6650", "6b5044"), _WHITE, 2.15, (2, 3), 3.0, (1.15, 1.7, 0.65),
              (3, 4), STEPPED, _TILE, (2, 3), surround=0.08, shop=0.45, cornice=0.0, courses=0.6),
    # half-timbered
    HouseType(TIMBER, ("e2d6bb", "d9c7a0", "e6dfcf"), ("3d2c22", "4a3427"), 1.9, (2, 2), 2.6,
              (0.95, 1.15, 0.85), (2, 3), GABLE, _TILE, (3, 4), surround=0.1, shop=0.4, cornice=0.0,
              shutters=0.15),
    # sober post-war block
    HouseType(PLASTER, ("bdb8ab", "b3b5b0", "c9c2b0", "a9a79c"), ("dcdad2", "8f9190"), 3.0, (3, 4), 2.8,
              (1.75, 1.45, 0.85), (2, 1), FLAT, _SLATE, (4, 5, 6), balcony=(0.4, 0.0, 0.6), surround=0.05,
              shop=0.4, cornice=0.18),
    # painted houses with arched windows
    HouseType(PLASTER, ("b96f55", "7f97a4", "c99a4a", "8ea087", "c58b83"), _WHITE, 2.4, (2, 3), 3.2,
              (1.1, 1.9, 0.65), (2, 3), PITCHED, _TILE, (3, 4, 5), arch=1.0, surround=0.2,
              balcony=(0.6, 0.4), shop=0.35, cornice=0.4, quoins=0.7, courses=1.0),
    # warehouse
    HouseType(BRICK, ("6e4438", "7b5140"), ("b9ad98",), 3.2, (3, 4), 3.5, (1.8, 2.0, 0.8), (4, 4), FLAT,
              _SLATE, (3, 4), arch=1.0, surround=0.0, shop=0.2, cornice=0.5, courses=0.3),
    # pale classical house
    HouseType(STONE, ("d9d4c6", "cfcabb", "bfb6a2"), ("e4e0d4",), 2.8, (2, 3), 3.5, (1.15, 2.1, 0.7),
              (2, 4), FLAT, _SLATE, (3, 5), surround=0.24, balcony=(0.55, 0.45), shop=0.1, cornice=0.65,
              quoins=1.0, courses=1.0),
    # modern infill
    HouseType(PANEL, ("8f9a9c", "5e6468", "a8886b", "c4c6c2"), ("2e3134", "d5d7d6"), 3.1, (3, 5), 3.2,
              (2.2, 2.1, 0.5), (2, 1), FLAT, _SLATE, (3, 4, 5), surround=0.0, balcony=(0.5, 0.0, 0.5),
              shop=0.55, cornice=0.12),
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """One building's choices, shared by its facades."""

    house: int
    eaves: float
    roof: int
    roof_colour: Colour
    row: dict[str, float]


def choose(dice: Dice, house: int, shopping: float, texts: int) -> Style:
    """Dress a building of type ``house``; ``shopping`` scales how likely a shop is."""
    kind = TYPES[house]
    floors = kind.floors[0] + dice.pick("floors", kind.floors[1] - kind.floors[0] + 1)
    shop = dice.happens("shop", min(0.95, kind.shop * shopping))
    ground_kind = SHOP if shop else (HOME, HOME, HOME, ARCADE, GARAGE)[dice.pick("ground", 5)]
    if house == 1 and not shop:
        ground_kind = HOME
    ground_height = 3.9 if shop else kind.floor_height + (0.3 if ground_kind == HOME else 0.6)
    floor_height = kind.floor_height + 0.1 * dice.pick("floor", 3)
    eaves = ground_height + floors * floor_height + kind.cornice
    sign = ("1f3d2c", "5c1f1c", "18294a", "e6dfc8", "2a2a2a", "c79a2e", "7a2e52", "f2f2ee", "2e5f6b")
    sign_code = sign[dice.pick("sign", len(sign))]
    wall = linear(kind.walls[dice.pick("wall", len(kind.walls))])
    accent = linear(kind.accents[dice.pick("accent", len(kind.accents))])
    trim = linear(kind.trims[dice.pick("trim", len(kind.trims))])
    base = linear(("8b857a", "77736c", "a19a8b", "6a5f55")[dice.pick("base", 4)])
    row = {
        "eaves": eaves, "ground_height": ground_height, "floor_height": floor_height,
        "window_width": kind.window[0], "window_height": kind.window[1], "sill": kind.window[2],
        "arch": kind.arch, "panes_x": kind.panes[0], "panes_y": kind.panes[1], "surround": kind.surround,
        "shutters": float(dice.happens("shutters", kind.shutters)),
        "balcony": float(dice.weighted("balcony", kind.balcony)), "material": kind.material,
        "ground_kind": ground_kind, "text": dice.pick("text", texts),
        "letters": float(sum(linear(sign_code)) < 0.9),
        "awning": float(shop and dice.happens("awning", 0.45)),
        "cornice": kind.cornice, "quoins": float(dice.happens("quoins", kind.quoins)),
        "courses": float(dice.happens("courses", kind.courses)), "number": dice.pick("number", 1 << 20),
    }  # fmt: skip
    for name, colour in (("wall", wall), ("trim", trim), ("accent", accent), ("base", base)):
        row.update(zip((f"{name}_r", f"{name}_g", f"{name}_b"), colour, strict=True))
    row.update(zip(("sign_r", "sign_g", "sign_b"), linear(sign_code), strict=True))
    roof = kind.roof
    if roof == PITCHED and dice.happens("gable", 0.15):
        roof = GABLE
    return Style(house, eaves, roof, linear(kind.roofs[dice.pick("roof", len(kind.roofs))]), row)


def facade_row(style: Style, width: float, dice: Dice, *, blank: bool = False) -> NDArray[np.float64]:
    """One wall of a building, as numbers in the order of ``FIELDS``."""
    row = dict(style.row)
    row["width"] = width
    row["bays"] = max(1.0, round(width / TYPES[style.house].bay))
    row["door_bay"] = float(dice.pick("door", int(row["bays"])))
    if blank:
        row["ground_kind"] = BLANK
    return np.array([row[name] for name in FIELDS])
