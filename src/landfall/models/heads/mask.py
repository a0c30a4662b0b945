"""What CRN and CRN2 share: how a mask reweights NetVLAD, the mask's sign, and where it starts.

The paper puts nothing after the mask's last convolution, so a fresh mask may be negative, and an untrained
head is then as good as its seed. By default the mask is kept non-negative and starts at one almost
everywhere: an untrained CRN describes as NetVLAD does, and training can only move from there.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from landfall.errors import ModelError
from landfall.models.heads.attention import AttentionMap
from landfall.models.heads.netvlad import NetVLAD, netvlad, residual_energy

MaskActivation = Literal["softplus", "relu", "none"]

#: Spread of the last convolution's first weights: small enough that descriptors are NetVLAD's within 1e-4,
#: and not zero, which would give the branches before it no gradient.
_START_SPREAD = 3e-5

#: What the last convolution's bias must be for a mask of one.
_BIAS_OF_ONE: dict[MaskActivation, float] = {"softplus": math.log(math.expm1(1.0)), "relu": 1.0}


def start_mask(last: nn.Conv2d, activation: MaskActivation) -> None:
    """Set the mask's last convolution so that the mask is one almost everywhere; "none" leaves it alone.

    Raises:
        ModelError: there is no such activation.
    """
    if activation not in get_args(MaskActivation):
        raise ModelError(
            f"mask_activation is {activation!r}; expected one of {', '.join(get_args(MaskActivation))}."
        )
    if activation != "none" and last.bias is not None:
        nn.init.normal_(last.weight, std=_START_SPREAD)
        nn.init.constant_(last.bias, _BIAS_OF_ONE[activation])


def activate_mask(x: Tensor, activation: MaskActivation) -> Tensor:
    """Apply the mask's activation to its last convolution's output (B, 1, h, w)."""
    match activation:
        case "softplus":
            return F.softplus(x)
        case "relu":
            return F.relu(x)
        case "none":
            return x


class MaskedNetVLAD(NetVLAD):
    """NetVLAD whose locations count as much as a mask says: V(k) = sum_l m_l s_k(x_l) (x_l - c_k).

    Args:
        in_channels: C of the map.
        clusters: K; D is K * C.
        mask_activation: "softplus" or "relu" start as NetVLAD; "none" is the paper's form.

    Raises:
        ModelError: fewer than one cluster, or no such activation.
    """

    #: Made with ``in_channels`` and ``activation``; maps (B, in_channels, H, W) to the mask (B, 1, H, W).
    mask_type: ClassVar[type[nn.Module]]
    mask: nn.Module

    def __init__(
        self, *, in_channels: int, clusters: int = 64, mask_activation: MaskActivation = "softplus"
    ) -> None:
        super().__init__(in_channels=in_channels, clusters=clusters)
        self.mask = self.mask_type(in_channels=in_channels, activation=mask_activation)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, clusters * in_channels)."""
        return netvlad(x, self.conv.weight.flatten(1), self.centroids, self.mask(x))

    def attention(self, x: Tensor) -> tuple[AttentionMap, ...]:
        """Return the mask, and the residual energy of the locations as the mask weighs them, each (B, H, W).

        With ``mask_activation="none"`` the mask may be negative: residuals are then subtracted. The energy
        has the mask's absolute value.
        """
        mask = self.mask(x)[:, 0]
        energy = mask.abs() * residual_energy(x, self.conv.weight.flatten(1), self.centroids)
        return (
            AttentionMap("mask", "weight; 1: as in NetVLAD", mask),
            AttentionMap("residual energy", "mask × norm of the residuals", energy),
        )
