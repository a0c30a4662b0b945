"""Roofs, chimneys, towers and cars: painted per pixel like the facades."""

from __future__ import annotations

import torch
from torch import Tensor

from landfall.datasets.city.canvas import Studio, WallPixels, colour, over
from landfall.datasets.city.noise import band, centred, hash_unit, step

# A car is its side profile drawn across its width: metres from the middle, metres high, bonnet ahead.
PROFILES = (
    ((-1.95, 0.55), (-1.9, 0.98), (-1.55, 1.42), (0.3, 1.47), (1.05, 0.98), (1.85, 0.8), (1.97, 0.5)),
    ((-2.2, 0.55), (-2.15, 0.95), (-1.35, 1.0), (-0.75, 1.4), (0.45, 1.43), (1.2, 0.96), (2.1, 0.8),
     (2.25, 0.5)),
    ((-2.35, 0.6), (-2.3, 1.9), (-2.2, 2.0), (1.2, 2.02), (1.85, 1.15), (2.3, 0.95), (2.38, 0.5)),
)  # fmt: skip
HALF_WIDTH_M = 0.87
CAR_COLOURS = (
    "a5a8ac",
    "2c2e33",
    "7d8288",
    "c9c8c4",
    "8a2320",
    "233a5e",
    "4b5a45",
    "a8977a",
    "5a6f80",
    "c9a13b",
)
_WHEEL_M = 0.31


def paint_roofs(
    studio: Studio, photo: Tensor, base: Tensor, kind: Tensor, x: Tensor, y: Tensor, z: Tensor, pixel: Tensor
) -> Tensor:
    """Albedo (3, n) of roof pixels at town coordinates: courses of tiles or slates, snow when it lies."""
    course = z / 0.17
    row = torch.floor(course)
    grain = studio.noise.white((x + y) * 4.0 + row * 0.5, row + (x - y) * 4.0) - 0.5
    patch = studio.noise.smooth_cloud(x * 3.0, (y + z) * 3.0) - 0.5
    line = band(centred(course, 1.0) * 0.17, 0.02, pixel) * (kind < 2)
    fade = (1.2 - pixel / 0.25).clamp(0.0, 1.0)
    albedo = base * (1.0 + 0.3 * grain * fade + 0.4 * patch) * (1.0 - 0.4 * line)
    snow = studio.light("snow", photo) * (0.93 + 0.5 * patch).clamp(0.0, 1.0)
    return over(albedo, colour(0.8, 0.83, 0.88, like=z), snow)


def paint_towers(studio: Studio, px: WallPixels) -> tuple[Tensor, Tensor]:
    """A church's ashlar with lancet windows: albedo and own light (3, n)."""
    joint = torch.maximum(
        band(centred(px.z, 0.5), 0.015, px.pixel_z), band(centred(px.u, 0.9), 0.012, px.pixel_u)
    )
    patch = studio.noise.smooth_cloud(px.u * 5.0, px.z * 3.0) - 0.5
    albedo = colour(0.4, 0.36, 0.29, like=px.u) * (1.0 + 0.45 * patch) * (1.0 - 0.3 * joint)
    across = centred(px.u - 1.5, 3.0)
    height = torch.remainder(px.z, 9.0)
    arch = 0.55 * (across / 0.5).clamp(-1, 1) ** 2
    lancet = (
        band(across, 0.5, px.pixel_u)
        * step(height, 2.4, px.pixel_z)
        * step(6.4 - arch * 1.6, height, px.pixel_z)
    )
    albedo = over(albedo, colour(0.03, 0.035, 0.045, like=px.u), lancet)
    glow = colour(0.5, 0.3, 0.12, like=px.u) * studio.light("lights", px.photo) * lancet * 0.6
    return albedo, glow


def paint_chimneys(studio: Studio, px: WallPixels) -> Tensor:
    """Brick stacks, darker towards the top. Albedo (3, n)."""
    grain = studio.noise.white(px.u * 4.0, px.z * 13.0)
    return colour(0.2, 0.1, 0.075, like=px.u) * (0.7 + 0.6 * grain)


