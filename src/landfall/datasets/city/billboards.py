"""Trees, people and lamps laid over the canvas, the far ones first."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landfall.datasets.city import stencils
from landfall.datasets.city.pixels import Pixels
from landfall.datasets.city.raycast import FAR

LAYERS = 7


class Billboards:
    """The stencils on a device, ready to be laid over canvases."""

    def __init__(self, device: torch.device) -> None:
        self._texels = torch.as_tensor(stencils.atlas()).to(device)
        self._starts = torch.tensor(stencils.level_starts(), device=device)

    def paint(
        self, canvas: Tensor, depth: Tensor, sprites: Tensor, across: Tensor, slopes: Tensor, eye: Tensor,
        needed: Tensor, shade: Callable[[Pixels, Tensor, Tensor], Tensor],
    ) -> None:  # fmt: skip
        """Lay sprites (B, S, 14) over canvas (3, B, C, R) where they are nearer than ``depth`` (B, C, R).

        Args:
            canvas: light, changed in place.
            depth: metres ahead of what the canvas shows.
            sprites: rows as in ``Scene``.
            across, slopes: the canvas's columns (C,) and rows (R,).
            eye: heights of the cameras above the ground (B,).
            needed: which pixels will be seen (B, C, R).
            shade: from pixels, their depth (n,) and tinted albedo (3, n) to light (3, n).
        """
        right, ahead, wide, tall = (sprites[:, None, :, i] for i in range(4))
        offset = across[None, :, None] * ahead - right
        met = (offset.abs() * 2 < wide) & (tall > 0)
        layers = min(LAYERS, sprites.shape[1])
        distance, order = torch.topk(torch.where(met, ahead, FAR), layers, dim=2, largest=False, sorted=True)
        for layer in reversed(range(layers)):
            near = distance[..., layer]
            photo, column = torch.nonzero(near < FAR / 2, as_tuple=True)
            if not len(photo):
                continue
            row_of = sprites[photo, order[photo, column, layer]]
            at = near[photo, column]
            foot = -eye[photo] / at
            top = foot + row_of[:, 3] / at
            visible = (
                (slopes >= foot[:, None]) & (slopes < top[:, None]) & (depth[photo, column] > at[:, None])
            )
            strip, row = torch.nonzero(visible & needed[photo, column], as_tuple=True)
            if not len(strip):
                continue
            item, t = row_of.index_select(0, strip), at.index_select(0, strip)
            flat = (photo * len(across) + column).index_select(0, strip) * len(slopes) + row
            where = Pixels.at(flat, (len(sprites), len(across), len(slopes)))
            x = (across.index_select(0, where.column) * t - item[:, 0]) / item[:, 2] + 0.5
            y = 1.0 - (slopes[row] - foot[strip]) / (top - foot)[strip]
            texel = self._sample(item[:, 4].to(torch.int64), x, y, item[:, 3] / t / (slopes[1] - slopes[0]))
            tint = item[:, 5:].reshape(-1, 3, 3)
            albedo = torch.einsum("nk,nkc->cn", texel[:, :3], tint)
            light = shade(where, t, albedo)
            under = canvas.view(3, -1).index_select(1, flat)
            canvas.view(3, -1).index_copy_(1, flat, under * (1.0 - texel[:, 3]) + light)

    def _sample(self, stencil: Tensor, x: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        """Texels (n, 4) of stencils shown ``rows`` samples high, from the level of detail that fits."""
        level = torch.log2(stencils.HEIGHT / rows).round().clamp(0, stencils.LEVELS - 1).to(torch.int64)
        height, width = stencils.HEIGHT >> level, stencils.WIDTH >> level
        row = torch.minimum((y.clamp(0, 1) * height).to(torch.int64), height - 1)
        column = torch.minimum((x.clamp(0, 1) * width).to(torch.int64), width - 1)
        texel = self._starts[level] + (stencil * height + row) * width + column
        return self._texels.index_select(0, texel)
