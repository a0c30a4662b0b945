"""Photos of a town: what each pixel sees, its paint, the light on it, and the camera's doing.

Everything is drawn on a level canvas (columns are vertical planes, see ``raycast``) at twice the photo's
resolution, then tilted and averaged down. Pixels are painted by sort - wall, roof, car, ground, sky - so
that each costs only what it shows. Light is linear until ``develop.expose``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landfall.datasets.city import font
from landfall.datasets.city.billboards import Billboards
from landfall.datasets.city.camera import HORIZONTAL_FIELD_DEG, View, focal_px, rotation
from landfall.datasets.city.canvas import Facades, Light, Studio
from landfall.datasets.city.develop import SUPERSAMPLING, expose, tilt
from landfall.datasets.city.ground import StreetMap
from landfall.datasets.city.lighting import Sunlight
from landfall.datasets.city.noise import Noise
from landfall.datasets.city.passes import PASSES
from landfall.datasets.city.raycast import FAR, cast
from landfall.datasets.city.scene import survey
from landfall.datasets.city.stage import Stage
from landfall.datasets.city.town import Town
from landfall.datasets.city.visit import Visit

MAX_PITCH_DEG = 9.0
MIN_PITCH_DEG = -1.5
MAX_ROLL_DEG = 2.5
BUILDING_LAYERS, CAR_LAYERS = 40, 24


class Renderer:
    """Draws photos of one town, ``height`` x ``width`` pixels, on one device.

    A photo depends on its view and the town alone: not on its batch, up to rounding.
    """

    def __init__(self, town: Town, *, height: int, width: int, device: str | torch.device = "cpu") -> None:
        self.town = town
        self.height, self.width = height, width
        self.device = torch.device(device)
        self._focal = focal_px(width) * SUPERSAMPLING
        self._visits: dict[int, Visit] = {}
        self._shadows: dict[int, Tensor] = {}
        self._noise = Noise(self.device)
        self._billboards = Billboards(self.device)
        self._facades = Facades(
            torch.as_tensor(town.facades.T.copy(), dtype=torch.float32).to(self.device),
            torch.as_tensor(font.glyphs()).to(self.device),
            torch.as_tensor(font.sign_codes()).to(self.device),
            torch.as_tensor(font.sign_lengths()).to(self.device),
        )

    @cached_property
    def _streets(self) -> StreetMap:
        links = torch.as_tensor(self.town.links.T.copy(), dtype=torch.float32).to(self.device)
        nearest = torch.as_tensor(self.town.link_map.astype(np.int64)).to(self.device)
        land = torch.as_tensor(self.town.land).to(self.device)
        return StreetMap(links, nearest, land, (float(self.town.origin[0]), float(self.town.origin[1])))

    @cached_property
    def across(self) -> Tensor:
        """Slopes of the canvas's columns, left to right."""
        half = math.tan(math.radians(HORIZONTAL_FIELD_DEG / 2)) * 1.16
        count = math.ceil(2 * half * self._focal)
        return (torch.arange(count, device=self.device) + 0.5 - count / 2) / self._focal

    @cached_property
    def slopes(self) -> Tensor:
        """Slopes of the canvas's rows, upwards."""
        field = math.atan(self.height / 2 / focal_px(self.width))
        lean = math.tan(math.radians(HORIZONTAL_FIELD_DEG / 2)) * math.tan(math.radians(MAX_ROLL_DEG))
        high = math.tan(field + math.radians(MAX_PITCH_DEG)) + lean * 1.3
        low = -math.tan(field - math.radians(MIN_PITCH_DEG)) - lean * 1.1
        count = math.ceil((high - low) * self._focal)
        return low + (torch.arange(count, device=self.device) + 0.5) / self._focal

    def prepare(self, visits: Collection[int]) -> None:
        """Make ready what all photos of these passes share, before several threads draw at once."""
        for visit in visits:
            self._shadow(visit)
            found = self._visit(visit)
            _ = found.people_tree, found.car_tree
        _ = self._streets, self.across, self.slopes
        _ = self.town.wall_tree, self.town.roof_tree, self.town.fixture_tree

    def draw(self, views: Sequence[View]) -> NDArray[np.uint8]:
        """Draw these views: photos (B, H, W, 3)."""
        with torch.inference_mode():
            stage = self._set(views)
            stage.paint_everything(self._streets, self._billboards)
            seen = tilt(
                stage.canvas.transpose(0, 1), views, self.across, self.slopes, self.height, self.width
            )
            return expose(seen, views).cpu().numpy()

    def _set(self, views: Sequence[View]) -> Stage:
        visits = {view.visit: self._visit(view.visit) for view in views}
        scene = survey(self.town, views, visits, float(self.across[-1]), self.device)
        buildings = cast(scene.buildings, self.across, self.slopes, BUILDING_LAYERS)
        cars = cast(scene.cars, self.across, self.slopes, CAR_LAYERS)
        eye = torch.tensor(
            [[view.x, view.y, view.z] for view in views], dtype=torch.float32, device=self.device
        )
        forward = torch.tensor([view.forward for view in views], dtype=torch.float32, device=self.device)
        ground = torch.where(self.slopes < 0, eye[:, 2:] / -self.slopes, FAR)[:, None, :]
        light = Light(
            torch.tensor([PASSES[view.visit].environment.row() for view in views], device=self.device)
        )
        return Stage(
            studio=Studio(light, self._facades, self._noise), sun=self._sun(views), scene=scene,
            buildings=buildings, cars=cars, ground=ground, eye=eye, forward=forward, across=self.across,
            slopes=self.slopes, needed=self._needed(views),
        )  # fmt: skip

    def _visit(self, visit: int) -> Visit:
        if visit not in self._visits:
            self._visits[visit] = Visit(self.town, visit)
        return self._visits[visit]

    def _shadow(self, visit: int) -> Tensor:
        if visit not in self._shadows:
            self._shadows[visit] = self._visit(visit).shadow_heights(self.device)
        return self._shadows[visit]

    def _sun(self, views: Sequence[View]) -> Sunlight:
        used = sorted({view.visit for view in views})
        shining = any(max(PASSES[visit].environment.sun) > 0.0 for visit in used)
        shadows = [self._shadow(visit) for visit in used]
        maps = shadows[0][None] if len(used) == 1 else torch.stack(shadows)
        which = torch.tensor([used.index(view.visit) for view in views], device=self.device)
        towards = torch.tensor(
            [PASSES[view.visit].environment.towards_sun for view in views], device=self.device
        )
        return Sunlight(
            maps, which, towards, (float(self.town.origin[0]), float(self.town.origin[1])), shining
        )

    def _needed(self, views: Sequence[View]) -> Tensor:
        """Which canvas pixels (B, C, R) the tilted photos look at."""
        a, e = self.across[:, None], self.slopes[None]
        focal = self._focal / SUPERSAMPLING
        masks = []
        for view in views:
            turn = rotation(view.pitch_deg, view.roll_deg).T.tolist()
            x, y, z = (turn[i][0] * a + turn[i][1] + turn[i][2] * e for i in range(3))
            masks.append(
                (x.abs() * focal < (self.width / 2 + 2) * z) & (y.abs() * focal < (self.height / 2 + 2) * z)
            )
        return torch.stack(masks)
