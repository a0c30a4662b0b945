"""Sun, shadow and sky light on whatever was painted."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landfall.datasets.city.canvas import Light, Studio, street_lamps
from landfall.datasets.city.pixels import rows_of
from landfall.datasets.city.town import CELL_M

PENUMBRA_M = 0.35


@dataclass(frozen=True)
class Places:
    """Where pixels lie in town, (n,) each: metres east, north and up, and which photo they are of."""

    photo: Tensor
    x: Tensor
    y: Tensor
    z: Tensor


@dataclass(frozen=True)
class Sunlight:
    """Shadow maps (V, rows, columns) of a batch's passes, each photo's map, directions (B, 3) to the sun."""

    maps: Tensor
    which: Tensor
    towards: Tensor
    origin: tuple[float, float]
    shining: bool

    def reaches(self, place: Places, push_x: Tensor | float, push_y: Tensor | float) -> Tensor:
        """How much of the sun is seen, 0 to 1, from places pushed a little out of their own walls."""
        if not self.shining:
            return torch.ones_like(place.x)
        column = ((place.x + push_x - self.origin[0]) / CELL_M - 0.5).clamp(0, self.maps.shape[2] - 1.001)
        row = ((place.y + push_y - self.origin[1]) / CELL_M - 0.5).clamp(0, self.maps.shape[1] - 1.001)
        c, r = column.to(torch.int64), row.to(torch.int64)
        fc, fr = column - c, row - r
        index = r * self.maps.shape[2] + c
        if len(self.maps) > 1:
            index = index + self.which.index_select(0, place.photo) * (
                self.maps.shape[1] * self.maps.shape[2]
            )
        flat, stride = self.maps.reshape(-1), self.maps.shape[2]
        low = torch.lerp(flat.index_select(0, index).float(), flat.index_select(0, index + 1).float(), fc)
        index = index + stride
        high = torch.lerp(flat.index_select(0, index).float(), flat.index_select(0, index + 1).float(), fc)
        return ((place.z - torch.lerp(low, high, fr)) / PENUMBRA_M + 0.5).clamp(0.0, 1.0)


def illuminate(
    studio: Studio, sun: Sunlight, place: Places, albedo: Tensor,
    normal: tuple[Tensor, Tensor, Tensor | float], push_m: float = 0.7, sky_seen: Tensor | float = 1.0,
) -> Tensor:  # fmt: skip
    """Light (3, n) leaving surfaces with this albedo (3, n) and outward unit normal (east, north, up)."""
    light: Light = studio.light
    towards = rows_of(sun.towards, place.photo).T
    facing = (normal[0] * towards[0] + normal[1] * towards[1] + normal[2] * towards[2]).clamp(min=0.0)
    lit = facing * sun.reaches(place, normal[0] * push_m, normal[1] * push_m)
    sky, beam = light("sky_light", place.photo), light("sun", place.photo)
    canyon = 0.66 + 0.34 * (place.z / 9.0).clamp(0.0, 1.0)
    bounce = beam * 0.11
    arriving = beam * lit + sky * (canyon * sky_seen) + bounce * sky_seen
    return albedo * (arriving + street_lamps(studio, place.photo, place.x, place.y, place.z))


def haze(light: Light, photo: Tensor, depth: Tensor, seen: Tensor) -> Tensor:
    """Light (3, n) after ``depth`` metres of air."""
    clear = torch.exp(-depth / light("haze_m", photo))
    air = light("horizon", photo) * 0.82
    return air + (seen - air) * clear
