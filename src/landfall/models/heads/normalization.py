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
    # 1e-12 is zero in float16, where it would let a zero vector become NaN.
    return F.normalize(x, dim=dim, eps=max(1e-12, torch.finfo(x.dtype).tiny))
