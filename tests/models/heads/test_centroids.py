"""k-means and the sharpness of the assignment, against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from landfall.errors import ModelError
from landfall.models.heads import NetVLAD
from landfall.models.heads.centroids import assignment_alpha, assignment_weights, kmeans


def blobs(*, each: int = 50, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Well separated groups, and their means."""
    rng = np.random.default_rng(seed)
    groups = np.eye(4, dtype=np.float32)[:, None] + 0.02 * rng.standard_normal((4, each, 4)).astype(
        np.float32
    )
    return groups.reshape(-1, 4), groups.mean(axis=1)


def test_kmeans_finds_separated_groups() -> None:
    features, means = blobs()
    # k-means may stop where two centroids share a group; these seeds don't, and then the answer is unique.
    for seed in (0, 1, 2):
        found = kmeans(features, 4, seed=seed)
        distances = np.linalg.norm(found[:, None] - means[None], axis=2)
        if len(set(distances.argmin(axis=1))) == 4:
            assert distances.min(axis=1).max() < 1e-5
            return
    pytest.fail("no seed found the four groups")


def test_kmeans_uses_every_feature() -> None:
    # One centroid is the mean of all, of 3 000 features as well: none is sampled away.
    features = np.random.default_rng(0).random((3000, 3), dtype=np.float32)
    np.testing.assert_allclose(kmeans(features, 1)[0], features.mean(axis=0), atol=1e-5)


def test_kmeans_is_deterministic() -> None:
    features, _ = blobs(seed=3)
    assert (kmeans(features, 3, seed=5) == kmeans(features, 3, seed=5)).all()


def test_alpha_by_hand() -> None:
    # Dot products with the unit centroids are the features' coordinates: gaps 0.6 - 0.2 and 0.9 - 0.1.
    directions = np.eye(3, dtype=np.float32)
    features = np.array([[0.6, 0.2, 0.1], [0.05, 0.1, 0.9]], dtype=np.float32)
    assert assignment_alpha(directions, features) == pytest.approx(-math.log(0.01) / 0.6, rel=1e-6)


def test_alpha_gives_a_hundred_to_one() -> None:
    # One feature: its best cluster outweighs the second by exactly 1 / 0.01.
    directions = np.eye(3, dtype=np.float32)
    feature = np.array([[0.5, 0.3, 0.0]], dtype=np.float32)
    scores = np.exp(assignment_alpha(directions, feature) * feature[0].astype(np.float64))
    assert scores[0] / scores[1] == pytest.approx(100, rel=1e-5)


def test_weights_point_along_the_centroids() -> None:
    features, means = blobs()
    weights = assignment_weights(means, features)
    alpha = assignment_alpha(means / np.linalg.norm(means, axis=1, keepdims=True), features)
    np.testing.assert_allclose(np.linalg.norm(weights, axis=1), alpha, rtol=1e-5)
    cosines = (weights * means).sum(axis=1) / np.linalg.norm(weights, axis=1) / np.linalg.norm(means, axis=1)
    np.testing.assert_allclose(cosines, 1, atol=1e-6)


def test_initialise_normalises_features_unless_told_not_to() -> None:
    features = torch.from_numpy(blobs()[0]) * torch.linspace(1, 50, 200)[:, None]
    heads = {}
    for normalise in (True, False):
        head = NetVLAD(in_channels=4, clusters=4)
        head.initialise(features, seed=0, normalise=normalise)
        heads[normalise] = head.centroids.detach().norm(dim=1)
    # Means of unit vectors are no longer than one; means of the raw ones are some 25 long.
    assert float(heads[True].max()) <= 1 + 1e-6
    assert float(heads[False].max()) > 5


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_identical_features_give_finite_descriptors(value: float) -> None:
    head = NetVLAD(in_channels=4, clusters=3)
    head.initialise(torch.full((20, 4), value))
    described = head(torch.full((1, 4, 3, 3), value))
    assert bool(described.isfinite().all())
    assert all(bool(p.isfinite().all()) for p in head.parameters())


def test_single_cluster() -> None:
    head = NetVLAD(in_channels=4, clusters=1)
    features = torch.rand(10, 4)
    head.initialise(features)
    unit = features / features.norm(dim=1, keepdim=True)
    torch.testing.assert_close(head.centroids.detach()[0], unit.mean(dim=0))


def test_as_many_features_as_clusters_are_enough_and_fewer_are_not() -> None:
    head = NetVLAD(in_channels=4, clusters=8)
    head.initialise(torch.rand(8, 4))
    with pytest.raises(ModelError, match="8 clusters need at least 8 local features, and the sample holds 7"):
        head.initialise(torch.rand(7, 4))


def test_broken_features_are_refused() -> None:
    head = NetVLAD(in_channels=4, clusters=2)
    with pytest.raises(ModelError, match="NaN or infinity"):
        head.initialise(torch.full((5, 4), float("nan")))
    with pytest.raises(ModelError, match=r"shape \(5, 3\); expected \(N, 4\)"):
        head.initialise(torch.rand(5, 3))
