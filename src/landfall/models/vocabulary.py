"""Visual words, and the description of a photo by them: dense RootSIFT, principal axes, VLAD."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from landfall.models.dense_sift import DenseSift, dense_root_sift
from landfall.models.heads.centroids import kmeans
from landfall.models.pca import Float32Array, principal_axes
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

    def aggregate(self, image: npt.NDArray[np.uint8]) -> Float32Array:
        """Return the VLAD (K * d,) of a photo (H, W, 3) uint8 RGB; zeros where it has no contrast."""
        with torch.inference_mode():
            scales = dense_root_sift(as_tensor(image), self.sift)
            offset = self.axes @ self.mean
            features = torch.cat([descriptors @ self.axes.T - offset for descriptors in scales])
            described: Float32Array = vlad(features, self.words).numpy()
        return described


def local_descriptors(image: npt.NDArray[np.uint8], sift: DenseSift) -> Float32Array:
    """Return the RootSIFT descriptors (N, 128) of a photo (H, W, 3) uint8 RGB, of all scales."""
    with torch.inference_mode():
        descriptors: Float32Array = torch.cat(list(dense_root_sift(as_tensor(image), sift))).numpy()
    return descriptors


def as_tensor(image: npt.NDArray[np.uint8]) -> Tensor:
    """Return a photo as a tensor, without a copy where torch allows it."""
    # torch warns of arrays that it could write to although they forbid it.
    return torch.from_numpy(np.require(image, requirements=["C", "W"]))


def fit_vocabulary(
    descriptors: Float32Array, *, sift: DenseSift, words: int, feature_dim: int, seed: int
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
    axes = principal.axes[:feature_dim].astype(np.float32)
    features = (descriptors - principal.mean.astype(np.float32)) @ axes.T
    centroids = kmeans(features, words, seed=seed, iterations=_ITERATIONS)
    return Vocabulary(
        sift=sift,
        mean=torch.from_numpy(principal.mean.astype(np.float32)),
        axes=torch.from_numpy(np.ascontiguousarray(axes)),
        words=torch.from_numpy(centroids),
    )
