"""What a head attends to: one number a location of the feature map, which a picture can lay over the photo.

How a location ends in the descriptor differs from head to head, so each says it in its own `Head.attention`.
`blanking_influence` does for heads that say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Copies of a map that go through the head together, each with another location blanked.
_COPIES = 16


@dataclass(frozen=True, eq=False, slots=True)
class AttentionMap:
    """One number for each location of each photo's map.

    Attributes:
        name: in a word or two, such as "mask"; no two maps of a head share it.
        meaning: what the numbers are, in the few words that fit beside a colour bar.
        values: (B, h, w). Not negative, but where the head itself weighs locations with either sign
            (``mask_activation="none"``) or the map does (a backbone that does not end in a ReLU).
    """

    name: str
    meaning: str
    values: Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Return ``x``, in float32 where it is of half precision: squares of small numbers vanish there."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def blanking_influence(head: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return how far each location's absence moves the descriptor: (B, h, w), in descriptor distance.

    One location after the other is set to zero in all channels. It holds for any head and needs no gradient,
    but takes a pass of the head for each location.

    Args:
        head: maps (B, C, h, w) to descriptors (B, D).
        x: (B, C, h, w).
    """
    batch, channels, height, width = x.shape
    described = head(x)  # (B, D)
    moved = described.new_empty(batch, height * width)
    for row in range(batch):
        for first in range(0, height * width, _COPIES):
            count = min(_COPIES, height * width - first)
            blanked = x[row].reshape(1, channels, -1).repeat(count, 1, 1)
            copies = torch.arange(count, device=x.device)
            blanked[copies, :, first + copies] = 0
            changed = head(blanked.view(count, channels, height, width)) - described[row]
            moved[row, first : first + count] = torch.linalg.vector_norm(changed, dim=1)
    return moved.view(batch, height, width)
