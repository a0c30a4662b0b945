"""The triplet loss over several negatives. Paper, section 4, equation 5.

R. Arandjelović et al., *NetVLAD: CNN Architecture for Weakly Supervised Place Recognition*, CVPR 2016.

Equation: sum over the negatives n_i of max(||q - p|| - ||q - n_i|| + m, 0), averaged over queries and
negatives.

Deviations: none by default. ``squared=True`` takes squared distances, as Arandjelović et al. do; for unit
descriptors a squared distance is 2 - 2 cos, and the margin is then one of cosines, halved.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landfall.errors import UsageError
from landfall.losses.interface import LOSSES, checked_number, widened


def triplet_loss(
    query: Tensor, positive: Tensor, negatives: Tensor, *, margin: float = 0.1, squared: bool = False
) -> Tensor:
    """Return the mean over B queries and N negatives of max(||q - p|| - ||q - n|| + margin, 0), a scalar.

    Computed in float32 or better. A triplet beyond the margin gives no gradient, and neither does a distance
    of zero, where the Euclidean one has none.

    Args:
        query: (B, D).
        positive: (B, D), one for each query.
        negatives: (B, N, D), N for each query.
        margin: m, in units of the distance (or of its square).
        squared: take squared distances.

    Raises:
        UsageError: the shapes don't belong together, or there is no query or no negative.
    """
    q, p, n = widened(query, positive, negatives)
    to_positive, to_negatives = q - p, q[:, None] - n
    if squared:
        near, far = to_positive.square().sum(dim=-1), to_negatives.square().sum(dim=-1)
    else:
        # torch defines the gradient of this norm at zero as zero; a root of a sum would make it NaN.
        near = torch.linalg.vector_norm(to_positive, dim=-1)
        far = torch.linalg.vector_norm(to_negatives, dim=-1)
    return torch.relu(near[:, None] - far + margin).mean()


@LOSSES.register("triplet")
@dataclass(frozen=True, kw_only=True)
class TripletLoss:
    """`triplet_loss` with its options.

    Args:
        margin: m of the equation; 0 asks only for the right order.
        squared: take squared distances.

    Raises:
        UsageError: a margin below zero or not finite, or ``squared`` not true or false.
    """

    margin: float = 0.1
    squared: bool = False

    def __post_init__(self) -> None:
        if self.margin != 0:
            checked_number("triplet", "margin", self.margin, above=0)
        if not isinstance(self.squared, bool):
            raise UsageError(f"Option squared of loss 'triplet' is {self.squared!r}; give true or false.")

    def __call__(self, query: Tensor, positive: Tensor, negatives: Tensor) -> Tensor:
        """Return the loss of descriptors (B, D), (B, D) and (B, N, D)."""
        return triplet_loss(query, positive, negatives, margin=self.margin, squared=self.squared)
