"""Windows with reveals, panes, curtains, shutters and light behind them; balconies before them."""

from __future__ import annotations

import torch
from torch import Tensor

from landfall.datasets.city.canvas import WARM, Studio, WallPixels, colour, over
from landfall.datasets.city.houses import GARAGE, HOME
from landfall.datasets.city.noise import band, centred, hash_unit, step

RECESS_M = 0.17
BALCONY_M = 0.75
SLAB_M = 0.16


def glass(studio: Studio, px: WallPixels, tilt: Tensor) -> Tensor:
    """Light (3, n) that a pane throws back: sky when looked up at, the street's far side otherwise."""
    up = (px.slope_z * 1.6 + 0.1 + 0.35 * (tilt - 0.5)).clamp(0.0, 1.0)
    sky = studio.light("horizon", px.photo) * (1 - up) + studio.light("zenith", px.photo) * up
    street = studio.light("sky_light", px.photo) * colour(0.2, 0.18, 0.16, like=up)
    seen = over(street * torch.ones_like(up), sky, ((px.slope_z - 0.1) * 3.0 + tilt - 0.5).clamp(0.0, 1.0))
    grazing = px.slope_u.abs() / (1.0 + px.slope_u.abs())
    return seen * (0.16 + 0.5 * grazing * grazing + 0.18 * tilt)


def paint_windows(studio: Studio, px: WallPixels, albedo: Tensor, glow: Tensor) -> tuple[Tensor, Tensor]:
    """Set windows into wall pixels; on the ground floor the door's bay is left free."""
    table, f = studio.facades, px.facade
    ground_height, floor_height = table.get("ground_height", f), table.get("floor_height", f)
    above = px.z - ground_height
    floor = torch.floor(above / floor_height)
    low = floor < 0
    height = torch.where(low, px.z - 0.55, above - floor * floor_height)
    bays = table.get("bays", f)
    bay_width = table.get("width", f) / bays
    bay = torch.minimum((px.u / bay_width).clamp(min=0.0).floor(), bays - 1)
    across = px.u - (bay + 0.5) * bay_width
    half = torch.minimum(table.get("window_width", f) / 2, bay_width * 0.42)
    sill, tall = table.get("sill", f), table.get("window_height", f)
    tall = torch.where(low, torch.minimum(tall, ground_height - 0.8 - sill), tall)
    arch = table.get("arch", f)
    ground_kind = table.get("ground_kind", f)
    wanted = ~(low & ((bay == table.get("door_bay", f)) | ((ground_kind != HOME) & (ground_kind != GARAGE))))

    def opening(x: Tensor, y: Tensor, grow: Tensor | float, grow_top: Tensor | float) -> Tensor:
        crown = arch * half * 0.45 * (x / (half + grow)).clamp(-1.0, 1.0) ** 2
        middle = sill + (tall + grow_top) / 2
        inside_z = band(y + crown / 2 - middle, (tall + grow_top) / 2 - crown / 2, px.pixel_z)
        return band(x, half + grow, px.pixel_u) * inside_z * wanted

    trim = table.colour("trim", f)
    surround = table.get("surround", f)
    frame_cover = opening(across, height, surround, surround) * (surround > 0.01)
    albedo = over(albedo, trim, frame_cover)
    ledge = (
        band(height - sill + 0.06, 0.06, px.pixel_z)
        * band(across, half + surround + 0.06, px.pixel_u)
        * wanted
    )
    albedo = over(albedo, trim * 1.05, ledge)
    if studio.light.has("snow"):
        drift = (
            band(height - sill - 0.03, 0.05, px.pixel_z) * band(across, half + surround, px.pixel_u) * wanted
        )
        albedo = over(
            albedo, colour(0.85, 0.88, 0.93, like=half), studio.light("snow", px.photo) * 0.9 * drift
        )
    below = torch.exp(-(sill - 0.12 - height).clamp(min=0.0) / 0.25) * (height < sill - 0.12) * wanted
    albedo = albedo * (1.0 - 0.3 * below * band(across, half + surround, px.pixel_u))

    shutter = (
        band(across.abs() - half * 1.55 - surround, half * 0.5, px.pixel_u)
        * wanted
        * table.get("shutters", f)
    )
    shutter = shutter * band(height - sill - tall / 2, tall / 2, px.pixel_z) * (~low)
    slats = 1.0 - 0.35 * band(centred(height, 0.11), 0.03, px.pixel_z)
    albedo = over(albedo, table.colour("accent", f) * 1.4 * slats, shutter)

    hole = opening(across, height, 0.0, 0.0)
    deep_x, deep_z = across + px.slope_u * RECESS_M, height + px.slope_z * RECESS_M
    pane = opening(deep_x, deep_z, 0.0, 0.0)
    reveal = albedo * torch.where(deep_z > sill + tall - 0.05, 0.45, 0.7)
    albedo = albedo + (reveal - albedo) * hole

    key = (table.get("number", f).to(torch.int32), floor.to(torch.int32), bay.to(torch.int32))
    luck, mood = hash_unit(*key, 1), hash_unit(*key, 2)
    side = deep_x / half
    top = (sill + tall - deep_z) / tall
    curtain = (luck < 0.45) * (side.abs() > 0.5 + 0.3 * mood) + (luck > 0.72) * (top < mood * 0.75)
    curtain = (curtain + (luck > 0.45) * (luck < 0.56) * (top > 0.55)).clamp(max=1.0)
    cloth = colour(0.5, 0.47, 0.42, like=half) * (0.7 + 0.4 * mood) * (0.85 + 0.15 * torch.cos(deep_x * 60.0))
    room = over(torch.full_like(albedo, 0.025), cloth, curtain * 0.8)

    bright = studio.light("lights", px.photo) * (hash_unit(*key, 3) < 0.42)
    lamp = colour(*WARM, like=half) * (0.35 + 0.6 * mood) * (0.65 + 0.5 * (1.0 - top))
    lit = lamp * bright * (1.0 - 0.45 * curtain)
    inside = glass(studio, px, hash_unit(*key, 4)) + lit

    panes_x, panes_y = table.get("panes_x", f), table.get("panes_y", f)
    bars = band(centred(deep_x + half, 2 * half / panes_x), 0.03, px.pixel_u)
    bars = torch.maximum(bars, band(centred(deep_z - sill, tall / panes_y), 0.028, px.pixel_z))
    edge = 1.0 - band(deep_x, half - 0.07, px.pixel_u) * band(
        deep_z - sill - tall / 2, tall / 2 - 0.07, px.pixel_z
    )
    bars = torch.maximum(bars, edge)
    seen = hole * pane
    albedo = over(albedo, over(room, trim * 0.9, bars), seen)
    glow = over(glow, inside * (1.0 - bars), seen)
    return albedo, glow


