"""Which wall or roof each pixel sees: the town as height profiles along vertical slices.

In a level frame every image column is a vertical plane. Along it a solid standing on the ground has a
height profile, and the first piece whose highest slope, seen from the camera, reaches a pixel's slope is what
the pixel sees. So pieces are sorted by depth once a column, their slopes accumulated with a running maximum,
and every pixel is found by bisection. Depth t is measured along the camera's heading.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FAR = 1e9
ROOF_EPSILON_M = 0.02


@dataclass(frozen=True)
class Solids:
    """Walls and roofs near B cameras, padded to one count; all relative to the camera, metres.

    walls (B, N, 6): x0, y0, x1, y1 as (right, ahead), top0, top1 above the camera's eye.
    edges (B, M, 4, 3): normal and offset of each roof's four sides; planes (B, M, 3): z = a x + b y + c.
    """

    walls: Tensor
    edges: Tensor
    planes: Tensor


@dataclass(frozen=True)
class Hits:
    """What every pixel sees of some solids.

    piece (B, C, R): position in walls, or N + position in roofs; -1 where nothing is met.
    depth (B, C, R): metres ahead; ``FAR`` where nothing is met. entry: where the piece begins in that column.
    """

    piece: Tensor
    depth: Tensor
    entry: Tensor


def meet_walls(walls: Tensor, across: Tensor) -> tuple[Tensor, Tensor]:
    """Depth and highest slope (B, C, N) of walls met by columns ``across`` (C,), x / y of their rays."""
    x0, y0, x1, y1, top0, top1 = (walls[:, None, :, i] for i in range(6))
    a = across[None, :, None]
    dx, dy = x1 - x0, y1 - y0
    share = (a * y0 - x0) / (dx - a * dy)
    depth = y0 + share * dy
    top = top0 + share * (top1 - top0)
    met = (share >= 0) & (share <= 1) & (depth > 0.05)
    return torch.where(met, depth, FAR), torch.where(met, top / depth, -FAR)


def meet_roofs(edges: Tensor, planes: Tensor, across: Tensor) -> tuple[Tensor, Tensor]:
    """Depth where columns enter roof pieces and the highest slope there, (B, C, M) each."""
    a = across[None, :, None]
    enter = torch.full((edges.shape[0], len(across), edges.shape[1]), 0.05, device=edges.device)
    leave = torch.full_like(enter, FAR)
    for side in range(4):
        k = edges[:, None, :, side, 0] * a + edges[:, None, :, side, 1]
        # a ray along a side stays on one side of it: for ever inside, or never
        k = torch.where(k == 0, 1e-12, k)
        limit = edges[:, None, :, side, 2] / k
        leave = torch.where(k > 0, torch.minimum(leave, limit), leave)
        enter = torch.where(k < 0, torch.maximum(enter, limit), enter)
    rise = planes[:, None, :, 0] * a + planes[:, None, :, 1]
    c = planes[:, None, :, 2]
    met = leave > enter
    slope = torch.maximum(rise + c / enter, rise + c / leave)
    return torch.where(met, enter + ROOF_EPSILON_M, FAR), torch.where(met, slope, -FAR)


def cast(solids: Solids, across: Tensor, slopes: Tensor, layers: int) -> Hits:
    """Find what pixels at columns ``across`` (C,) and slopes (R,), increasing, see.

    Args:
        solids: what stands near the cameras.
        across: x / y of each column's rays.
        slopes: z / y of each row's rays.
        layers: how many pieces, nearest first, a column may hold.
    """
    wall_depth, wall_slope = meet_walls(solids.walls, across)
    roof_depth, roof_slope = meet_roofs(solids.edges, solids.planes, across)
    depth = torch.cat([wall_depth, roof_depth], dim=2)
    slope = torch.cat([wall_slope, roof_slope], dim=2)
    layers = min(layers, depth.shape[2])
    depth, order = torch.topk(depth, layers, dim=2, largest=False, sorted=True)
    highest = torch.cummax(torch.gather(slope, 2, order), dim=2).values.contiguous()
    batch, columns, _ = depth.shape
    wanted = slopes.expand(batch, columns, -1).contiguous()
    layer = torch.searchsorted(highest, wanted)
    nothing = layer >= layers
    layer = layer.clamp(max=layers - 1)
    piece = torch.gather(order, 2, layer)
    entry = torch.gather(depth, 2, layer)
    nothing |= entry >= FAR / 2
    return Hits(piece.masked_fill(nothing, -1), _depth(solids, piece, entry, across, slopes, nothing), entry)


def _depth(
    solids: Solids, piece: Tensor, entry: Tensor, across: Tensor, slopes: Tensor, nothing: Tensor
) -> Tensor:
    count = solids.walls.shape[1]
    depth = torch.where(nothing, FAR, entry)
    b, c, r = torch.nonzero((piece >= count) & ~nothing, as_tuple=True)
    if len(b):
        plane = solids.planes[b, piece[b, c, r] - count]
        reach = plane[:, 2] / (slopes[r] - plane[:, 0] * across[c] - plane[:, 1])
        start = entry[b, c, r]
        ok = (reach >= start) & (reach < start + 60.0)
        depth[b, c, r] = torch.where(ok, reach, start)
    return depth
