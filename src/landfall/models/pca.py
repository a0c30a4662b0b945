"""Principal axes, and PCA whitening that few samples don't mislead.

Whitening: Jegou and Chum, "Negative evidences and co-occurences in image retrieval: the benefit of PCA and
whitening", ECCV 2012. It divides each principal component by its standard deviation, which for the last axes
is mostly noise: of N photos, the axes near the Nth vary by chance alone. Eigenvalues are therefore shrunk
towards their mean before they divide (a convex mixture of the covariance with a multiple of the identity, as
in Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004, with a
fixed weight),

    z_i = u_i . (x - mean) / sqrt(lambda_i + s mean(lambda)),

where s = 0 is plain whitening.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

#: Variance, as a share of the largest, below which float32 samples tell nothing of an axis.
_LEAST_VARIANCE = 1e-7


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """The axes along which samples vary, most first.

    Attributes:
        mean: (D,) of the samples.
        axes: (d, D), orthonormal rows, d at most min(N - 1, D).
        variances: (d,) of the samples (divided by N) along each axis, falling.
    """

    mean: Tensor
    axes: Tensor
    variances: Tensor


def principal_axes(samples: Tensor) -> PrincipalAxes:
    """Return every axis along which samples (N, D) vary.

    Takes the eigenvectors of the D x D covariance, or of the N x N Gram matrix where that is smaller.
    """
    count, dim = samples.shape
    mean = samples.mean(dim=0, dtype=torch.float64).to(samples.dtype)
    centred = samples - mean
    by_covariance = count > dim
    # In the samples' own precision: half the memory and time, and they are no more exact.
    small = centred.T @ centred if by_covariance else centred @ centred.T
    # Samples of one dimension less than their number have a last eigenvalue of rounding alone.
    variances, vectors = falling_eigenvectors(small.double() / count, dim if by_covariance else count - 1)
    axes = vectors.T.to(samples.dtype)
    if not by_covariance:
        axes = F.normalize(axes @ centred, dim=1)
    return PrincipalAxes(mean=mean, axes=axes.contiguous(), variances=variances.to(samples.dtype))


def falling_eigenvectors(symmetric: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues (d,) that tell of more than rounding, the largest first, and vectors (n, d).

    Args:
        symmetric: (n, n), a covariance or a matrix of centred products.
        most: d, at most.
    """
    values, vectors = torch.linalg.eigh(symmetric)
    values, vectors = values.flip(0), vectors.flip(1)
    kept = min(most, int((values > _LEAST_VARIANCE * values[0].clamp(min=0)).sum()))
    return values[:kept], vectors[:, :kept]


def shrunk(variances: Tensor, shrinkage: float) -> Tensor:
    """Return variances (d,) along all axes, with s times their mean added to each."""
    return variances + shrinkage * variances.sum() / max(1, len(variances))


@dataclass(frozen=True, eq=False)
class Whitening:
    """Takes vectors to their whitened principal components, as unit vectors.

    Attributes:
        mean: (D,), subtracted first.
        projection: (d, D); the principal axes, each divided by its shrunk standard deviation.
    """

    mean: Tensor
    projection: Tensor

    def components(self, vectors: Tensor) -> Tensor:
        """Return the whitened components (..., d) of vectors (..., D), not normalised."""
        return (vectors - self.mean) @ self.projection.T

    def __call__(self, vectors: Tensor) -> Tensor:
        """Return the whitened vectors (..., d) of vectors (..., D), of unit norm; the mean stays zero."""
        return F.normalize(self.components(vectors), dim=-1)


def fit_whitening(samples: Tensor, *, dim: int, shrinkage: float = 1.0) -> Whitening:
    """Return the whitening to the first ``dim`` principal axes of samples (N, D), or to all there are.

    Args:
        samples: N of them; d is at most N - 1, and 0 where all are alike.
        dim: d, at most.
        shrinkage: s above; at 0 the samples' components have the identity as their covariance.
    """
    principal = principal_axes(samples)
    deviations = shrunk(principal.variances, shrinkage)[:dim].sqrt()
    return Whitening(mean=principal.mean, projection=principal.axes[:dim] / deviations[:, None])
