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
from landfall.datasets.city.pixels import Pixels, rows_of
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
        self._sky(Pixels.where(is_sky))
        self._walls(Pixels.where(is_building & (self.buildings.piece < count)))
        self._roofs(Pixels.where(is_building & (self.buildings.piece >= count)), count)
        count = self.scene.cars.walls.shape[1]
        self._car_sides(Pixels.where(is_car & (self.cars.piece < count)))
        self._car_tops(Pixels.where(is_car & (self.cars.piece >= count)), count)
        self._ground(Pixels.where(is_ground), streets)
        billboards.paint(
            self.canvas, self.depth, self.scene.sprites, self.across, self.slopes, self.eye[:, 2],
            self.needed, self._light_sprites,
        )  # fmt: skip

    def _place(self, where: Pixels, depth: Tensor) -> Places:
        right = self.across.index_select(0, where.column) * depth
        fx, fy = rows_of(self.forward, where.photo).T
        eye = rows_of(self.eye, where.photo)
        return Places(where.photo, eye[:, 0] + right * fy + depth * fx, eye[:, 1] - right * fx + depth * fy,
                      eye[:, 2] + depth * self.slopes.index_select(0, where.row))  # fmt: skip

    def _world(self, photo: Tensor, right: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        fx, fy = rows_of(self.forward, photo).T
        return right * fy + ahead * fx, ahead * fy - right * fx

    def _put(self, where: Pixels, depth: Tensor, light: Tensor) -> None:
        self._light_up(where, haze(self.studio.light, where.photo, depth, light))

    def _light_up(self, where: Pixels, light: Tensor) -> None:
        self.canvas.view(3, -1).index_copy_(1, where.flat, light)

    @cached_property
    def _pixel(self) -> float:
        return float(self.slopes[1] - self.slopes[0])

    def _sky(self, where: Pixels) -> None:
        if not len(where):
            return
        a = self.across.index_select(0, where.column)
        length = torch.sqrt(1.0 + a**2)
        east, north = self._world(where.photo, a / length, 1.0 / length)
        towards = rows_of(self.sun.towards, where.photo).T
        up = self.slopes.index_select(0, where.row) / length
        self._light_up(where, paint_sky(self.studio, where.photo, east, north, up, towards, self._pixel))

    def _wall_pixels(
        self, where: Pixels, depth: Tensor, rows: Tensor
    ) -> tuple[WallPixels, tuple[Tensor, Tensor]]:
        """Pixels on walls, and the walls' outward normals in world coordinates."""
        x, y, tx, ty, offset, sense = rows[:, :6].T
        a, e = self.across.index_select(0, where.column), self.slopes.index_select(0, where.row)
        u = offset + sense * ((a * depth - x) * tx + (depth - y) * ty)
        into = (tx - a * ty).clamp(min=1e-3)
        pixel = depth * self._pixel
        z = rows_of(self.eye, where.photo)[:, 2] + depth * e
        slope_u = sense * (a * tx + ty) / into
        px = WallPixels(where.photo, rows[:, 7].to(torch.int64), u, z, slope_u, e / into, pixel / into, pixel)
        return px, self._world(where.photo, ty, -tx)

    def _walls(self, where: Pixels) -> None:
        if not len(where):
            return
        depth = where.of(self.buildings.depth)
        rows = rows_of(self.scene.wall_rows, where.photo, where.of(self.buildings.piece))
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

    def _roofs(self, where: Pixels, count: int) -> None:
        if not len(where):
            return
        depth = where.of(self.buildings.depth)
        piece = where.of(self.buildings.piece) - count
        rows = rows_of(self.scene.roof_rows, where.photo, piece)
        plane = rows_of(self.scene.buildings.planes, where.photo, piece)
        place = self._place(where, depth)
        albedo = paint_roofs(self.studio, where.photo, rows[:, 1:4].T, rows[:, 0], place.x, place.y, place.z,
                             depth * self._pixel)  # fmt: skip
        length = torch.sqrt(1.0 + plane[:, 0] ** 2 + plane[:, 1] ** 2)
        east, north = self._world(where.photo, -plane[:, 0] / length, -plane[:, 1] / length)
        raised = Places(place.photo, place.x, place.y, place.z + 2.5)
        light = illuminate(self.studio, self.sun, raised, albedo, (east, north, 1.0 / length), push_m=1.5)
        self._put(where, depth, light)

    def _car_sides(self, where: Pixels) -> None:
        if not len(where):
            return
        depth = where.of(self.cars.depth)
        rows = rows_of(self.scene.car_wall_rows, where.photo, where.of(self.cars.piece))
        px, normal = self._wall_pixels(where, depth, rows)
        roof = rows[:, 12] + rows[:, 13] * rows[:, 5] * (px.u - rows[:, 4])
        albedo, glow = paint_car_sides(self.studio, px, rows[:, 9:12].T, rows[:, 8], rows[:, 6], roof)
        light = illuminate(
            self.studio, self.sun, self._place(where, depth), albedo, (*normal, 0.0), push_m=0.9
        )
        self._put(where, depth, light + glow)

    def _car_tops(self, where: Pixels, count: int) -> None:
        if not len(where):
            return
        depth = where.of(self.cars.depth)
        piece = where.of(self.cars.piece) - count
        rows = rows_of(self.scene.car_roof_rows, where.photo, piece)
        plane = rows_of(self.scene.cars.planes, where.photo, piece)
        albedo, glow = paint_car_tops(self.studio, where.photo, rows[:, 1:4].T, rows[:, 4])
        length = torch.sqrt(1.0 + plane[:, 0] ** 2 + plane[:, 1] ** 2)
        east, north = self._world(where.photo, -plane[:, 0] / length, -plane[:, 1] / length)
        place = self._place(where, depth)
        raised = Places(place.photo, place.x, place.y, place.z + 0.6)
        light = illuminate(self.studio, self.sun, raised, albedo, (east, north, 1.0 / length), push_m=0.0)
        self._put(where, depth, light + glow)

    def _ground(self, where: Pixels, streets: StreetMap) -> None:
        photo = where.photo
        if not len(where):
            return
        depth = where.of(self.ground.expand_as(self.needed))
        place = self._place(where, depth)
        across = depth * self._pixel
        px = GroundPixels(
            photo,
            place.x,
            place.y,
            rows_of(self.forward, photo).T,
            across * depth / rows_of(self.eye, photo)[:, 2],
            across,
        )
        albedo, mirror = paint_ground(self.studio, streets, px)
        zero = torch.zeros_like(depth)
        light = illuminate(self.studio, self.sun, place, albedo, (zero, zero, 1.0), push_m=0.0, sky_seen=0.95)
        if bool((mirror > 0).any()):
            # a level mirror shows what stands as far above the horizon as the pixel lies below it
            opposite = torch.searchsorted(self.slopes, -self.slopes).clamp(max=len(self.slopes) - 1)
            mirrored = where.flat + (opposite - torch.arange(len(opposite), device=depth.device))[where.row]
            image = self.canvas.view(3, -1).index_select(1, mirrored)
            grazing = 0.08 + 0.92 * torch.exp(self.slopes.index_select(0, where.row) * 5.0)
            light = over(light, image, mirror * grazing * 0.75)
        self._put(where, depth, light)

    def _light_sprites(self, where: Pixels, depth: Tensor, albedo: Tensor) -> Tensor:
        photo, place = where.photo, self._place(where, depth)
        zero = torch.zeros_like(depth)
        # crowns are no plates: they take the sun from all round, a little less below
        lit = illuminate(self.studio, self.sun, Places(photo, place.x, place.y, place.z + 1.0), albedo,
                         (zero, zero, 0.75), push_m=0.0)  # fmt: skip
        own = (albedo - 1.0).clamp(min=0.0)
        return haze(self.studio.light, photo, depth, lit + own * self.studio.light("lights", photo))
