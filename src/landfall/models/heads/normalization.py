"""L2 normalisation that survives zeros."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def l2_normalize(x: Tensor, *, dim: int) -> Tensor:
    """Divide by the Euclidean norm along ``dim``; a zero vector stays zero, and its gradient is finite.

    Args:
        x: any shape.
        dim: the axis whose vectors get norm one.
    """
    return F.normalize(x, dim=dim, eps=_least_norm(x))


def inverse_norm(x: Tensor, *, dim: int) -> Tensor:
    """Return 1 / ||x|| along ``dim``, which is kept with size one, in float32 or better.

    Multiplying products of ``x`` by it saves the normalised copy. Of a zero vector it is large but finite.

    Args:
        x: any shape.
        dim: the axis of the vectors.
    """
    # Squares leave float16's range; a sum of them is several times faster than torch's vector norm over
    # an axis that is not the last; and the clamp before the root keeps its gradient at zero finite.
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return wide.square().sum(dim=dim, keepdim=True).clamp(min=_least_norm(x) ** 2).rsqrt()


def _least_norm(x: Tensor) -> float:
    # 1e-12 is zero in float16, where it would let a zero vector become NaN.
    return max(1e-12, torch.finfo(x.dtype).tiny)
