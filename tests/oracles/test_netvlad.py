"""NetVLAD against a written-out loop, and against hard VLAD in the limit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from landfall.models.heads.netvlad import netvlad

Array = npt.NDArray[np.float64]


def tensors(*, clusters: int = 4, sharpness: float = 3.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.rand(2, 5, 4, 3, dtype=torch.float64)
    centroids = torch.rand(clusters, 5, dtype=torch.float64)
    return x, sharpness * torch.randn(clusters, 5, dtype=torch.float64), centroids


def written_out(x: Array, weight: Array, centroids: Array, mask: Array | None = None) -> Array:
    """Equations 2 and 3 of the paper, one photo, location and cluster at a time."""
    described = []
    for photo, one in enumerate(x):
        vlad = np.zeros_like(centroids)
        for row in range(one.shape[1]):
            for column in range(one.shape[2]):
                local = one[:, row, column] / np.sqrt((one[:, row, column] ** 2).sum())
                scores = np.array([np.exp(w @ local) for w in weight])
                for k, score in enumerate(scores / scores.sum()):
                    counts = 1.0 if mask is None else mask[photo, 0, row, column]
                    vlad[k] += counts * score * (local - centroids[k])
        for k in range(len(vlad)):
            vlad[k] /= np.sqrt((vlad[k] ** 2).sum())
        described.append(vlad.ravel() / np.sqrt((vlad**2).sum()))
    return np.stack(described)


def test_equals_the_written_out_equations() -> None:
    x, weight, centroids = tensors()
    expected = written_out(x.numpy(), weight.numpy(), centroids.numpy())
    np.testing.assert_allclose(netvlad(x, weight, centroids).numpy(), expected, rtol=0, atol=1e-12)


def test_mask_multiplies_every_cluster() -> None:
    x, weight, centroids = tensors()
    mask = torch.randn(2, 1, 4, 3, dtype=torch.float64)
    expected = written_out(x.numpy(), weight.numpy(), centroids.numpy(), mask.numpy())
    np.testing.assert_allclose(netvlad(x, weight, centroids, mask).numpy(), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("constant", [1.0, 0.25])
def test_a_constant_mask_changes_nothing(constant: float) -> None:
    # It scales every residual alike, and the normalisation takes the scale out.
    x, weight, centroids = tensors()
    mask = torch.full((2, 1, 4, 3), constant, dtype=torch.float64)
    torch.testing.assert_close(netvlad(x, weight, centroids, mask), netvlad(x, weight, centroids))


def test_is_hard_vlad_when_alpha_is_huge() -> None:
    # Jégou et al. 2010: each feature's residual goes to its nearest centre; for unit features and centres
    # the nearest is the one of the largest dot product.
    x, _, centroids = tensors()
    directions = centroids / centroids.norm(dim=1, keepdim=True)
    local = (x / x.norm(dim=1, keepdim=True)).flatten(2).numpy()
    expected = np.zeros((2, *directions.shape))
    for photo in range(2):
        for column in range(local.shape[2]):
            distances = np.linalg.norm(directions.numpy() - local[photo, :, column], axis=1)
            k = int(distances.argmin())
            expected[photo, k] += local[photo, :, column] - directions[k].numpy()
    norms = np.linalg.norm(expected, axis=2, keepdims=True)
    expected = np.divide(expected, norms, out=np.zeros_like(expected), where=norms > 0).reshape(2, -1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    described = netvlad(x, 1e6 * directions, directions)
    np.testing.assert_allclose(described.numpy(), expected, rtol=0, atol=1e-9)


def test_scale_of_a_location_does_not_matter() -> None:
    # Locations are L2-normalised first, so each one's length cancels.
    x, weight, centroids = tensors()
    lengths = torch.rand(2, 1, 4, 3, dtype=torch.float64) * 1e3 + 1e-3
    torch.testing.assert_close(netvlad(x * lengths, weight, centroids), netvlad(x, weight, centroids))
