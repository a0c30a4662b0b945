"""A street whose descriptors are like those of a model that confuses places now and then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.geo import Positions

DIM = 32


@dataclass(frozen=True, eq=False)
class World:
    """``count`` spots ``step_m`` apart along a street, each with ``views`` photos.

    A photo's descriptor is its neighbourhood's (it changes smoothly along the street) and noise of its own,
    by which some photos are mistaken for others far away.
    """

    positions: Positions
    descriptors: NDArray[np.float32]
    taken_s: NDArray[np.float64]
    base: NDArray[np.float64]
    noise: float

    @property
    def heading_deg(self) -> NDArray[np.float64]:
        return np.full(len(self.positions), np.nan)

    def take(self, kept: NDArray[np.bool_]) -> World:
        """Return the street with some photos only."""
        return World(
            self.positions.take(kept), self.descriptors[kept], self.taken_s[kept], self.base, self.noise
        )

    def look(self, east_m: NDArray[np.float64], seed: int) -> NDArray[np.float32]:
        """Return descriptors of photos taken anywhere on the street."""
        rng = np.random.default_rng(seed)
        place = np.clip(east_m / 10.0, 0.0, len(self.base) - 1.001)
        low = place.astype(np.int64)
        share = (place - low)[:, None]
        clean = self.base[low] * (1 - share) + self.base[low + 1] * share
        noise = rng.gamma(1.5, self.noise / 1.5, size=(len(east_m), 1))
        mixed = clean + noise * rng.standard_normal(clean.shape)
        return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def make_world(
    count: int = 300, *, step_m: float = 8.0, views: int = 2, noise: float = 0.55, seed: int = 0
) -> World:
    rng = np.random.default_rng(seed)
    length = int(count * step_m / 10.0) + 3
    # A random walk that forgets within some 30 m, so that neighbours look alike and others don't.
    base = rng.standard_normal((length, DIM))
    for i in range(1, length):
        base[i] = 0.75 * base[i - 1] + np.sqrt(1 - 0.75**2) * base[i]
    empty = World(
        Positions.planar(np.zeros(1), np.zeros(1)),
        np.zeros((1, DIM), np.float32),
        np.full(1, np.nan),
        base,
        noise,
    )
    east = np.repeat(np.arange(count) * step_m, views)
    return World(
        Positions.planar(east, np.zeros(len(east))),
        empty.look(east, seed + 1),
        np.full(len(east), np.nan),
        base,
        noise,
    )
