"""The sky: gradient, sun, clouds, and the far skyline in the haze."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from landfall.datasets.city.canvas import WARM, Studio, colour, over
from landfall.datasets.city.noise import band, hash_unit, step


def paint_sky(
    studio: Studio, photo: Tensor, east: Tensor, north: Tensor, up: Tensor, sun: Tensor, pixel: Tensor | float
) -> Tensor:
    """Light (3, n) from directions whose level part has length 1 and that rise ``up``.

    Args:
        studio: light and noise.
        photo: which photo each pixel is of, (n,).
        east, north: the level direction.
        up: slope of the ray.
        sun: unit vectors towards the sun (3, n or 1).
        pixel: a sample's size as a slope.
    """
    light = studio.light
    length = torch.sqrt(1.0 + up * up)
    rise = (up / length).clamp(min=0.0)
    zenith, horizon = light("zenith", photo), light("horizon", photo)
    base = over(horizon * torch.ones_like(up), zenith, 1.0 - torch.exp(-3.2 * rise))
    towards = ((east * sun[0] + north * sun[1] + up * sun[2]) / length).clamp(min=0.0)
    glow = 0.5 * towards**24 + 0.22 * towards**5
    base = base + light("sun", photo) * glow * (1.0 - light("overcast", photo)) * 0.5

    flat = 1.0 / (rise + 0.11)
    shift = light("sun_azimuth_deg", photo)
    x, y = east * flat * 26.0 + shift, north * flat * 26.0 - shift
    thick = studio.noise.smooth_cloud(x, y)
    lit = studio.noise.smooth_cloud(x + sun[0] * 5.0, y + sun[1] * 5.0)
    cover = ((thick - (0.74 - 0.45 * light("clouds", photo))) * 4.0).clamp(0.0, 1.0)
    body = light("sun", photo) * 0.38 + light("sky_light", photo) * 0.52
    puff = body * (1.0 + 1.6 * (thick - lit)).clamp(0.55, 1.35)
    grey = horizon * (0.86 + 0.34 * (thick - 0.5))
    overcast = light("overcast", photo)
    cloudy = over(base, puff, cover * 0.92 * (rise * 9.0).clamp(0.0, 1.0) * (1.0 - overcast))
    sky = over(cloudy, over(grey, zenith * (1.0 + 0.3 * (thick - 0.5)), rise), overcast)
    return _skyline(studio, photo, east, north, up, sky, pixel)


def _skyline(
    studio: Studio, photo: Tensor, east: Tensor, north: Tensor, up: Tensor, sky: Tensor, pixel: Tensor | float
) -> Tensor:
    """Roofs and towers far off, paler than anything near, the same from everywhere in town."""
    angle = torch.atan2(east, north) / (2 * math.pi)
    size = torch.as_tensor(pixel, device=up.device)
    for far, cells, low, high in ((0.75, 90, 0.02, 0.075), (0.5, 160, 0.012, 0.045)):
        place = angle * cells
        cell = torch.floor(place)
        luck = hash_unit(cell.to(torch.int32), cells, 77)
        inside = place - cell
        height = low + (high - low) * luck**2
        peak = torch.where(luck > 0.93, 0.09 * (1.0 - (inside - 0.5).abs() * 9.0).clamp(min=0.0), 0.0)
        roof = torch.where(luck < 0.4, 0.012 * (1.0 - 2.0 * (inside - 0.5).abs()), 0.0)
        cover = step(height + peak + roof, up, size)
        tone = over(
            studio.light("sky_light", photo) * 0.2 * torch.ones_like(up),
            studio.light("horizon", photo),
            torch.full_like(up, far),
        )
        sky = over(sky, tone * (0.96 + 0.08 * luck), cover)
        row, column = torch.floor(up * 330.0), torch.floor(place * 8.0)
        lamp = hash_unit(row.to(torch.int32), column.to(torch.int32), 78) > 0.8
        spot = band(up * 330.0 - row - 0.5, 0.22, size * 330.0)
        sky = over(
            sky, colour(*WARM, like=up) * 0.55, cover * lamp * spot * studio.light("lights", photo) * 0.8
        )
    return sky