def paint_car_sides(
    studio: Studio, px: WallPixels, paint: Tensor, kind: Tensor, end: Tensor, roof: Tensor
) -> tuple[Tensor, Tensor]:
    """Sides and ends of cars: u is metres ahead of the middle on sides, across on ends.

    Args:
        studio: light and noise.
        px: pixels; ``facade`` is the car's number.
        paint: the car's colour (3, n).
        kind: which profile.
        end: 0 a side, 1 the front, 2 the back.
        roof: height of the profile here.
    """
    side = end == 0
    albedo = paint * torch.ones_like(px.u)
    van = kind == 2
    belt = torch.where(van, 1.2, 0.95)
    glazing = step(px.z, belt, px.pixel_z) * step(roof - 0.1, px.z, px.pixel_z)
    pillar = band(centred(px.u - 0.25, 1.05), 0.05, px.pixel_u)
    glazing = glazing * torch.where(van & side, step(px.u, 0.35, px.pixel_u), 1.0) * (1.0 - pillar * side)
    glazing = glazing * torch.where(side, 1.0, band(px.u, 0.7, px.pixel_u))
    wheel_u = px.u.abs() - 1.28
    far = torch.hypot(wheel_u, px.z - _WHEEL_M)
    arch = step(0.39, far, px.pixel_u) * side
    tyre, hub = step(_WHEEL_M, far, px.pixel_u) * side, step(0.19, far, px.pixel_u) * side
    door = band(centred(px.u + 0.28, 1.05), 0.012, px.pixel_u) * side * (px.z < belt) * (px.u.abs() < 0.95)
    albedo = albedo * (1.0 - 0.5 * door) * (1.0 - 0.25 * band(px.z - belt + 0.04, 0.02, px.pixel_z))
    bumper = step(0.42, px.z, px.pixel_z)
    albedo = over(albedo, torch.full_like(albedo, 0.045), bumper * 0.8)
    albedo = over(albedo, torch.full_like(albedo, 0.02), glazing)
    lamp = (~side) * band(px.u.abs() - 0.62, 0.17, px.pixel_u) * band(px.z - 0.66, 0.08, px.pixel_z)
    front = end == 1
    lens = torch.where(front, colour(0.75, 0.75, 0.7, like=px.u), colour(0.45, 0.02, 0.02, like=px.u))
    albedo = over(albedo, lens, lamp)
    plate = (~side) * band(px.u, 0.26, px.pixel_u) * band(px.z - 0.45, 0.06, px.pixel_z)
    albedo = over(albedo, torch.full_like(albedo, 0.7), plate)
    albedo = over(albedo, torch.full_like(albedo, 0.012), arch)
    albedo = over(albedo, torch.full_like(albedo, 0.03), tyre)
    albedo = over(albedo, torch.full_like(albedo, 0.28), hub)
    under = step(0.2, px.z, px.pixel_z) * (1.0 - tyre)
    albedo = over(albedo, torch.full_like(albedo, 0.01), under)
    sky = studio.light("horizon", px.photo)
    glow = sky * (0.2 * glazing + 0.05 * (1.0 - glazing) * (1.0 - bumper) * step(px.z, 0.55, px.pixel_z))
    driven = studio.light("lights", px.photo) * (hash_unit(px.facade.to(torch.int32), 3) < 0.12)
    return albedo, glow * (1.0 - arch) + lens * 2.0 * lamp * driven


def paint_car_tops(studio: Studio, photo: Tensor, paint: Tensor, pane: Tensor) -> tuple[Tensor, Tensor]:
    """Bonnets, roofs and screens of cars; ``pane`` (n,) is 1 on glass. Albedo and own light (3, n)."""
    snow = studio.light("snow", photo) * 0.9
    albedo = over(paint, torch.full_like(paint, 0.02), pane)
    albedo = over(albedo, colour(0.8, 0.83, 0.88, like=pane), snow)
    mirror = studio.light("zenith", photo) * (0.1 + 0.16 * pane) + studio.light("horizon", photo) * 0.03
    return albedo, mirror * (1.0 - snow)
