"""What goes into the trained stages: photos' pixels, or their frozen features where these are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landfall.models import Network
from landfall.training.feature_cache import FeatureCache, compute_frozen
from landfall.training.photo_cache import PhotoCache


@dataclass(frozen=True, eq=False)
class Inputs:
    """B photos, some as pixels and some as frozen features.

    Args:
        pixels: (P, H, W, 3) uint8.
        features: (F, C, h, w) float16 on the CPU, or None where none are kept.
        order: (B,) int64, places in "features, then pixels".
    """

    pixels: NDArray[np.uint8]
    features: Tensor | None
    order: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.order)

    def frozen_features(self, network: Network) -> Tensor:
        """Return the frozen stages' output (B, C, h, w) on the network's device."""
        if self.features is None:
            return compute_frozen(network, self.pixels)
        device = network.mean.device
        kept = self.features.to(device, non_blocking=True).float()
        if not len(self.pixels):
            return kept
        computed = compute_frozen(network, self.pixels).float()
        return torch.cat([kept, computed])[torch.from_numpy(self.order).to(device)]


class InputReader:
    """Reads inputs ahead of the network.

    Args:
        photos: the photos, by row.
        features: frozen features of the first of them, or None.
    """

    def __init__(self, photos: PhotoCache, features: FeatureCache | None) -> None:
        self.photos = photos
        self.features = features

    def stream(self, parts: Sequence[NDArray[np.int64]], *, as_pixels: bool = False) -> Iterator[Inputs]:
        """Yield the inputs of each part of rows (B,), in order.

        Args:
            parts: rows of photos.
            as_pixels: take pixels even where features are kept.

        Raises:
            PhotoError: a photo can't be used.
        """
        features = None if as_pixels else self.features
        kept_below = 0 if features is None else features.capacity
        decoded = self.photos.stream([rows[rows >= kept_below] for rows in parts])
        for rows, pixels in zip(parts, decoded, strict=True):
            is_kept = rows < kept_below
            order = np.where(is_kept, np.cumsum(is_kept) - 1, is_kept.sum() + np.cumsum(~is_kept) - 1)
            yield Inputs(pixels, None if features is None else features.read(rows[is_kept]), order)
