"""The photos that a whitening was learnt from, and what it would be without some of them.

A whitening knows its own photos too well: each of them has a share in the axes, and with as many axes as
photos it holds all of such a photo, but only a part of a stranger. Answers for its own photos are therefore
surer than those for strangers. What a stranger would have found is had by leaving photos out of the fit,
and that needs no more than their inner products (Schölkopf, Smola and Müller, "Nonlinear component analysis
as a kernel eigenvalue problem", 1998, with the linear kernel).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from landfall.models.pca import falling_eigenvectors, shrunk
from landfall.models.threads import compute_in_one_thread

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FitSample:
    """N photos that a whitening was learnt from.

    Attributes:
        content_hashes: (N, 16) uint8, of the photos' bytes.
        products: (N, N) float32, inner products of their vectors before whitening.
        dim: axes of the whitening, at most.
        shrinkage: of the whitening (`landfall.models.pca`).
    """

    content_hashes: NDArray[np.uint8]
    products: Floats
    dim: int
    shrinkage: float

    @classmethod
    def of(cls, vectors: Tensor, hashes: Sequence[str], *, dim: int, shrinkage: float) -> FitSample:
        """Return what is kept of vectors (N, D) and the hashes of their photos, in hex."""
        packed = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(len(hashes), -1)
        return cls(packed, (vectors @ vectors.T).numpy(), dim, shrinkage)

    @property
    def hashes(self) -> list[str]:
        """The content hashes in hex."""
        return [row.tobytes().hex() for row in self.content_hashes]

    def take(self, members: NDArray[np.int64]) -> FitSample:
        """Return some of the photos, in the order of ``members``."""
        products = self.products[np.ix_(members, members)]
        return FitSample(self.content_hashes[members], products, self.dim, self.shrinkage)

    def __len__(self) -> int:
        return len(self.products)


def held_out_distances(sample: FitSample, folds: NDArray[np.int64]) -> Floats:
    """Return how far photos are from those of the other folds, by a whitening that saw the others alone.

    Args:
        sample: N photos.
        folds: (N,) the fold of each.

    Returns:
        (N, N) distances of unit vectors, a row for each photo that is held out; inf within its own fold.
    """
    distances = np.full((len(sample), len(sample)), np.inf, np.float32)
    for fold in np.unique(folds):
        held, kept = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(kept) < 2:
            continue
        queries, others = compute_in_one_thread(partial(_whitened, sample, held, kept))
        apart = (2.0 - 2.0 * queries @ others.T).clamp(min=0).sqrt()
        distances[np.ix_(held, kept)] = apart.numpy()
    return distances


def _whitened(sample: FitSample, held: NDArray[np.int64], kept: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return unit vectors (H, d) and (K, d) of photos held out and kept, by a whitening of those kept."""
    products = torch.from_numpy(sample.products[np.ix_(kept, kept)]).double()
    to_held = torch.from_numpy(sample.products[np.ix_(held, kept)]).double()
    means = products.mean(dim=0)
    centred = products - means - means[:, None] + means.mean()
    variances, vectors = falling_eigenvectors(centred / len(kept), len(kept) - 1)
    # An axis is a sum of the centred photos, weighted by its eigenvector / sqrt(N variance).
    scale = (len(kept) * variances * shrunk(variances, sample.shrinkage)).rsqrt()
    weights = (vectors * scale)[:, : sample.dim]
    to_held = to_held - to_held.mean(dim=1, keepdim=True) - means + means.mean()
    return F.normalize(to_held @ weights, dim=1).float(), F.normalize(centred @ weights, dim=1).float()
