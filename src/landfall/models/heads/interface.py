"""What every head offers, and the registry that holds them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from landfall.models.heads.attention import AttentionMap, blanking_influence
from landfall.registry import Registry


class Head(nn.Module):
    """Maps a feature map (B, in_channels, h, w) of any size to descriptors (B, out_dim)."""

    def __init__(self, *, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels

    @property
    def out_dim(self) -> int:
        """D, the length of a descriptor."""
        raise NotImplementedError

    @property
    def unit_norm(self) -> bool:
        """Whether descriptors have Euclidean norm one."""
        return True

    def forward(self, x: Tensor) -> Tensor:
        """Return the descriptors."""
        raise NotImplementedError

    def attention(self, x: Tensor) -> tuple[AttentionMap, ...]:
        """Return what each location of a map (B, in_channels, h, w) does for the descriptor: maps (B, h, w).

        A head that knows answers with its own quantities, the most telling first. Until it does, each
        location is blanked in turn, which is true of every head, and slow.
        """
        moved = blanking_influence(self, x)
        return (AttentionMap("influence", "move of the descriptor without it", moved),)


@runtime_checkable
class ClusteredHead(Protocol):
    """A head that starts from the centroids of local features."""

    clusters: int

    def initialise(self, features: Tensor, *, seed: int = 0, normalise: bool = True) -> None:
        """Set the head's centroids, and what depends on them, from local features (N, in_channels)."""
        ...


HEADS: Registry[type[Head]] = Registry("head")
