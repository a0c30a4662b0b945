"""The gradient of a step's loss, computed for those photos alone that have one. Paper, section 4, equation 5.

A triplet beyond the margin gives no gradient, and once a network has learned something most triplets are.
So a step describes its photos without keeping what a backward pass needs, finds the loss's gradient at the
descriptors, and goes forward and backward again with only the photos where it is not zero. The weights'
gradient is the same sum with its zeros left out.

A forward pass costs about half of a backward one: with a share a of photos that have a gradient, two passes
cost 1 + 3 a instead of 3. Where the steps before had many such photos, a step goes through them all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from landfall.losses import Loss

#: Above this share of photos with a gradient a second pass does not pay: 1 + 3 a = 3 at two thirds.
_TWO_PASSES_BELOW = 0.6


@dataclass(frozen=True, eq=False)
class Step:
    """What a step came to.

    Attributes:
        loss: its value, without a gradient.
        descriptors: (B, D) of its photos, without a gradient.
        objective: a scalar whose gradient is that of the loss; its value means nothing.
    """

    loss: Tensor
    descriptors: Tensor
    objective: Tensor


class SparseGradients:
    """Computes the steps of one round.

    What it remembers of earlier steps decides how the next one is computed, and so its last bits: make a new
    one where a training may be resumed.

    Args:
        describe: maps inputs (B, ...) to descriptors (B, D), each from its own input alone.
        loss: of queries (T, D), positives (T, D) and negatives (T, N, D).
        always_whole: go through all photos at once, as needed where photos of a batch depend on each other.
    """

    def __init__(self, describe: Callable[[Tensor], Tensor], loss: Loss, *, always_whole: bool) -> None:
        self._describe = describe
        self._loss = loss
        self._always_whole = always_whole
        self.photos = 0
        self.with_gradient = 0

    @property
    def share(self) -> float:
        """The share of photos so far that had a gradient; 0 before the first step."""
        return self.with_gradient / max(self.photos, 1)

    def step(self, inputs: Tensor, places: Tensor) -> Step:
        """Compute one step.

        Args:
            inputs: (B, ...) what ``describe`` takes.
            places: (T, 2 + N) int64, where in the inputs each triplet's query, positive and negatives are.
        """
        whole = self._always_whole or self.share > _TWO_PASSES_BELOW
        with torch.set_grad_enabled(whole):
            described = self._describe(inputs)
        descriptors = described.detach().requires_grad_()
        with torch.enable_grad():
            # Not by indexing, whose gradient is summed up in no fixed order.
            triplets = descriptors.index_select(0, places.flatten()).view(*places.shape, -1)
            loss = self._loss(triplets[:, 0], triplets[:, 1], triplets[:, 2:])
            (gradient,) = torch.autograd.grad(loss, descriptors)
        active = (gradient != 0).any(dim=1).nonzero().flatten()
        self.photos += len(inputs)
        self.with_gradient += len(active)
        if not whole:
            # One photo at least: weights without any gradient would be passed over by the optimiser, and
            # waited for by other processes.
            active = active if len(active) else active.new_zeros(1)
            described = self._describe(inputs.index_select(0, active))
            gradient = gradient.index_select(0, active)
        return Step(loss.detach(), descriptors.detach(), (described * gradient).sum())
