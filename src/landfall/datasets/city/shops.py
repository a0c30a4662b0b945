"""Ground floors: shop fronts with signs and awnings, house doors, garage gates, arcades."""

from __future__ import annotations

import torch
from torch import Tensor

from landfall.datasets.city.canvas import WARM, Studio, WallPixels, colour, over
from landfall.datasets.city.font import LETTERS
from landfall.datasets.city.houses import ARCADE, GARAGE
from landfall.datasets.city.noise import band, centred, hash_unit, step
from landfall.datasets.city.windows import glass

FASCIA_M = (2.85, 3.55)
AWNING_M = (1.25, 2.75, 2.3)


def lettering(studio: Studio, px: WallPixels, left: Tensor, bottom: Tensor, size: Tensor) -> Tensor:
    """Coverage (n,) of the sign's text: letters ``size`` metres high, first one ``left`` of u = 0."""
    table = studio.facades
    text = table.get("text", px.facade).to(torch.int64)
    place = (px.u - left) / (0.75 * size)
    slot = torch.floor(place)
    up = (px.z - bottom) / size
    inside = (slot >= 0) & (slot < LETTERS) & (up > 0) & (up < 1)
    code = table.sign_codes[text, slot.clamp(0, LETTERS - 1).to(torch.int64)]
    rows, columns = table.letters.shape[1:]
    row = ((1.0 - up) * rows).clamp(0, rows - 1).to(torch.int64)
    column = ((place - slot) * columns).clamp(0, columns - 1).to(torch.int64)
    return table.letters[code, row, column] * inside


def paint_shops(studio: Studio, px: WallPixels, albedo: Tensor, glow: Tensor) -> tuple[Tensor, Tensor]:
    """A shop front: stall riser, show windows with wares, door, fascia with its sign, perhaps an awning."""
    table, f = studio.facades, px.facade
    width, number = table.get("width", f), table.get("number", f).to(torch.int32)
    sign, accent = table.colour("sign", f), table.colour("accent", f)
    lights = studio.light("lights", px.photo)
    pier = 0.35
    front = band(px.u - width / 2, width / 2 - pier, px.pixel_u) * (px.z < FASCIA_M[0])
    joinery = over(accent * torch.ones_like(px.u), sign * 0.8, (number % 3 == 0).to(px.u.dtype))
    albedo = over(albedo, joinery, front)

    lights_wide = (width - 2 * pier) / torch.round((width - 2 * pier) / 1.6).clamp(min=1.0)
    panel = torch.floor((px.u - pier) / lights_wide)
    local = px.u - pier - (panel + 0.5) * lights_wide
    count = torch.round((width - 2 * pier) / lights_wide)
    is_door = panel == torch.floor(count * table.get("door_bay", f) / table.get("bays", f))
    base = torch.where(is_door, 0.12, 0.55)
    half_x, half_z = lights_wide / 2 - 0.07, (2.55 - base) / 2
    pane = band(local, half_x, px.pixel_u) * band(px.z - base - half_z, half_z, px.pixel_z) * front
    transom = band(px.z - 2.1, 0.035, px.pixel_z)
    pane = pane * (1.0 - transom)

    depth = 0.8
    ware_u, ware_z = px.u + depth * px.slope_u, px.z + depth * px.slope_z
    shelf_m, item_m = 0.45 + 0.2 * hash_unit(number, 5), 0.34 + 0.3 * hash_unit(number, 6)
    shelf, item = torch.floor(ware_z / shelf_m), torch.floor(ware_u / item_m)
    luck = hash_unit(item.to(torch.int32), shelf.to(torch.int32), number)
    top = shelf_m * (0.35 + 0.5 * luck)
    filled = (ware_z - shelf * shelf_m < top) & (luck > 0.35) & (ware_z < 1.75) & (ware_z > 0.4)
    filled = filled & ((ware_u - (item + 0.5) * item_m).abs() < item_m * (0.2 + 0.25 * luck))
    # a shop sells one sort of thing: its wares share two colours
    hue = torch.where(luck > 0.7, hash_unit(number, 7), hash_unit(number, 8))
    goods = torch.stack([0.1 + 0.3 * hue, 0.1 + 0.22 * (hue * 3.7 % 1.0), 0.08 + 0.2 * (hue * 7.3 % 1.0)])
    goods = goods * (0.6 + 0.8 * luck)
    board = band(ware_z - shelf * shelf_m, 0.025, px.pixel_z) * (ware_z < 1.8) * 0.5
    back = colour(0.12, 0.1, 0.075, like=hue) * (0.35 + 0.3 * (ware_z / 2.6).clamp(0.0, 1.0))
    room = over(back * torch.ones_like(px.u), torch.full_like(albedo, 0.12), board)
    room = over(room, goods, filled.to(hue.dtype) * (0.85 - 0.5 * is_door))
    albedo = over(albedo, room * 0.6, pane)
    warm = colour(1.0, 0.78, 0.5, like=hue) * (0.1 + 2.6 * room + 0.25 * (px.z / 2.6).clamp(0.0, 1.0))
    open_late = lights * (hash_unit(number, 9) < 0.75)
    day = (1.0 - lights) * 0.08
    glow = over(
        glow,
        glass(studio, px, hash_unit(number, panel.to(torch.int32))) * 0.9 + warm * (open_late * 1.15 + day),
        pane,
    )

    fascia = band(px.z - sum(FASCIA_M) / 2, (FASCIA_M[1] - FASCIA_M[0]) / 2, px.pixel_z)
    fascia = fascia * band(px.u - width / 2, width / 2 - pier + 0.1, px.pixel_u)
    albedo = over(albedo, sign, fascia)
    glow = glow * (1.0 - fascia)
    length = table.sign_lengths[table.get("text", f).to(torch.int64)].to(width.dtype)
    size = torch.minimum(torch.full_like(width, 0.58), (width - 1.0) / (0.75 * length))
    left = width / 2 - 0.75 * size * LETTERS / 2
    ink = lettering(studio, px, left, 3.2 - size / 2, size)
    letters = torch.where(table.get("letters", f) > 0, 0.82, 0.03) * colour(1.0, 0.95, 0.82, like=ink)
    albedo = over(albedo, letters, ink * fascia)
    glow = over(glow, colour(1.0, 0.82, 0.5, like=ink) * lights, ink * fascia * table.get("letters", f))
    return _awning(studio, px, albedo, glow)


