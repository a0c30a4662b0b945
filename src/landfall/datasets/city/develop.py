"""From light on the level canvas to a photo: the camera's tilt, exposure, grain, and eight bits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from landfall.datasets.city.camera import View, focal_px, rotation
from landfall.datasets.city.noise import hash_unit
from landfall.datasets.city.passes import PASSES, environment_columns

SUPERSAMPLING = 2


def ray_slopes(view: View, height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where the rays of a photo's samples (2H, 2W) meet the level canvas: slopes across and up."""
    focal = focal_px(width)
    row = (torch.arange(height * SUPERSAMPLING, device=device) + 0.5) / SUPERSAMPLING - height / 2
    column = (torch.arange(width * SUPERSAMPLING, device=device) + 0.5) / SUPERSAMPLING - width / 2
    down, right = (row / focal)[:, None], (column / focal)[None]
    turn = rotation(view.pitch_deg, view.roll_deg).tolist()
    x, y, z = (turn[i][0] * right + turn[i][1] * down + turn[i][2] for i in range(3))
    return x / y, z / y


def tilt(
    canvas: Tensor, views: Sequence[View], across: Tensor, slopes: Tensor, height: int, width: int
) -> Tensor:
    """Sample canvases (B, 3, C, R), columns then rows, as tilted cameras see them: (B, 3, H, W)."""
    grids = []
    for view in views:
        a, e = ray_slopes(view, height, width, canvas.device)
        column = (a - across[0]) / (across[-1] - across[0]) * 2 - 1
        row = (e - slopes[0]) / (slopes[-1] - slopes[0]) * 2 - 1
        grids.append(torch.stack([row, column], dim=-1))
    seen = torch.nn.functional.grid_sample(
        canvas, torch.stack(grids), mode="bilinear", padding_mode="border", align_corners=True
    )
    return torch.nn.functional.avg_pool2d(seen, SUPERSAMPLING)


def expose(light: Tensor, views: Sequence[View]) -> Tensor:
    """Linear light (B, 3, H, W) to 8-bit photos (B, H, W, 3): vignetting, balance, tone curve, grain."""
    device = light.device
    columns = environment_columns()
    rows = torch.tensor([PASSES[view.visit].environment.row() for view in views], device=device)
    height, width = light.shape[2:]
    y = torch.linspace(-1, 1, height, device=device)[:, None] * height / width
    x = torch.linspace(-1, 1, width, device=device)[None]
    fall = 1.0 - rows[:, columns["vignette"], None] * (x * x + y * y)[None] / 1.6
    gain = (
        torch.tensor([view.exposure for view in views], device=device)[:, None] * rows[:, columns["exposure"]]
    )
    balance = rows[:, columns["white_balance"]] * gain
    exposed = light.clamp(min=0.0) * balance[:, :, None, None] * fall[:, None]
    toned = exposed * (1.0 + exposed / 5.0) / (1.0 + 0.75 * exposed)
    photo = torch.where(toned <= 0.0031308, toned * 12.92, 1.055 * toned.clamp(min=1e-6) ** (1 / 2.4) - 0.055)
    place = torch.arange(height * width, dtype=torch.int32, device=device).reshape(1, 1, height, width)
    number = torch.tensor([view.number for view in views], dtype=torch.int32, device=device).reshape(
        -1, 1, 1, 1
    )
    channel = torch.arange(3, dtype=torch.int32, device=device).reshape(1, 3, 1, 1)
    key = (place + torch.zeros_like(number), number + torch.zeros_like(place))
    luma = hash_unit(*key, 1) + hash_unit(*key, 2) - 1.0
    chroma = hash_unit(place + 0 * number + 0 * channel, number + 0 * place, channel + 0 * place) - 0.5
    grain = (luma * 1.6 + chroma) * rows[:, columns["noise"], None, None]
    return ((photo + grain).clamp(0.0, 1.0) * 255.0 + 0.5).to(torch.uint8).permute(0, 2, 3, 1)
