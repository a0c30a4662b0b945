"""What every backbone offers, and the registry that holds them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from landfall.registry import Registry


class Backbone(nn.Module):
    """Maps normalised photos (B, 3, H, W) to features (B, out_channels, h, w).

    Attributes:
        out_channels: C.
        stride: pixels between neighbouring locations of the map.
        min_size_px: the least height and width that give a map of at least one location.
    """

    out_channels: int
    stride: int
    min_size_px: int

    def forward(self, x: Tensor) -> Tensor:
        """Return the feature map."""
        raise NotImplementedError

    @property
    def frozen(self) -> tuple[nn.Module, ...]:
        """The stages that no training changes, in the order in which photos go through them."""
        return ()

    def frozen_features(self, x: Tensor) -> Tensor:
        """Return what the stages that no training changes make of photos; by default there are none."""
        return x

    def trained_features(self, x: Tensor) -> Tensor:
        """Return the feature map of what `frozen_features` returned."""
        return self(x)  # type: ignore[no-any-return]


#: Name to a callable with keyword-only options that makes the backbone.
BACKBONES: Registry[Callable[..., Backbone]] = Registry("backbone")
