"""The colours that stencils take: foliage by season, coats by person, plates by sign."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.city import furniture
from landfall.datasets.city.furniture import Sprites
from landfall.datasets.city.hashing import uniform
from landfall.datasets.city.houses import linear
from landfall.datasets.city.passes import Environment

Array = NDArray[np.float64]

_FIXED = {
    furniture.LAMP: ((0.03, 0.035, 0.035), (0.5, 0.52, 0.5), (2.4, 1.6, 0.8)),
    furniture.BIN: ((0.03, 0.06, 0.045), (0.1, 0.1, 0.1), (0.12, 0.13, 0.12)),
    furniture.BENCH: ((0.2, 0.1, 0.045), (0.1, 0.1, 0.1), (0.06, 0.06, 0.06)),
}
_PLATES = np.array([(0.45, 0.02, 0.025), (0.45, 0.02, 0.025), (0.02, 0.08, 0.35)])
_SKIN = np.array([(0.52, 0.3, 0.2), (0.3, 0.16, 0.1), (0.62, 0.38, 0.27), (0.12, 0.065, 0.045)])
_COATS = np.array([linear(code) for code in
                   ("2b2f3a", "8a2d2a", "3f5a3c", "c2a878", "5a4a6a", "1f1f22", "b7b2a8", "2f5d77", "b0672c",
                    "7a7d80")])  # fmt: skip
_BARK = (0.075, 0.055, 0.042)
_NEEDLES = np.array([(0.018, 0.045, 0.022), (0.05, 0.1, 0.045)])


def tints(sprites: Sprites, light: Environment) -> Array:
    """Three colours (N, 3, 3) in linear light for each sprite."""
    count = len(sprites.kind)
    out = np.zeros((count, 3, 3))
    out[:, 2] = _BARK
    vary = uniform(51, sprites.number, sprites.shape)
    tree, conifer = sprites.kind == furniture.TREE, sprites.kind == furniture.CONIFER
    mood = (0.8 + 0.4 * vary)[:, None] * np.stack([0.85 + 0.3 * vary, np.ones(count), np.ones(count)], axis=1)
    frost = light.snow * 0.35
    for place, leaf in enumerate((light.foliage, light.foliage_light)):
        out[tree, place] = (np.array(leaf) * mood)[tree]
        out[conifer, place] = _NEEDLES[place] * (1 - frost * place) + 0.75 * frost * place
    out[tree, 2] = np.array(_BARK) * (1 - frost) + 0.45 * frost
    for kind, colours in _FIXED.items():
        out[sprites.kind == kind] = colours
    sign = sprites.kind == furniture.SIGN
    out[sign] = ((0, 0, 0), (0.8, 0.8, 0.78), (0.16, 0.165, 0.17))
    out[sign, 0] = _PLATES[sprites.shape[sign]]
    person = sprites.kind == furniture.PERSON
    for place, palette in enumerate((_COATS, _COATS * 0.6, _SKIN)):
        choice = (uniform(52 + place, sprites.number) * len(palette)).astype(np.int64)
        out[person, place] = palette[choice[person]]
    return out
