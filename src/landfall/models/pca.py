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

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

#: Variance, as a share of the largest, below which float32 samples tell nothing of an axis.
_LEAST_VARIANCE = 1e-7

#: Rows of one matrix product. Always the same number, so that a row's last bits don't depend on its company.
_BLOCK_ROWS = 16


@dataclass(frozen=True)
class PrincipalAxes:
    """The axes along which samples vary, most first.

    Attributes:
        mean: (D,) of the samples.
        axes: (d, D), orthonormal rows, d at most min(N - 1, D).
        variances: (d,) of the samples (divided by N) along each axis, falling.
    """

    mean: Float64Array
    axes: Float64Array
    variances: Float64Array


def principal_axes(samples: Float32Array) -> PrincipalAxes:
    """Return every axis along which samples (N, D) vary.

    Takes the eigenvectors of the D x D covariance, or of the N x N Gram matrix where that is smaller.
    """
    count, dim = samples.shape
    mean = samples.mean(axis=0, dtype=np.float64)
    # The products are taken in float32: half the memory and time, and the samples are no more exact.
    centred = samples - mean.astype(np.float32)
    small = centred.T @ centred if count > dim else centred @ centred.T
    squares, vectors = np.linalg.eigh(small.astype(np.float64) / count)
    squares, vectors = squares[::-1], vectors[:, ::-1]
    kept = int(np.count_nonzero(squares > _LEAST_VARIANCE * max(squares[0], 0.0)))
    if count <= dim:
        kept = min(kept, count - 1)
    if count > dim:
        axes = vectors[:, :kept].T
    else:
        axes = vectors[:, :kept].T @ centred
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return PrincipalAxes(mean=mean, axes=axes, variances=squares[:kept])


@dataclass(frozen=True)
class Whitening:
    """Takes vectors to their whitened principal components, as unit vectors.

    Attributes:
        mean: (D,) float32, subtracted first.
        projection: (d, D) float32; the principal axes, each divided by its shrunk standard deviation.
    """

    mean: Float32Array
    projection: Float32Array

    def components(self, vectors: Float32Array) -> Float32Array:
        """Return the whitened components (N, d) of vectors (N, D), not normalised."""
        count, dim = vectors.shape
        blocks = np.zeros((-(-count // _BLOCK_ROWS), _BLOCK_ROWS, dim), np.float32)
        blocks.reshape(-1, dim)[:count] = vectors - self.mean
        whitened: Float32Array = (blocks @ self.projection.T).reshape(-1, len(self.projection))
        return whitened[:count]

    def __call__(self, vectors: Float32Array) -> Float32Array:
        """Return the whitened vectors (N, d) of vectors (N, D), of unit norm; the mean itself stays zero."""
        whitened = self.components(vectors)
        norms = np.linalg.norm(whitened, axis=1, keepdims=True)
        normalised: Float32Array = whitened / np.maximum(norms, np.finfo(np.float32).tiny)
        return normalised


def fit_whitening(samples: Float32Array, *, dim: int, shrinkage: float = 1.0) -> Whitening:
    """Return the whitening to the first ``dim`` principal axes of samples (N, D), or to all there are.

    Args:
        samples: N of them; d is at most N - 1, and 0 where all are alike.
        dim: d, at most.
        shrinkage: s above; at 0 the samples' components have the identity as their covariance.
    """
    principal = principal_axes(samples)
    variances = principal.variances
    floor = shrinkage * variances.mean() if len(variances) else 0.0
    projection = principal.axes[:dim] / np.sqrt(variances[:dim] + floor)[:, None]
    return Whitening(mean=principal.mean.astype(np.float32), projection=projection.astype(np.float32))
