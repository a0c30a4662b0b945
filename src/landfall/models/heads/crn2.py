"""CRN2: CRN whose mask is computed at full resolution by dilated convolutions. Paper, section 3.5.

The paper's own head.

Equation: as in section 3.4, V(k) = sum_l m_l s_k(x_l) (x_l - c_k), with another mask m: neither pooling nor
upsampling, and in place of the 3x3, 5x5 and 7x7 convolutions one, two and three 3x3 convolutions of dilation
2 in a row, each with a ReLU. They see as far as CRN's do, with less than half the parameters.

Deviations: the mask is non-negative and starts at one (see ``mask.py``); ``mask_activation="none"`` is the
paper's form.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from landfall.models.heads.interface import HEADS
from landfall.models.heads.mask import MaskActivation, MaskedNetVLAD, activate_mask, start_mask


def _dilated(*channels: int) -> nn.Sequential:
    """Return 3x3 convolutions of dilation 2 through these channels, each with a ReLU; sizes are kept."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, kernel_size=3, dilation=2, padding=2), nn.ReLU()]
    return nn.Sequential(*layers)


class DilatedMask(nn.Module):
    """Says how much each location counts, from its surroundings at three scales.

    Args:
        in_channels: C of the map.
        activation: "softplus" or "relu", both non-negative, or "none".
    """

    def __init__(self, *, in_channels: int, activation: MaskActivation) -> None:
        super().__init__()
        self.activation: MaskActivation = activation
        self.branch1 = _dilated(in_channels, 32)
        self.branch2 = _dilated(in_channels, 32, 32)
        self.branch3 = _dilated(in_channels, 32, 32, 20)
        self.accumulate = nn.Conv2d(84, 1, kernel_size=1)
        start_mask(self.accumulate, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to the mask (B, 1, H, W)."""
        context = torch.cat([self.branch1(x), self.branch2(x), self.branch3(x)], dim=1)
        return activate_mask(self.accumulate(context), self.activation)


@HEADS.register("crn2")
class CRN2(MaskedNetVLAD):
    """NetVLAD with a mask computed at the map's own resolution; options as `MaskedNetVLAD`'s."""

    mask_type = DilatedMask
    mask: DilatedMask
