"""The ground: carriageways with their markings, kerbs, pavements, parks; snow on it or puddles."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landfall.datasets.city.canvas import Studio, colour, over
from landfall.datasets.city.noise import band, centred, hash_unit, step
from landfall.datasets.city.plan import BUILT, COBBLED, MAIN, SQUARE
from landfall.datasets.city.town import LAND_CELL_M, LINK_FIELDS

_FIELD = {name: place for place, name in enumerate(LINK_FIELDS)}


@dataclass(frozen=True)
class StreetMap:
    """The town's streets on the device: links (10, L), the two nearest of each cell, kinds of land."""

    links: Tensor
    nearest: Tensor
    land: Tensor
    origin: tuple[float, float]

    def cells(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of the cell that holds each point; the map's edge for those outside."""
        row = ((y - self.origin[1]) / LAND_CELL_M).to(torch.int64).clamp(0, self.land.shape[0] - 1)
        column = ((x - self.origin[0]) / LAND_CELL_M).to(torch.int64).clamp(0, self.land.shape[1] - 1)
        return row, column


@dataclass(frozen=True)
class GroundPixels:
    """Ground pixels as columns (n,): place in town, and a sample's size ahead and across of the view.

    forward (2, n) is the camera's heading.
    """

    photo: Tensor
    x: Tensor
    y: Tensor
    forward: Tensor
    pixel_ahead: Tensor
    pixel_across: Tensor


@dataclass(frozen=True)
class _Along:
    """A place told by one street: metres along it, left of its middle, and that street's fields."""

    s: Tensor
    d: Tensor
    beyond: Tensor
    fields: Tensor

    def __getitem__(self, name: str) -> Tensor:
        return self.fields[_FIELD[name]]


def _along(streets: StreetMap, which: Tensor, x: Tensor, y: Tensor) -> _Along:
    fields = streets.links[:, which]
    dx, dy = x - fields[0], y - fields[1]
    s = dx * fields[2] + dy * fields[3]
    d = dy * fields[2] - dx * fields[3]
    past = torch.maximum(-s, s - fields[4]).clamp(min=0.0)
    return _Along(s, d, torch.sqrt(d * d + past * past), fields)


def paint_ground(studio: Studio, streets: StreetMap, px: GroundPixels) -> tuple[Tensor, Tensor]:
    """Albedo (3, n) and wetness (n,), how much of a mirror the ground is, of ground pixels."""
    row, column = streets.cells(px.x, px.y)
    first = _along(streets, streets.nearest[0, row, column], px.x, px.y)
    other = _along(streets, streets.nearest[1, row, column], px.x, px.y)
    to_road = _rounded(first.beyond - first["half_road"], other.beyond - other["half_road"], 3.0)
    to_line = torch.minimum(first.beyond - first["half_total"], other.beyond - other["half_total"])
    turned = (px.forward[0] * first["ux"] + px.forward[1] * first["uy"]).abs()
    across_view = torch.sqrt((1.0 - turned * turned).clamp(min=0.0))
    pixel_d = px.pixel_ahead * across_view + px.pixel_across * turned
    pixel_s = px.pixel_ahead * turned + px.pixel_across * across_view
    patch = studio.noise.smooth_cloud(px.x * 2.2, px.y * 2.2)
    fine = studio.noise.white(px.x * 22.0, px.y * 22.0) - 0.5
    fine = fine * (1.0 - px.pixel_ahead * 8.0).clamp(0.0, 1.0)

    road = _carriageway(studio, px, first, other, pixel_s, pixel_d, patch, fine)
    pavement = _pavement(first, pixel_s, pixel_d, patch, fine)
    land = _land(studio, streets.land[row, column], px, patch, fine)
    size = torch.maximum(pixel_d, pixel_s * 0.3)
    albedo = over(road, colour(0.42, 0.41, 0.39, like=patch), step(to_road, 0.0, size))
    albedo = over(albedo, pavement, step(to_road, 0.17, size))
    gutter = band(to_road + 0.12, 0.12, size)
    albedo = albedo * (1.0 - 0.35 * gutter)
    albedo = over(albedo, land, step(to_line, 0.0, size))
    albedo = albedo * (1.0 - 0.4 * torch.exp(-to_line.abs() / 0.35))
    if studio.light.has("snow"):
        albedo = _snow(studio, px, albedo, first, to_road, patch)
    wet = studio.light("wet", px.photo)
    puddle = ((patch - 0.5) * 6.0).clamp(0.0, 1.0)
    mirror = wet * (0.14 + 0.8 * puddle * (to_road < 0.0)) * (to_line < 0.0)
    return albedo * (1.0 - 0.5 * wet * (to_line < 0.0)), mirror


def _rounded(a: Tensor, b: Tensor, radius: float) -> Tensor:
    """The smaller of two distances, with corners rounded off as kerbs are."""
    mixed = ((radius - (a - b).abs()) / radius).clamp(min=0.0)
    return torch.minimum(a, b) - mixed * mixed * radius * 0.25


def _carriageway(
    studio: Studio, px: GroundPixels, first: _Along, other: _Along,
    pixel_s: Tensor, pixel_d: Tensor, patch: Tensor, fine: Tensor,
) -> Tensor:  # fmt: skip
    tone = 0.085 + 0.035 * (patch - 0.5) + 0.05 * fine
    mended = studio.noise.white(px.x / 7.0, px.y / 5.0)
    tone = tone * torch.where(mended > 0.86, 0.72, 1.0)
    asphalt = tone * colour(1.0, 1.0, 1.03, like=tone)
    setts_s = first.s / 0.14
    sett_row = torch.floor(setts_s)
    setts_d = first.d / 0.2 + 0.5 * torch.remainder(sett_row, 2.0)
    joint = torch.maximum(
        band(centred(setts_s, 1.0) * 0.14, 0.014, pixel_s), band(centred(setts_d, 1.0) * 0.2, 0.014, pixel_d)
    )
    grain = studio.noise.white(sett_row, torch.floor(setts_d))
    setts = (
        colour(0.2, 0.18, 0.16, like=tone) * (0.75 + 0.5 * grain + 0.3 * (patch - 0.5)) * (1.0 - 0.5 * joint)
    )
    cobbled = first["kind"] == COBBLED
    road = torch.where(cobbled, setts, asphalt)

    from_start, from_end = first.s - first["stop_start"], first["length"] - first["stop_end"] - first.s
    near = torch.where(from_start < from_end, from_start, from_end)
    crossed = torch.where(from_start < from_end, first["stop_start"], first["stop_end"]) > 0
    free = (other.beyond > other["half_road"]) & ~cobbled
    inside = (first.beyond < first["half_road"] - 0.1) & free
    worn = 0.62 + 0.5 * (patch - 0.5) + 0.5 * fine
    zebra = band(near - 2.6, 1.4, pixel_s) * band(centred(first.d - 0.45, 0.9), 0.24, pixel_d) * crossed
    lane_side = torch.where(from_start < from_end, first.d, -first.d)
    stop_line = band(near - 5.0, 0.18, pixel_s) * step(lane_side, 0.1, pixel_d) * crossed
    dash = (
        band(centred(first.s, 6.0), 1.5, pixel_s) * band(first.d, 0.06, pixel_d) * ((near > 6.0) | ~crossed)
    )
    main = first["kind"] == MAIN
    parking = band(first.d.abs() - first["half_road"] + 2.15, 0.05, pixel_d) * (near > 7.0)
    parking = parking * torch.where(main, 1.0, 0.0)
    paint = torch.maximum(torch.maximum(zebra, stop_line), torch.maximum(dash, parking)) * inside
    road = over(road, worn * colour(0.8, 0.8, 0.76, like=tone), paint * 0.9)
    cell = torch.floor(first.s / 13.0)
    luck = hash_unit(cell.to(torch.int32), first["length"].to(torch.int32))
    cover = torch.hypot(
        first.s - (cell + 0.2 + 0.6 * luck) * 13.0, first.d - (luck - 0.5) * first["half_road"]
    )
    return over(road, 0.6 * road + 0.01, band(cover, 0.36, pixel_s) * (luck < 0.7) * inside)


def _pavement(first: _Along, pixel_s: Tensor, pixel_d: Tensor, patch: Tensor, fine: Tensor) -> Tensor:
    slab = torch.where(first["kind"] == MAIN, 0.9, 0.6)
    joint = torch.maximum(
        band(centred(first.s, slab), 0.012, pixel_s), band(centred(first.d, slab), 0.012, pixel_d)
    )
    grain = hash_unit(
        torch.floor(first.s / slab).to(torch.int32), torch.floor(first.d / slab).to(torch.int32)
    )
    tone = 0.27 + 0.07 * (grain - 0.5) * (1.0 - pixel_s).clamp(0.0, 1.0) + 0.12 * (patch - 0.5) + 0.05 * fine
    return tone * (1.0 - 0.45 * joint) * colour(1.0, 0.97, 0.92, like=tone)


def _land(studio: Studio, kind: Tensor, px: GroundPixels, patch: Tensor, fine: Tensor) -> Tensor:
    grass = studio.light("grass", px.photo) * (0.75 + 0.7 * (patch - 0.3) + 0.5 * fine)
    diagonal, anti = px.x + px.y, px.x - px.y
    size = px.pixel_ahead
    joint = torch.maximum(band(centred(diagonal, 1.4), 0.02, size), band(centred(anti, 1.4), 0.02, size))
    flags = colour(0.36, 0.31, 0.26, like=patch) * (0.85 + 0.5 * (patch - 0.5)) * (1.0 - 0.4 * joint)
    yard = colour(0.2, 0.19, 0.17, like=patch) * (0.8 + 0.5 * patch)
    return torch.where(kind == SQUARE, flags, torch.where(kind == BUILT, yard, grass))


def _snow(
    studio: Studio, px: GroundPixels, albedo: Tensor, first: _Along, to_road: Tensor, patch: Tensor
) -> Tensor:
    ruts = band(centred(first.d.abs() - first["half_road"] * 0.45, 1.6), 0.3, px.pixel_across + 0.25)
    trodden = ((patch - 0.5) * 6.0).clamp(0.0, 1.0)
    on_road = 0.85 - 0.6 * ruts - 0.3 * trodden
    cover = torch.where(to_road < 0, on_road, 0.96 - 0.25 * trodden) * studio.light("snow", px.photo)
    return over(
        albedo, colour(0.76, 0.79, 0.84, like=patch) * (0.9 + 0.3 * (patch - 0.5)), cover.clamp(0.0, 1.0)
    )
