"""Where NetVLAD and its kin start: k-means centroids and the assignment weights that go with them.

Paper, section 3.3, with eq. 4 made exact: W_k = alpha c_k / ||c_k||, and alpha is chosen so that a feature's
best cluster outweighs its second best by a hundred to one on average,

    alpha = -ln(0.01) / mean(d_1 - d_2),

where d_1 and d_2 are the two largest dot products of a feature with the unit centroids.
"""

from __future__ import annotations

import math

import faiss
import numpy as np
import numpy.typing as npt

from landfall.errors import ModelError

Float32Array = npt.NDArray[np.float32]

#: Ratio of the second best cluster's weight to the best one's.
_SECOND_TO_FIRST = 0.01

#: A smaller gap between dot products is rounding in float32: no alpha could tell the two clusters apart.
_LEAST_GAP = 1e-6


def kmeans(features: Float32Array, clusters: int, *, seed: int = 0, iterations: int = 100) -> Float32Array:
    """Return the k-means centroids (clusters, C) of features (N, C).

    Args:
        features: (N, C); all are used, none is sampled away.
        clusters: K.
        seed: picks the features that the clusters start from.
        iterations: of Lloyd's algorithm.

    Raises:
        ModelError: fewer features than clusters, or features that are not finite.
    """
    if len(features) < clusters:
        raise ModelError(
            f"{clusters} clusters need at least {clusters} local features, and the sample holds "
            f"{len(features)}. Give more photos, larger ones, or fewer clusters."
        )
    if not np.isfinite(features).all():
        raise ModelError("The sampled features hold NaN or infinity: the backbone's weights are broken.")
    algorithm = faiss.Kmeans(
        features.shape[1],
        clusters,
        niter=iterations,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=len(features),
    )
    algorithm.train(np.ascontiguousarray(features))
    return np.asarray(algorithm.centroids, dtype=np.float32).reshape(clusters, -1).copy()


def assignment_weights(centroids: Float32Array, features: Float32Array) -> Float32Array:
    """Return alpha c_k / ||c_k||, (K, C), for centroids (K, C) and the features (N, C) they came from."""
    norms = np.linalg.norm(centroids, axis=1, keepdims=True)
    directions: Float32Array = centroids / np.maximum(norms, 1e-12)
    return assignment_alpha(directions, features) * directions


def assignment_alpha(directions: Float32Array, features: Float32Array) -> float:
    """Return how sharply features (N, C) are to be assigned to unit centroids (K, C).

    A single cluster takes everything, however sharp: its alpha is 1.
    """
    if len(directions) == 1:
        return 1.0
    second, first = np.partition(features @ directions.T, -2, axis=1)[:, -2:].T
    gap = float(np.mean(first - second, dtype=np.float64))
    return -math.log(_SECOND_TO_FIRST) / max(gap, _LEAST_GAP)
