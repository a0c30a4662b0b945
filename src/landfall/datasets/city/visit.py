"""The town as one pass finds it: its traffic, and where its sun throws shadows."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from landfall.datasets.city import furniture
from landfall.datasets.city.passes import PASSES
from landfall.datasets.city.town import CELL_M, HEIGHT_STEP_M, Town

_LONGEST_SHADOW_M = 90.0


class Visit:
    """Cars, people and shadows of pass number ``visit``."""

    def __init__(self, town: Town, visit: int) -> None:
        drive = PASSES[visit]
        self.town = town
        self.environment = drive.environment
        every = np.arange(len(town.plan.links))
        self.cars, self.people = furniture.traffic(town.plan, every, visit, drive.start.hour)

    @cached_property
    def car_tree(self) -> cKDTree:
        """Finds cars by their middle."""
        return cKDTree(self.cars.place)

    @cached_property
    def people_tree(self) -> cKDTree:
        """Finds people."""
        return cKDTree(self.people.place)

    @cached_property
    def solid(self) -> NDArray[np.uint8]:
        """Heights of buildings, parked cars and tree crowns, in steps of ``HEIGHT_STEP_M``."""
        grid = self.town.heights.copy()
        offsets = np.stack(np.meshgrid(np.arange(-1.75, 1.8, 0.5), (-0.6, 0.0, 0.6)), axis=-1).reshape(-1, 2)
        along = self.cars.along
        left = np.stack([-along[:, 1], along[:, 0]], axis=1)
        spots = self.cars.place[:, None] + offsets[:, :1] * along[:, None] + offsets[:, 1:] * left[:, None]
        self._raise(grid, spots.reshape(-1, 2), np.full(spots.size // 2, 1.2))
        trees = self.town.fixtures.kind <= furniture.CONIFER
        if not self.environment.bare and trees.any():
            place, tall = self.town.fixtures.place[trees], self.town.fixtures.height[trees]
            ring = np.array(
                [
                    (r * np.cos(t), r * np.sin(t))
                    for r in (0.0, 0.3, 0.6, 1.0, 1.4)
                    for t in np.arange(0, 6.28, 0.6)
                ]
            )
            spots = place[:, None] + ring * (tall / 6.5)[:, None, None]
            self._raise(grid, spots.reshape(-1, 2), np.repeat(tall * 0.85, len(ring)))
        return grid

    def _raise(
        self, grid: NDArray[np.uint8], spots: NDArray[np.float64], height: NDArray[np.float64]
    ) -> None:
        cell = ((spots - self.town.origin) / CELL_M).astype(int)
        inside = (cell >= 0).all(axis=1) & (cell[:, 0] < grid.shape[1]) & (cell[:, 1] < grid.shape[0])
        rows, columns = cell[inside, 1], cell[inside, 0]
        np.maximum.at(grid, (rows, columns), (height[inside] / HEIGHT_STEP_M).astype(np.uint8))

    def shadow_heights(self, device: torch.device) -> Tensor:
        """Below which height (metres, (rows, columns)) each cell lies in shadow; the ground's own cars count.

        The largest of ``height - distance * tan(elevation)`` towards the sun, doubled up: a shadow of 2n
        steps is the shadow of n steps or the same seen from n steps on.
        """
        heights = torch.as_tensor(self.solid, dtype=torch.float32).to(device) * HEIGHT_STEP_M
        east, north, up = self.environment.towards_sun
        flat = float(np.hypot(east, north))
        drop_per_m = up / flat
        shadow = heights
        reach = CELL_M
        while reach < _LONGEST_SHADOW_M:
            columns, rows = round(reach * east / flat / CELL_M), round(reach * north / flat / CELL_M)
            moved = torch.roll(shadow, (-rows, -columns), (0, 1)) - reach * drop_per_m
            shadow = torch.maximum(shadow, moved)
            reach *= 2.0
        # halves hold 30 m to a centimetre or two, and a large town's maps in memory
        return shadow.clamp(min=0.0).half()
