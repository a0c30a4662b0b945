"""Base: the mean of the L2-normalised feature map. Paper, section 3.1.

Equation: f = 1/N sum_l x_l / ||x_l||, over the N locations l of the map.

Deviations: none. As in the paper the mean is not normalised again, so its norm tells how much the locations
agree; ``normalize_output=True`` adds the normalisation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from landfall.models.heads.attention import AttentionMap, at_least_float32
from landfall.models.heads.interface import HEADS, Head
from landfall.models.heads.normalization import l2_normalize


def base(x: Tensor) -> Tensor:
    """Return the mean (B, C) of a map (B, C, H, W) whose locations are L2-normalised first."""
    return l2_normalize(x, dim=1).mean(dim=(2, 3))


def base_shares(x: Tensor) -> Tensor:
    """Return each location's share (B, H, W) of the descriptor of a map (B, C, H, W), in even shares.

    Every location has norm one, so what tells them apart is how far each points the way of the mean f: its
    part of f is its projection on f, x_l . f / ||x_l|| / ||f||^2. The mean over the locations is one. A map
    of zeros gives zeros.
    """
    local = l2_normalize(at_least_float32(x), dim=1)
    pooled = local.mean(dim=(2, 3))
    squared = pooled.square().sum(dim=1).clamp(min=torch.finfo(local.dtype).tiny)
    return torch.einsum("bchw,bc->bhw", local, pooled) / squared[:, None, None]


@HEADS.register("base")
class Base(Head):
    """Average pooling of the normalised map; no parameters.

    Args:
        in_channels: C of the map, and D.
        normalize_output: L2-normalise the descriptor.
    """

    def __init__(self, *, in_channels: int, normalize_output: bool = False) -> None:
        super().__init__(in_channels=in_channels)
        self.normalize_output = normalize_output

    @property
    def out_dim(self) -> int:
        """D, the length of a descriptor."""
        return self.in_channels

    @property
    def unit_norm(self) -> bool:
        """Whether descriptors have Euclidean norm one."""
        return self.normalize_output

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, in_channels)."""
        pooled = base(x)
        return l2_normalize(pooled, dim=1) if self.normalize_output else pooled

    def attention(self, x: Tensor) -> tuple[AttentionMap, ...]:
        """Return the locations' shares of the descriptor, (B, H, W)."""
        return (AttentionMap("share", "share of the descriptor; 1: even", base_shares(x)),)
