"""What every head offers, and the registry that holds them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn

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


@runtime_checkable
class ClusteredHead(Protocol):
    """A head that starts from the centroids of local features."""

    clusters: int

    def initialise(self, features: Tensor, *, seed: int = 0, normalise: bool = True) -> None:
        """Set the head's centroids, and what depends on them, from local features (N, in_channels)."""
        ...


HEADS: Registry[type[Head]] = Registry("head")
