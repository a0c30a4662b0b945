"""Integer hashes: where every random choice of the drawn city comes from.

A choice is a hash of what it is about (seed, building number, purpose), never the next
number of a stream. So the town and its photos do not depend on the order, the batch or the
process in which they are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def mix(*keys: ArrayLike) -> NDArray[np.uint32]:
    """Hash integer keys (broadcast against each other) to 32 bits.

    Multiply-xorshift with the constants of Wellons' "lowbias32" search, one round a key.
    """
    state = np.uint32(0x9E3779B9)
    value: Any = np.asarray(state)
    for key in keys:
        value = value ^ np.asarray(key, dtype=np.int64).astype(np.uint32)
        value = value ^ (value >> np.uint32(16))
        value = np.multiply(value, np.uint32(0x7FEB352D), dtype=np.uint32)
        value = value ^ (value >> np.uint32(15))
        value = np.multiply(value, np.uint32(0x846CA68B), dtype=np.uint32)
        value = value ^ (value >> np.uint32(16))
    return np.asarray(value, dtype=np.uint32)


def uniform(*keys: ArrayLike) -> NDArray[np.float64]:
    """Numbers in [0, 1), one for each combination of the broadcast keys."""
    return np.asarray((mix(*keys) >> np.uint32(8)).astype(np.float64) / 2**24)


class Dice:
    """Named choices about one thing: ``Dice(seed, 7).between("width", 4, 9)``.

    The same name gives the same answer however often and in whatever order it is asked.
    """

    def __init__(self, *keys: int) -> None:
        self._keys = keys

    def unit(self, name: str) -> float:
        """A number in [0, 1)."""
        # the same as uniform(*keys), in plain integers: a town asks many thousand times
        value = 0x9E3779B9
        for key in (*self._keys, name_key(name)):
            value ^= key & 0xFFFFFFFF
            value ^= value >> 16
            value = (value * 0x7FEB352D) & 0xFFFFFFFF
            value ^= value >> 15
            value = (value * 0x846CA68B) & 0xFFFFFFFF
            value ^= value >> 16
        return (value >> 8) / 2**24

    def between(self, name: str, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit(name)

    def pick(self, name: str, count: int) -> int:
        """An integer in [0, count)."""
        return int(self.unit(name) * count)

    def weighted(self, name: str, weights: tuple[float, ...]) -> int:
        """A position in ``weights``, as likely as its weight says."""
        edges = np.cumsum(weights)
        return int(np.searchsorted(edges, self.unit(name) * edges[-1], side="right"))

    def happens(self, name: str, probability: float) -> bool:
        """True with this probability."""
        return self.unit(name) < probability


def name_key(name: str) -> int:
    """A name as an integer key (FNV-1a; Python's own ``hash`` changes from run to run)."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value & 0x7FFFFFFF
