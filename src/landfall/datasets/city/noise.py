"""Noise and soft edges that the painters of facades, ground and sky share."""

from __future__ import annotations

import torch
from torch import Tensor

from landfall.datasets.city.hashing import uniform

SIZE = 512


def hash_unit(*keys: Tensor | int) -> Tensor:
    """Hash integer tensors to [0, 1), as ``hashing.uniform`` does in kind, in 32-bit arithmetic."""
    tensors = [key for key in keys if isinstance(key, Tensor)]
    value = torch.full_like(tensors[0], -1640531527, dtype=torch.int32)
    for key in keys:
        value = value ^ (key.to(torch.int32) if isinstance(key, Tensor) else key)
        value = (value ^ ((value >> 16) & 0xFFFF)) * 0x7FEB352D
        value = (value ^ ((value >> 15) & 0x1FFFF)) * -2073254261
        value = value ^ ((value >> 16) & 0xFFFF)
    return (value & 0xFFFFFF).to(torch.float32) * (1.0 / (1 << 24))


class Noise:
    """Tileable fractal and white noise, tabled once: 512 x 512 samples each."""

    def __init__(self, device: torch.device) -> None:
        grain = uniform(5, torch.arange(SIZE)[:, None].numpy(), torch.arange(SIZE)[None].numpy())
        self._white = torch.as_tensor(grain, dtype=torch.float32).reshape(-1).to(device)
        self._cloud = _fractal().reshape(-1).to(device)

    def white(self, x: Tensor, y: Tensor) -> Tensor:
        """One value in [0, 1) for each unit cell."""
        return _pick(self._white, _cell(x, y))

    def cloud(self, x: Tensor, y: Tensor) -> Tensor:
        """Fractal noise, mean 0.5, features of some 60 units down to 2; nearest sample."""
        return _pick(self._cloud, _cell(x, y))

    def smooth_cloud(self, x: Tensor, y: Tensor) -> Tensor:
        """Fractal noise with samples blended."""
        x0, y0 = torch.floor(x), torch.floor(y)
        left, low_row = x0.to(torch.int64) & (SIZE - 1), (y0.to(torch.int64) & (SIZE - 1)) * SIZE
        right, high_row = (left + 1) & (SIZE - 1), (low_row + SIZE) & (SIZE * SIZE - 1)
        table, fx = self._cloud, x - x0
        low = torch.lerp(_pick(table, low_row + left), _pick(table, low_row + right), fx)
        high = torch.lerp(_pick(table, high_row + left), _pick(table, high_row + right), fx)
        return torch.lerp(low, high, y - y0)


def _pick(table: Tensor, index: Tensor) -> Tensor:
    # flat index_select is twice as fast as indexing with brackets
    return table.index_select(0, index)


def _cell(x: Tensor, y: Tensor) -> Tensor:
    column = torch.floor(x).to(torch.int64) & (SIZE - 1)
    row = torch.floor(y).to(torch.int64) & (SIZE - 1)
    return row * SIZE + column


def _fractal() -> Tensor:
    total = torch.zeros(SIZE, SIZE)
    weight, cells = 1.0, 8
    while cells <= SIZE // 2:
        index = torch.arange(cells)
        values = torch.as_tensor(
            uniform(6, cells, index[:, None].numpy(), index[None].numpy()), dtype=torch.float32
        )
        wrapped = torch.nn.functional.pad(values[None, None], (2, 2, 2, 2), mode="circular")
        scale = SIZE // cells
        large = torch.nn.functional.interpolate(
            wrapped, scale_factor=scale, mode="bicubic", align_corners=False
        )
        total += weight * (large[0, 0, 2 * scale : -2 * scale, 2 * scale : -2 * scale] - 0.5)
        weight *= 0.55
        cells *= 2
    return (0.5 + total / (4.0 * total.std())).clamp(0.0, 1.0)


def band(x: Tensor, half: Tensor | float, pixel: Tensor) -> Tensor:
    """Coverage of |x| < half by a sample that is ``pixel`` wide; thin bands fade instead of flickering."""
    cover = ((half - x.abs()) / pixel + 0.5).clamp(0.0, 1.0)
    return cover * (2.0 * half / pixel).clamp(max=1.0)


def step(x: Tensor | float, edge: Tensor | float, pixel: Tensor) -> Tensor:
    """Coverage of x > edge."""
    return ((x - edge) / pixel + 0.5).clamp(0.0, 1.0)


def centred(x: Tensor, period: Tensor | float) -> Tensor:
    """Offset of x from the nearest multiple of ``period``."""
    return x - period * torch.round(x / period)
