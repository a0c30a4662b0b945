"""Facades, evaluated for each pixel from its place on the wall: masonry first, then what is set in it."""

from __future__ import annotations

import torch
from torch import Tensor

from landfall.datasets.city.canvas import Studio, WallPixels, colour, over
from landfall.datasets.city.font import LETTERS
from landfall.datasets.city.houses import ARCADE, BLANK, BRICK, GARAGE, HOME, PANEL, SHOP, STONE, TIMBER
from landfall.datasets.city.noise import band, centred, hash_unit, step
from landfall.datasets.city.shops import lettering, paint_doors, paint_shops
from landfall.datasets.city.windows import paint_balconies, paint_windows


def paint_facades(studio: Studio, px: WallPixels) -> tuple[Tensor, Tensor]:
    """Albedo and own light (3, n) of facade pixels."""
    albedo = masonry(studio, px)
    glow = torch.zeros_like(albedo)
    table = studio.facades
    kind = table.get("ground_kind", px.facade)
    upper = px.z >= table.get("ground_height", px.facade)
    glazed = (
        (kind != BLANK) & (upper | (kind == HOME) | (kind == GARAGE)) & (px.z < table.get("eaves", px.facade))
    )
    _set_in(studio, px, albedo, glow, glazed, paint_windows)
    _set_in(studio, px, albedo, glow, ~upper & (kind == SHOP), paint_shops)
    _set_in(
        studio, px, albedo, glow, ~upper & ((kind == HOME) | (kind == GARAGE) | (kind == ARCADE)), paint_doors
    )
    _set_in(
        studio,
        px,
        albedo,
        glow,
        upper & (table.get("balcony", px.facade) > 0) & (kind != BLANK),
        paint_balconies,
    )
    return albedo, glow


def _set_in(studio: Studio, px: WallPixels, albedo: Tensor, glow: Tensor, where: Tensor, painter) -> None:  # type: ignore[no-untyped-def]
    rows = torch.nonzero(where)[:, 0]
    if len(rows):
        painted = painter(studio, px.take(rows), albedo.index_select(1, rows), glow.index_select(1, rows))
        albedo.index_copy_(1, rows, painted[0])
        glow.index_copy_(1, rows, painted[1])


def masonry(studio: Studio, px: WallPixels) -> Tensor:
    """Brick, plaster, stone, timber or panels with cornice, courses, quoins and dirt: albedo (3, n)."""
    table, noise = studio.facades, studio.noise
    u, z, f = px.u, px.z, px.facade
    pixel = torch.maximum(px.pixel_u, px.pixel_z)
    material = table.get("material", f)
    number = table.get("number", f)
    wall, trim = table.colour("wall", f), table.colour("trim", f)
    eaves, width = table.get("eaves", f), table.get("width", f)
    ground_height = table.get("ground_height", f)

    is_brick, is_stone = material == BRICK, material == STONE
    unit_u = torch.where(is_brick, 0.25, torch.where(is_stone, 0.8, 3.0))
    unit_z = torch.where(is_brick, 0.078, torch.where(is_stone, 0.4, 3.2))
    course = torch.floor(z / unit_z)
    shifted = u / unit_u + 0.5 * (course - 2.0 * torch.floor(course / 2.0))
    grain = noise.white(shifted + number, course + number * 0.37) - 0.5
    fade = (1.4 - pixel / unit_z).clamp(0.0, 1.0)
    strength = torch.where(is_brick, 0.55, torch.where(is_stone, 0.16, 0.0)) * fade
    stain = noise.smooth_cloud(u * 5.0 + number, z * 3.0 + number * 0.7) - 0.5
    streak = noise.smooth_cloud(u * 26.0 + number, z * 1.1) - 0.5
    tone = 1.0 + strength * grain + 0.24 * stain + 0.12 * streak
    joint_z = band(centred(z, unit_z), 0.008, px.pixel_z)
    joint_u = band(centred(shifted + 0.5, 1.0) * unit_u, 0.007, px.pixel_u)
    joints = torch.maximum(joint_z, joint_u) * torch.where(is_brick | is_stone, 1.0, 0.0)
    albedo = wall * tone
    albedo = over(albedo, wall * torch.where(is_brick, 1.55, 0.62), joints * torch.where(is_brick, 0.5, 0.6))

    timber = torch.nonzero(material == TIMBER)[:, 0]
    if len(timber):
        albedo[:, timber] = over(albedo[:, timber], trim[:, timber], _timber(studio, px.take(timber)))
    panel = torch.nonzero(material == PANEL)[:, 0]
    if len(panel):
        part = px.take(panel)
        lines = band(
            centred(part.z - ground_height[panel], table.get("floor_height", part.facade)), 0.03, part.pixel_z
        )
        albedo[:, panel] = albedo[:, panel] * (1.0 - 0.5 * lines)

    street = table.get("ground_kind", f) != BLANK
    quoin = table.get("quoins", f) * street
    block = torch.floor(z / 0.42)
    long = torch.where(block - 2.0 * torch.floor(block / 2.0) > 0, 0.62, 0.4)
    from_edge = torch.minimum(u, width - u)
    albedo = over(albedo, trim * (1.0 - 0.3 * band(centred(z, 0.42), 0.02, px.pixel_z)),
                  quoin * step(long, from_edge, px.pixel_u))  # fmt: skip

    grooves = band(centred(z, 0.45), 0.022, px.pixel_z) * ((z < ground_height) & is_stone)
    albedo = albedo * (1.0 - 0.45 * grooves)
    courses = table.get("courses", f) * street
    above = z - ground_height
    albedo = over(albedo, trim, courses * band(above, 0.16, px.pixel_z))
    albedo = albedo * (1.0 - 0.4 * courses * band(above + 0.21, 0.05, px.pixel_z))

    cornice = table.get("cornice", f) * street
    under_eaves = eaves - z
    is_cornice = step(cornice, under_eaves, px.pixel_z) * (under_eaves > 0) * (cornice > 0)
    dentils = (
        (cornice > 0.3)
        * band(centred(u, 0.34), 0.085, px.pixel_u)
        * band(under_eaves - cornice * 0.8, 0.07, px.pixel_z)
    )
    albedo = over(albedo, trim * (1.05 - 0.5 * dentils), is_cornice)
    shade = (
        torch.exp(-(under_eaves - cornice).clamp(min=0.0) / 0.35) * (under_eaves > cornice) * (cornice > 0)
    )
    albedo = albedo * (1.0 - 0.42 * shade)
    albedo = over(
        albedo,
        table.colour("base", f),
        step(0.55 + 0.2 * (number - 4.0 * torch.floor(number / 4.0)), z, px.pixel_z) * street,
    )
    # a rain pipe where two houses meet, soot towards the street
    albedo = over(
        albedo, table.colour("base", f) * 0.5, band(u - 0.12, 0.05, px.pixel_u) * street * (material != PANEL)
    )
    dirt = torch.exp(-z / 0.5) * (0.25 + 0.5 * noise.cloud(u * 9.0 + number, z * 4.0))
    return albedo * (1.0 - 0.5 * dirt)


