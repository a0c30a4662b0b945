"""GeM: generalised-mean pooling, then whitening. Paper, section 3.2.

F. Radenović, G. Tolias, O. Chum, *Fine-tuning CNN Image Retrieval with No Human Annotation*, TPAMI 2019.

Equation: f_k = (1/N sum_l x_l(k)^p)^(1/p); p = 1 is the mean, and p to infinity the maximum.

The exponent is p = 3, fixed and shared by all channels, as in the paper; then L2, a linear layer with bias
(the learned whitening), L2. Nothing is normalised before the pooling.

Deviations: the paper does not say where the linear layer starts. Here it starts as the identity, or with
another D as a random orthogonal map, so that an untrained GeM describes as one without the layer does and
training can only move from there; ``random_start=True`` is PyTorch's own start, which costs an untrained head
several points of recall. ``learn_p=True`` trains p, as Radenović et al. do; ``whitening=False`` leaves the
linear layer out, for backbones that were not trained with one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from landfall.errors import ModelError
from landfall.models.heads.attention import AttentionMap, at_least_float32
from landfall.models.heads.interface import HEADS, Head
from landfall.models.heads.normalization import l2_normalize


def gem(x: Tensor, p: Tensor | float, *, eps: float = 1e-6) -> Tensor:
    """Return the generalised mean (B, C) over the locations of a map (B, C, H, W).

    Args:
        x: the map; values below ``eps`` count as ``eps``, so that every power is defined.
        p: the exponent, a number or a tensor of one element.
        eps: the least value.
    """
    return x.clamp(min=eps).pow(p).mean(dim=(2, 3)).pow(1.0 / p)


def gem_shares(x: Tensor, p: Tensor | float, *, eps: float = 1e-6) -> Tensor:
    """Return each location's share (B, H, W) of the pooled vector f of a map (B, C, H, W), in even shares.

    sum_k g_k^2 (x_l(k) / f_k)^p with g = f / ||f||: in channel k a location has as much of f_k as it has of
    the sum of powers, and a channel counts as much as it does in the unit vector. The mean over the locations
    is one; p = 1 gives the projection of x_l on f, in units of ||f||^2.

    The whitening, which comes after f and may turn it anywhere, is not looked at.

    Args:
        x, p, eps: as of `gem`.
    """
    x = at_least_float32(x).clamp(min=eps)
    pooled = gem(x, p, eps=eps)[:, :, None, None]
    weight = l2_normalize(pooled, dim=1).square()
    return (weight * (x / pooled).pow(p)).sum(dim=1)


@HEADS.register("gem")
class GeM(Head):
    """Generalised mean, L2, linear whitening, L2.

    Args:
        in_channels: C of the map.
        out_dim: D after whitening; None takes ``in_channels``.
        p: the exponent, or its start with ``learn_p``.
        learn_p: train p.
        whitening: learn a linear layer after the pooling; without it D is ``in_channels``.
        random_start: start that layer at random.

    Raises:
        ModelError: p or ``out_dim`` is not positive, or ``out_dim`` asks for the layer that is left out.
    """

    p: Tensor

    def __init__(
        self,
        *,
        in_channels: int,
        out_dim: int | None = None,
        p: float = 3.0,
        learn_p: bool = False,
        whitening: bool = True,
        random_start: bool = False,
    ) -> None:
        super().__init__(in_channels=in_channels)
        if not 0 < p < math.inf:
            raise ModelError(
                f"GeM's exponent p is {p}; give a number above 0 (1 is the mean, 3 the default)."
            )
        if not whitening and out_dim not in (None, in_channels):
            raise ModelError(
                f"GeM without whitening gives {in_channels} numbers, and out_dim is {out_dim}. "
                "Leave out_dim out, or set whitening=True."
            )
        if out_dim is not None and out_dim < 1:
            raise ModelError(f"GeM's out_dim is {out_dim}; give at least 1, or None for {in_channels}.")
        exponent = torch.tensor([float(p)])
        if learn_p:
            self.p = nn.Parameter(exponent)
        else:
            self.register_buffer("p", exponent)
        self._out_dim = in_channels if out_dim is None else out_dim
        self.whitening = nn.Linear(in_channels, self._out_dim) if whitening else None
        if self.whitening is not None and not random_start:
            # The identity where D is that of the map.
            square = self._out_dim == in_channels
            (nn.init.eye_ if square else nn.init.orthogonal_)(self.whitening.weight)
            nn.init.zeros_(self.whitening.bias)

    @property
    def out_dim(self) -> int:
        """D, the length of a descriptor."""
        return self._out_dim

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_dim)."""
        pooled = l2_normalize(gem(x, self.p), dim=1)
        return pooled if self.whitening is None else l2_normalize(self.whitening(pooled), dim=1)

    def attention(self, x: Tensor) -> tuple[AttentionMap, ...]:
        """Return the locations' shares of the vector before the whitening, (B, H, W)."""
        return (AttentionMap("share", "share of the pooling; 1: even", gem_shares(x, self.p)),)
