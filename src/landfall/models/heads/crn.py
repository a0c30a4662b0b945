"""CRN: NetVLAD whose locations are reweighted by their context. Paper, section 3.4.

H. J. Kim, E. Dunn, J.-M. Frahm, *Learned Contextual Feature Reweighting for Image Geo-Localization*,
CVPR 2017.

Equation: V(k) = sum_l m_l s_k(x_l) (x_l - c_k), where the mask m comes from the map as it is, before the
normalisation that residuals and assignments use: average pooling by two, then 3x3, 5x5 and 7x7
convolutions side by side, each with a ReLU, joined and reduced to one channel by a 1x1 convolution, and
upsampled bilinearly to the map's exact size.

Deviations: the mask is non-negative and starts at one (see ``mask.py``); ``mask_activation="none"`` is the
paper's form. A map of one row or column is not pooled along that side, since nothing would be left of it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landfall.models.heads.interface import HEADS
from landfall.models.heads.mask import MaskActivation, MaskedNetVLAD, activate_mask, start_mask


class ContextMask(nn.Module):
    """Says how much each location counts, from its surroundings at three scales.

    Args:
        in_channels: C of the map.
        activation: "softplus" or "relu", both non-negative, or "none".
    """

    def __init__(self, *, in_channels: int, activation: MaskActivation) -> None:
        super().__init__()
        self.activation: MaskActivation = activation
        self.branch3 = nn.Conv2d(in_channels, 32, kernel_size=3, padding=1)
        self.branch5 = nn.Conv2d(in_channels, 32, kernel_size=5, padding=2)
        self.branch7 = nn.Conv2d(in_channels, 20, kernel_size=7, padding=3)
        self.accumulate = nn.Conv2d(84, 1, kernel_size=1)
        start_mask(self.accumulate, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to the mask (B, 1, H, W)."""
        height, width = x.shape[2:]
        pooled = F.avg_pool2d(x, kernel_size=(min(2, height), min(2, width)))
        context = [F.relu(branch(pooled)) for branch in (self.branch3, self.branch5, self.branch7)]
        small = self.accumulate(torch.cat(context, dim=1))
        # The activation comes first: interpolation keeps it non-negative.
        mask = activate_mask(small, self.activation)
        return F.interpolate(mask, size=(height, width), mode="bilinear", align_corners=False)


@HEADS.register("crn")
class CRN(MaskedNetVLAD):
    """NetVLAD with a mask computed at half the map's resolution; options as `MaskedNetVLAD`'s."""

    mask_type = ContextMask
    mask: ContextMask