def _timber(studio: Studio, px: WallPixels) -> Tensor:
    """Cover of half-timbering: posts, rails and braces."""
    table = studio.facades
    bay = table.get("width", px.facade) / table.get("bays", px.facade)
    floor_height = table.get("floor_height", px.facade)
    height = px.z - table.get("ground_height", px.facade)
    floor = torch.floor(height / floor_height)
    posts = band(centred(px.u, bay / 2.0), 0.1, px.pixel_u)
    rails = band(centred(height, floor_height), 0.14, px.pixel_z)
    mid_rail = band(height - floor * floor_height - 0.8, 0.08, px.pixel_z)
    cell = torch.floor(px.u / (bay / 2.0))
    lean = hash_unit(
        cell.to(torch.int32), floor.to(torch.int32), table.get("number", px.facade).to(torch.int32)
    )
    place = px.u / (bay / 2.0) - cell
    place = torch.where(lean < 0.3, place, 1.0 - place)
    braces = band((height - floor * floor_height) - place * 0.8, 0.1, px.pixel_z + px.pixel_u) * (lean < 0.6)
    braces = braces * ((height - floor * floor_height) < 0.8)
    wood = torch.maximum(torch.maximum(posts, rails), torch.maximum(mid_rail, braces))
    return wood * (height > -0.15)


def paint_side_walls(studio: Studio, px: WallPixels) -> Tensor:
    """Party walls and gable ends: rendered or bare brick, some with a painted advert. Albedo (3, n)."""
    albedo = masonry(studio, px)
    table = studio.facades
    number = table.get("number", px.facade)
    mottled = studio.noise.smooth_cloud(px.u * 4.0 + number, px.z * 4.0)
    grey = albedo.mean(dim=0, keepdim=True)
    wall = (0.45 * albedo + 0.4 * grey) * (0.8 + 0.4 * mottled)
    width = table.get("width", px.facade)
    length = table.sign_lengths[table.get("text", px.facade).to(torch.int64)].to(width.dtype)
    size = torch.minimum(torch.full_like(width, 1.5), (width - 1.6) / (0.75 * length))
    bottom = table.get("eaves", px.facade) * 0.55
    advertised = (hash_unit(number.to(torch.int32), 12) < 0.45) & (width > 6.0)
    ground = band(px.u - width / 2, 0.375 * size * length + 0.35, px.pixel_u)
    ground = ground * band(px.z - bottom - size / 2, size * 0.75, px.pixel_z) * advertised
    faded = 0.45 + 0.5 * mottled
    wall = over(wall, table.colour("sign", px.facade), ground * faded)
    ink = lettering(studio, px, width / 2 - 0.375 * size * LETTERS, bottom, size)
    letters = torch.where(table.get("letters", px.facade) > 0, 0.7, 0.05) * colour(1.0, 0.96, 0.86, like=ink)
    return over(wall, letters, ink * ground * faded)