def paint_balconies(studio: Studio, px: WallPixels, albedo: Tensor, glow: Tensor) -> tuple[Tensor, Tensor]:
    """Iron balconies that stand out from the wall, seen where the ray crosses their railing or slab."""
    table, f = studio.facades, px.facade
    mode = table.get("balcony", f)
    floor_height, bays = table.get("floor_height", f), table.get("bays", f)
    bay_width = table.get("width", f) / bays
    above = px.z - table.get("ground_height", f)
    rail_z, rail_u = above - BALCONY_M * px.slope_z, px.u - BALCONY_M * px.slope_u
    floor = torch.floor((rail_z + SLAB_M) / floor_height)
    local = rail_z - floor * floor_height
    floors = torch.round((table.get("eaves", f) - table.get("ground_height", f)) / floor_height)

    def has(level: Tensor, u: Tensor) -> Tensor:
        bay = (u / bay_width).floor()
        odd = (bay - 2.0 * torch.floor(bay / 2.0)) > 0
        one = (mode == 1) & (level == 0) & (bay == table.get("door_bay", f))
        some = (mode == 2) & (odd | (bays < 3))
        long = (mode == 3) & ((level == 1) | (level == floors - 1))
        offset = (u - (bay + 0.5) * bay_width).abs()
        narrow = (one | some) & (offset < bay_width * 0.44)
        on_wall = (u > 0.15) & (u < table.get("width", f) - 0.15)
        return (narrow | (long & on_wall)) & (level >= 0) & (level < floors)

    here = has(floor, rail_u)
    wall_floor = torch.floor((above + SLAB_M) / floor_height)
    under = (above - wall_floor * floor_height > -SLAB_M) & (rail_z < wall_floor * floor_height - SLAB_M)
    under = under & has(wall_floor, px.u - 0.4 * BALCONY_M * px.slope_u) & (px.slope_z > 0)
    albedo = over(albedo, colour(0.1, 0.095, 0.09, like=mode), under.to(mode.dtype))
    glow = glow * (~under)
    shade = torch.exp(-((wall_floor + 1) * floor_height - SLAB_M - above).clamp(min=0.0) / 0.5)
    albedo = albedo * (1.0 - 0.5 * shade * has(wall_floor + 1, px.u))
    slab = here & (local < 0)
    albedo = over(albedo, table.colour("trim", f) * 0.9, slab.to(mode.dtype))
    glow = glow * (~slab)
    iron = band(centred(rail_u, 0.13), 0.016, px.pixel_u)
    iron = torch.maximum(iron, band(local - 0.97, 0.035, px.pixel_z))
    iron = torch.maximum(iron, band(local - 0.12, 0.02, px.pixel_z))
    iron = torch.maximum(iron, 0.6 * band(torch.remainder(rail_u, 0.26) - 0.13, 0.09, px.pixel_u)
                         * band(local - 0.55, 0.1, px.pixel_z))  # fmt: skip
    solid = (table.get("material", f) == 4) | (table.get("material", f) == 0) & (mode == 2)
    iron = torch.where(solid & (local < 0.95), 0.85, iron)
    tone = torch.where(solid, 0.3, 0.02)
    railing = iron * here * (local >= 0) * step(1.0, local, px.pixel_z)
    albedo = over(albedo, tone * colour(1.0, 1.0, 1.04, like=mode), railing)
    return albedo, glow * (1.0 - railing)
