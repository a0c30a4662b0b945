"""Principal axes and whitening: limit cases, and covariance against Gram matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from landfall.models.pca import fit_whitening, principal_axes


def sample(count: int, dim: int, seed: int = 0) -> torch.Tensor:
    """Return samples (count, dim) around a mean that isn't zero, of a different spread along each axis."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, dim)) * np.geomspace(1, 0.05, dim) @ rng.normal(size=(dim, dim))
    return torch.from_numpy((mixed + rng.normal(size=dim)).astype(np.float32))


@pytest.mark.parametrize(("count", "dim"), [(200, 12), (12, 200), (30, 30)])
def test_without_shrinkage_the_sample_s_covariance_becomes_the_identity(count: int, dim: int) -> None:
    samples = sample(count, dim)
    whitened = fit_whitening(samples, dim=8, shrinkage=0).components(samples).double().numpy()
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(whitened.T @ whitened / count, np.eye(8), atol=2e-3)


def test_shrinkage_lowers_each_variance_as_stated() -> None:
    # lambda / (lambda + s mean(lambda)), from the docstring's equation.
    samples = sample(300, 10)
    variances = np.linalg.eigvalsh(np.cov(samples.numpy().T, bias=True))[::-1]
    whitened = fit_whitening(samples, dim=10, shrinkage=0.5).components(samples).numpy()
    np.testing.assert_allclose(
        whitened.var(axis=0), variances / (variances + 0.5 * variances.mean()), rtol=1e-3
    )


def test_with_endless_shrinkage_it_only_rotates() -> None:
    # Limit case: all axes are divided by the same number, so cosines about the mean stay what they were.
    samples = sample(40, 6)
    turned = fit_whitening(samples, dim=6, shrinkage=1e6)(samples).numpy()
    centred = (samples - samples.mean(dim=0)).numpy()
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(turned @ turned.T, centred @ centred.T, atol=1e-4)


@given(count=st.integers(2, 40), dim=st.integers(1, 40), seed=st.integers(0, 99))
def test_axes_are_orthonormal_and_hold_all_the_variance(count: int, dim: int, seed: int) -> None:
    samples = torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32))
    principal = principal_axes(samples)
    found = len(principal.variances)
    assert found <= min(count - 1, dim)
    np.testing.assert_allclose((principal.axes @ principal.axes.T).numpy(), np.eye(found), atol=1e-3)
    assert (np.diff(principal.variances.numpy()) <= 0).all()
    assert principal.variances.sum().item() == pytest.approx(samples.numpy().var(axis=0).sum(), rel=1e-4)


def test_gram_matrix_and_covariance_find_the_same_axes() -> None:
    # 20 samples of 15 numbers go by the covariance; padded with zeros to 25 numbers, by the Gram matrix.
    samples = sample(20, 15)
    by_covariance = principal_axes(samples)
    by_gram = principal_axes(torch.nn.functional.pad(samples, (0, 10)))
    torch.testing.assert_close(by_gram.variances[:8], by_covariance.variances[:8], rtol=1e-3, atol=0)
    overlaps = (by_gram.axes[:8, :15] * by_covariance.axes[:8]).sum(dim=1).abs()
    torch.testing.assert_close(overlaps, torch.ones(8), rtol=0, atol=1e-3)
    assert not by_gram.axes[:8, 15:].any()


@pytest.mark.parametrize("dim", [3, 30])
def test_samples_that_are_all_alike_have_no_axes(dim: int) -> None:
    samples = torch.full((5, dim), 0.3)
    assert len(principal_axes(samples).axes) == 0
    assert fit_whitening(samples, dim=4).projection.shape == (0, dim)


def test_repeated_samples_add_no_axes() -> None:
    assert len(principal_axes(sample(3, 50).repeat(4, 1)).axes) == 2


def test_a_vector_alone_gives_its_row() -> None:
    samples = sample(37, 60)
    whitening = fit_whitening(samples, dim=20)
    together = whitening(samples)
    torch.testing.assert_close(torch.stack([whitening(row) for row in samples]), together)
    torch.testing.assert_close(torch.linalg.vector_norm(together, dim=1), torch.ones(37))


def test_the_mean_itself_stays_zero() -> None:
    whitening = fit_whitening(sample(20, 9), dim=5)
    assert not whitening(whitening.mean).any()
    assert whitening(torch.empty(0, 9)).shape == (0, 5)