def _awning(studio: Studio, px: WallPixels, albedo: Tensor, glow: Tensor) -> tuple[Tensor, Tensor]:
    """A striped awning: a slanting plane from the wall outwards, and its hanging front."""
    table, f = studio.facades, px.facade
    out, high, low = AWNING_M
    width = table.get("width", f)
    fall = (high - low) / out
    # along the ray, s metres before the wall: z - s slope_z meets the plane high - fall s
    before = (high - px.z) / (fall - px.slope_z)
    top_u = px.u - before * px.slope_u
    sheet = (before > 0) & (before < out) & (top_u > 0.25) & (top_u < width - 0.25)
    front_z, front_u = px.z - out * px.slope_z, px.u - out * px.slope_u
    edge = low - 0.22 + 0.05 * torch.cos(front_u * 18.0)
    hanging = (front_z < low) & (front_z > edge) & (front_u > 0.25) & (front_u < width - 0.25)
    u = torch.where(hanging, front_u, top_u)
    stripe = step(torch.remainder(u, 0.5), 0.25, px.pixel_u)
    cloth = over(table.colour("accent", f) * 1.8 + 0.03, colour(0.75, 0.72, 0.64, like=u), stripe)
    from_below = sheet & ~hanging & (px.slope_z > -fall)
    cloth = cloth * torch.where(from_below, 0.45, 1.0)
    cloth = over(
        cloth, colour(0.85, 0.88, 0.93, like=u), studio.light("snow", px.photo) * (~from_below) * sheet
    )
    cover = (sheet | hanging).to(u.dtype) * table.get("awning", f)
    shadow = ((px.z < low) & (px.z > low - 1.0)).to(u.dtype) * table.get("awning", f) * 0.35
    albedo = albedo * (1.0 - shadow)
    return over(albedo, cloth, cover), glow * (1.0 - cover)


def paint_doors(studio: Studio, px: WallPixels, albedo: Tensor, glow: Tensor) -> tuple[Tensor, Tensor]:
    """The street door of a house, the gate of a garage, or arches with darkness behind."""
    table, f = studio.facades, px.facade
    kind = table.get("ground_kind", f)
    bays, width = table.get("bays", f), table.get("width", f)
    bay_width = width / bays
    garage, arcade = kind == GARAGE, kind == ARCADE
    bay = (px.u / bay_width).clamp(min=0.0).floor()
    chosen = torch.where(arcade, bay, table.get("door_bay", f))
    across = px.u - (chosen + 0.5) * bay_width
    half = torch.where(garage, torch.minimum(bay_width * 0.46, torch.full_like(width, 1.35)), 0.55)
    half = torch.where(arcade, bay_width * 0.36, half)
    ceiling = table.get("ground_height", f) - 0.35
    tall = torch.where(
        arcade, ceiling, torch.where(garage, 2.3, torch.minimum(ceiling, torch.full_like(ceiling, 2.75)))
    )
    round_top = torch.where(
        arcade, half * (1.0 - torch.sqrt((1.0 - (across / half).clamp(-1, 1) ** 2).clamp(min=0.0))), 0.0
    )
    depth = torch.where(arcade, 0.5, 0.2)
    trim, accent = table.colour("trim", f), table.colour("accent", f)
    around = (
        band(across, half + 0.16, px.pixel_u) * step(tall + 0.16 - round_top, px.z, px.pixel_z) * (~garage)
    )
    albedo = over(albedo, trim, around)
    hole = band(across, half, px.pixel_u) * step(tall - round_top, px.z, px.pixel_z)
    deep_x, deep_z = across + px.slope_u * depth, px.z + px.slope_z * depth
    leaf = band(deep_x, half, px.pixel_u) * step(tall - round_top, deep_z, px.pixel_z)
    albedo = over(albedo, trim * 0.6, hole)
    panels = band(centred(deep_x, half), half * 0.36, px.pixel_u) * band(
        centred(deep_z - 0.6, 0.9), 0.33, px.pixel_z
    )
    ribs = band(centred(deep_z, 0.28), 0.02, px.pixel_z)
    wood = accent * 1.3 * torch.where(garage, 1.0 - 0.4 * ribs, 1.0 - 0.35 * panels)
    light_above = (deep_z > 2.15) & ~garage & ~arcade
    gloom = torch.full_like(albedo, 0.02) + 0.05 * (1.0 - deep_z / 3.5).clamp(0.0, 1.0)
    behind = torch.where(light_above | arcade, gloom, wood)
    albedo = over(albedo, behind, hole * leaf)
    warm = (
        colour(*WARM, like=half)
        * studio.light("lights", px.photo)
        * torch.where(arcade, 0.1 * (px.z / ceiling).clamp(0.0, 1.0) ** 3, 0.5)
    )
    glow = over(glow, warm * (light_above | arcade), hole * leaf)
    step_cover = band(across, half + 0.25, px.pixel_u) * step(0.16, px.z, px.pixel_z) * (~garage)
    return over(albedo, table.colour("base", f) * 1.3, step_cover), glow * (1.0 - step_cover)
