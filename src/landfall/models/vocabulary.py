"""Visual words, and the description of a photo by them: dense RootSIFT, principal axes, VLAD."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landfall.models.dense_sift import DenseSift, dense_root_sift
from landfall.models.heads.centroids import kmeans
from landfall.models.pca import principal_axes
from landfall.models.vlad import vlad

_ITERATIONS = 25


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """K visual words among RootSIFT descriptors reduced to d numbers.

    Attributes:
        sift: what is described on a photo.
        mean: (128,) of the descriptors.
        axes: (d, 128), their principal axes.
        words: (K, d).
    """

    sift: DenseSift
    mean: Tensor
    axes: Tensor
    words: Tensor

    def aggregate(self, image: Tensor) -> Tensor:
        """Return the VLAD (K * d,) of a photo (H, W, 3) uint8 RGB; zeros where it has no contrast."""
        scales = dense_root_sift(image, self.sift)
        return vlad(torch.cat([self.reduce(descriptors) for descriptors in scales]), self.words)

    def reduce(self, descriptors: Tensor) -> Tensor:
        """Return RootSIFT descriptors (N, 128) as the words see them: (N, d)."""
        return descriptors @ self.axes.T - self.axes @ self.mean


def fit_vocabulary(
    descriptors: Tensor, *, sift: DenseSift, words: int, feature_dim: int, seed: int
) -> Vocabulary:
    """Return the vocabulary of a sample of RootSIFT descriptors (N, 128), by PCA and k-means.

    Args:
        descriptors: at least ``words`` of them.
        sift: how they were made.
        words: K.
        feature_dim: d, or fewer where the sample varies along fewer axes.
        seed: picks the descriptors that the words start from.

    Raises:
        ModelError: fewer descriptors than words.
    """
    principal = principal_axes(descriptors)
    axes = principal.axes[:feature_dim].contiguous()
    features = (descriptors - principal.mean) @ axes.T
    centroids = kmeans(features.numpy(), words, seed=seed, iterations=_ITERATIONS)
    return Vocabulary(sift=sift, mean=principal.mean, axes=axes, words=torch.from_numpy(centroids))
