"""A batch of level canvases on which one sort of pixel after the other is painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from landfall.datasets.city.billboards import Billboards
from landfall.datasets.city.buildings import CHIMNEY, FACADE, TOWER
from landfall.datasets.city.canvas import Studio, WallPixels, over
from landfall.datasets.city.facades import paint_facades, paint_side_walls
from landfall.datasets.city.ground import GroundPixels, StreetMap, paint_ground
from landfall.datasets.city.lighting import Places, Sunlight, haze, illuminate
from landfall.datasets.city.raycast import FAR, Hits
from landfall.datasets.city.scene import Scene
from landfall.datasets.city.sky import paint_sky
from landfall.datasets.city.solids import (
    paint_car_sides,
    paint_car_tops,
    paint_chimneys,
    paint_roofs,
    paint_towers,
)

Where = tuple[Tensor, Tensor, Tensor]


@dataclass
class Stage:
    """Canvases (3, B, C, R) being painted, and what is known of their pixels.

    ground is the depth at which rays meet the street (B, 1, R); eye (B, 3) and forward (B, 2) are the
    cameras' places and level headings; needed (B, C, R) says which pixels will be seen.
    """

    studio: Studio
    sun: Sunlight
    scene: Scene
    buildings: Hits
    cars: Hits
    ground: Tensor
    eye: Tensor
    forward: Tensor
    across: Tensor
    slopes: Tensor
    needed: Tensor

    @cached_property
    def canvas(self) -> Tensor:
        """Linear light."""
        return torch.zeros(3, *self.needed.shape, device=self.eye.device)

    @cached_property
    def depth(self) -> Tensor:
        """Metres ahead of what each pixel shows, without sprites."""
        return torch.minimum(torch.minimum(self.buildings.depth, self.cars.depth), self.ground)

    def paint_everything(self, streets: StreetMap, billboards: Billboards) -> None:
        """Fill the canvas."""
        is_car = (self.cars.depth < self.buildings.depth) & (self.cars.depth < self.ground) & self.needed
        is_building = (
            (self.buildings.depth < self.ground) & (self.buildings.depth < FAR) & ~is_car & self.needed
        )
        is_sky = (self.depth >= FAR) & self.needed
        is_ground = ~(is_car | is_building | is_sky) & self.needed
        count = self.scene.buildings.walls.shape[1]
        self._sky(_where(is_sky))
        self._walls(_where(is_building & (self.buildings.piece < count)))
        self._roofs(_where(is_building & (self.buildings.piece >= count)), count)
        count = self.scene.cars.walls.shape[1]
        self._car_sides(_where(is_car & (self.cars.piece < count)))
        self._car_tops(_where(is_car & (self.cars.piece >= count)), count)
        self._ground(_where(is_ground), streets)
        billboards.paint(
            self.canvas, self.depth, self.scene.sprites, self.across, self.slopes, self.eye[:, 2],
            self.needed, self._light_sprites,
        )  # fmt: skip

    def _place(self, where: Where, depth: Tensor) -> Places:
        photo, column, row = where
        right = self.across[column] * depth
        fx, fy = self.forward[photo].T
        eye = self.eye[photo]
        return Places(photo, eye[:, 0] + right * fy + depth * fx, eye[:, 1] - right * fx + depth * fy,
                      eye[:, 2] + depth * self.slopes[row])  # fmt: skip

    def _world(self, photo: Tensor, right: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        fx, fy = self.forward[photo].T
        return right * fy + ahead * fx, ahead * fy - right * fx

    def _put(self, where: Where, depth: Tensor, light: Tensor) -> None:
        self.canvas[:, *where] = haze(self.studio.light, where[0], depth, light)

    @cached_property
    def _pixel(self) -> float:
        return float(self.slopes[1] - self.slopes[0])

    def _sky(self, where: Where) -> None:
        photo, column, row = where
        if not len(photo):
            return
        length = torch.sqrt(1.0 + self.across[column] ** 2)
        east, north = self._world(photo, self.across[column] / length, 1.0 / length)
        towards = self.sun.towards[photo].T
        self.canvas[:, *where] = paint_sky(
            self.studio, photo, east, north, self.slopes[row] / length, towards, self._pixel
        )

    def _wall_pixels(
        self, where: Where, depth: Tensor, rows: Tensor
    ) -> tuple[WallPixels, tuple[Tensor, Tensor]]:
        """Pixels on walls, and the walls' outward normals in world coordinates."""
        photo, column, row = where
        x, y, tx, ty, offset, sense = rows[:, :6].T
        a, e = self.across[column], self.slopes[row]
        u = offset + sense * ((a * depth - x) * tx + (depth - y) * ty)
        into = (tx - a * ty).clamp(min=1e-3)
        pixel = depth * self._pixel
        z = self.eye[photo, 2] + depth * e
        slope_u = sense * (a * tx + ty) / into
        px = WallPixels(photo, rows[:, 7].to(torch.int64), u, z, slope_u, e / into, pixel / into, pixel)
        return px, self._world(photo, ty, -tx)

    def _walls(self, where: Where) -> None:
        if not len(where[0]):
            return
        depth = self.buildings.depth[where]
        rows = self.scene.wall_rows[where[0], self.buildings.piece[where]]
        px, normal = self._wall_pixels(where, depth, rows)
        kind = rows[:, 6]
        albedo = torch.zeros(3, len(depth), device=depth.device)
        glow = torch.zeros_like(albedo)

        def fill(
            mask: Tensor, painter: Callable[[Studio, WallPixels], Tensor | tuple[Tensor, Tensor]]
        ) -> None:
            chosen = torch.nonzero(mask)[:, 0]
            if len(chosen):
                painted = painter(self.studio, px.take(chosen))
                if isinstance(painted, tuple):
                    albedo[:, chosen], glow[:, chosen] = painted
                else:
                    albedo[:, chosen] = painted

        fill(kind == FACADE, paint_facades)
        fill((kind != FACADE) & (kind != CHIMNEY) & (kind != TOWER), paint_side_walls)
        fill(kind == CHIMNEY, paint_chimneys)
        fill(kind == TOWER, paint_towers)
        light = illuminate(self.studio, self.sun, self._place(where, depth), albedo, (*normal, 0.0))
        self._put(where, depth, light + glow)

    def _roofs(self, where: Where, count: int) -> None:
        if not len(where[0]):
            return
        depth = self.buildings.depth[where]
        piece = self.buildings.piece[where] - count
        rows = self.scene.roof_rows[where[0], piece]
        plane = self.scene.buildings.planes[where[0], piece]
        place = self._place(where, depth)
        albedo = paint_roofs(self.studio, where[0], rows[:, 1:4].T, rows[:, 0], place.x, place.y, place.z,
                             depth * self._pixel)  # fmt: skip
        length = torch.sqrt(1.0 + plane[:, 0] ** 2 + plane[:, 1] ** 2)
        east, north = self._world(where[0], -plane[:, 0] / length, -plane[:, 1] / length)
        raised = Places(place.photo, place.x, place.y, place.z + 2.5)
        light = illuminate(self.studio, self.sun, raised, albedo, (east, north, 1.0 / length), push_m=1.5)
        self._put(where, depth, light)

    def _car_sides(self, where: Where) -> None:
        if not len(where[0]):
            return
        depth = self.cars.depth[where]
        rows = self.scene.car_wall_rows[where[0], self.cars.piece[where]]
        px, normal = self._wall_pixels(where, depth, rows)
        roof = (
            rows[:, 12]
            + rows[:, 13] * (px.u - rows[:, 4]) * torch.where(rows[:, 5] < 0, -1.0, 1.0) * rows[:, 5]
        )
        albedo, glow = paint_car_sides(self.studio, px, rows[:, 9:12].T, rows[:, 8], rows[:, 6], roof)
        light = illuminate(
            self.studio, self.sun, self._place(where, depth), albedo, (*normal, 0.0), push_m=0.9
        )
        self._put(where, depth, light + glow)

    def _car_tops(self, where: Where, count: int) -> None:
        if not len(where[0]):
            return
        depth = self.cars.depth[where]
        piece = self.cars.piece[where] - count
        rows = self.scene.car_roof_rows[where[0], piece]
        plane = self.scene.cars.planes[where[0], piece]
        albedo, glow = paint_car_tops(self.studio, where[0], rows[:, 1:4].T, rows[:, 4])
        length = torch.sqrt(1.0 + plane[:, 0] ** 2 + plane[:, 1] ** 2)
        east, north = self._world(where[0], -plane[:, 0] / length, -plane[:, 1] / length)
        place = self._place(where, depth)
        raised = Places(place.photo, place.x, place.y, place.z + 0.6)
        light = illuminate(self.studio, self.sun, raised, albedo, (east, north, 1.0 / length), push_m=0.0)
        self._put(where, depth, light + glow)

    def _ground(self, where: Where, streets: StreetMap) -> None:
        photo, column, row = where
        if not len(photo):
            return
        depth = self.ground[photo, 0, row]
        place = self._place(where, depth)
        across = depth * self._pixel
        px = GroundPixels(
            photo, place.x, place.y, self.forward[photo].T, across * depth / self.eye[photo, 2], across
        )
        albedo, mirror = paint_ground(self.studio, streets, px)
        zero = torch.zeros_like(depth)
        light = illuminate(self.studio, self.sun, place, albedo, (zero, zero, 1.0), push_m=0.0, sky_seen=0.95)
        if bool((mirror > 0).any()):
            # a level mirror shows what stands as far above the horizon as the pixel lies below it
            opposite = torch.searchsorted(self.slopes, -self.slopes[row]).clamp(max=len(self.slopes) - 1)
            image = self.canvas[:, photo, column, opposite]
            grazing = 0.08 + 0.92 * torch.exp(self.slopes[row] * 5.0)
            light = over(light, image, mirror * grazing * 0.75)
        self._put(where, depth, light)

    def _light_sprites(
        self, photo: Tensor, column: Tensor, row: Tensor, depth: Tensor, albedo: Tensor
    ) -> Tensor:
        place = self._place((photo, column, row), depth)
        zero = torch.zeros_like(depth)
        # crowns are no plates: they take the sun from all round, a little less below
        lit = illuminate(self.studio, self.sun, Places(photo, place.x, place.y, place.z + 1.0), albedo,
                         (zero, zero, 0.75), push_m=0.0)  # fmt: skip
        own = (albedo - 1.0).clamp(min=0.0)
        return haze(self.studio.light, photo, depth, lit + own * self.studio.light("lights", photo))


def _where(mask: Tensor) -> Where:
    photo, column, row = torch.nonzero(mask, as_tuple=True)
    return photo, column, row
