"""A whole town as arrays, with the maps and trees that find what stands near a camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from landfall.datasets.city import font, furniture
from landfall.datasets.city.buildings import build
from landfall.datasets.city.plan import BUILT, Array, Plan, inset

CELL_M = 0.5
LAND_CELL_M = 2.0
HEIGHT_STEP_M = 0.25
MARGIN_M = 24.0
LINK_FIELDS = ("x", "y", "ux", "uy", "length", "half_road", "half_total", "kind", "stop_start", "stop_end")


@dataclass(frozen=True)
class Town:
    """Everything that stands still, whatever the season.

    walls (N, 6): x0, y0, x1, y1, top0, top1. roofs (M, 11): four corners, then z = a x + b y + c.
    facades (F, fields) as ``houses.FIELDS`` names them. links (L, 10) as ``LINK_FIELDS`` names them.
    """

    plan: Plan
    walls: Array
    wall_kinds: NDArray[np.int64]
    wall_facades: NDArray[np.int64]
    wall_offsets: Array
    roofs: Array
    roof_kinds: NDArray[np.int64]
    roof_colours: Array
    facades: Array
    links: Array
    fixtures: furniture.Sprites
    footprints: list[tuple[Array, float]]

    @cached_property
    def wall_tree(self) -> cKDTree:
        """Finds walls by the middle of their foot."""
        return cKDTree((self.walls[:, 0:2] + self.walls[:, 2:4]) / 2)

    @cached_property
    def roof_tree(self) -> cKDTree:
        """Finds roof pieces by the middle of their plan."""
        return cKDTree(self.roofs[:, :8].reshape(-1, 4, 2).mean(axis=1))

    @cached_property
    def fixture_tree(self) -> cKDTree:
        """Finds trees, lamps and the like."""
        return cKDTree(self.fixtures.place)

    @property
    def origin(self) -> Array:
        """The maps' corner (x, y) in metres."""
        return np.array([-MARGIN_M, -MARGIN_M])

    def _shape(self, cell: float) -> tuple[int, int]:
        depth, width = self.plan.depth_m + 2 * MARGIN_M, self.plan.width_m + 2 * MARGIN_M
        return int(np.ceil(depth / cell)), int(np.ceil(width / cell))

    @cached_property
    def heights(self) -> NDArray[np.uint8]:
        """Height of what is built, in steps of 0.25 m, (rows south to north, columns west to east)."""
        grid = np.zeros(self._shape(CELL_M), np.uint8)
        for corners, height in self.footprints:
            rows, columns, inside = self._cells(corners, CELL_M, grid.shape)
            patch = grid[rows, columns]
            np.maximum(patch, (inside * (height / HEIGHT_STEP_M)).astype(np.uint8), out=patch)
        return grid

    @cached_property
    def land(self) -> NDArray[np.uint8]:
        """The kind of block that lies at a place, in cells of 2 m; streets are drawn over it."""
        grid = np.zeros(self._shape(LAND_CELL_M), np.uint8)
        for block in self.plan.blocks:
            if block.kind == BUILT:
                continue
            wide = inset(block.polygon, np.full(len(block.polygon), 1.0))
            rows, columns, inside = self._cells(wide, LAND_CELL_M, grid.shape)
            grid[rows, columns][inside] = block.kind
        return grid

    @cached_property
    def link_map(self) -> NDArray[np.int32]:
        """The two nearest streets of every 2 m cell, (2, rows, columns)."""
        shape = self._shape(LAND_CELL_M)
        near = np.full((2, *shape), 1e6)
        which = np.zeros((2, *shape), np.int32)
        for number, link in enumerate(self.links):
            ends = np.array([link[:2], link[:2] + link[2:4] * link[4]])
            low = np.floor((ends.min(axis=0) - 30.0 - self.origin) / LAND_CELL_M).astype(int).clip(0)
            high = np.ceil((ends.max(axis=0) + 30.0 - self.origin) / LAND_CELL_M).astype(int)
            rows, columns = slice(low[1], min(high[1], shape[0])), slice(low[0], min(high[0], shape[1]))
            y, x = np.mgrid[rows, columns]
            px = (x + 0.5) * LAND_CELL_M + self.origin[0] - link[0]
            py = (y + 0.5) * LAND_CELL_M + self.origin[1] - link[1]
            along = np.clip(px * link[2] + py * link[3], 0.0, link[4])
            distance = np.hypot(px - along * link[2], py - along * link[3]) - link[5]
            first, second = near[0, rows, columns], near[1, rows, columns]
            is_first, is_second = distance < first, (distance >= first) & (distance < second)
            for values, new, old in (
                (near, distance, first.copy()),
                (which, number, which[0, rows, columns].copy()),
            ):
                runner = values[1, rows, columns]
                runner[...] = np.where(is_first, old, np.where(is_second, new, runner))
                leader = values[0, rows, columns]
                leader[...] = np.where(is_first, new, leader)
        return which

    def _cells(
        self, corners: Array, cell: float, shape: tuple[int, ...]
    ) -> tuple[slice, slice, NDArray[np.bool_]]:
        """The cells of a counter-clockwise polygon's bounding box, and which have their middle inside."""
        low = np.floor((corners.min(axis=0) - self.origin) / cell).astype(int).clip(0)
        high = np.ceil((corners.max(axis=0) - self.origin) / cell).astype(int).clip(0)
        rows, columns = slice(low[1], min(high[1], shape[0])), slice(low[0], min(high[0], shape[1]))
        y, x = np.mgrid[rows, columns]
        px, py = (x + 0.5) * cell + self.origin[0], (y + 0.5) * cell + self.origin[1]
        inside = np.ones(px.shape, bool)
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            inside &= (b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0]) >= 0
        return rows, columns, inside


def furnish(plan: Plan) -> Town:
    """Build and furnish a town on its plan."""
    pieces = build(plan.seed, plan.blocks, len(font.SIGNS))
    return Town(
        plan=plan,
        walls=np.array(pieces.walls),
        wall_kinds=np.array(pieces.wall_kinds),
        wall_facades=np.array(pieces.wall_facades),
        wall_offsets=np.array(pieces.wall_offsets),
        roofs=np.array(pieces.roofs),
        roof_kinds=np.array(pieces.roof_kinds),
        roof_colours=np.array(pieces.roof_colours),
        facades=np.array(pieces.facades),
        links=_link_table(plan),
        fixtures=furniture.fixtures(plan),
        footprints=pieces.footprints,
    )


def _link_table(plan: Plan) -> Array:
    rows = []
    for link in plan.links:
        unit = (link.end - link.start) / link.length
        rows.append((*link.start, *unit, link.length, link.half_road, link.half_total, link.kind,
                     link.stop_start, link.stop_end))  # fmt: skip
    return np.array(rows)
