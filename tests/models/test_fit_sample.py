"""What a whitening would be without some of its photos, against one that is really fitted without them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from landfall.models.fit_sample import FitSample, held_out_distances
from landfall.models.pca import fit_whitening


def vectors(count: int, dim: int) -> torch.Tensor:
    drawn = np.random.default_rng(0).normal(size=(count, dim)) * np.linspace(1.0, 0.1, dim) + 0.3
    return torch.nn.functional.normalize(torch.from_numpy(drawn.astype(np.float32)), dim=1)


def hashes(count: int) -> list[str]:
    return [f"{number:032x}" for number in range(count)]


@pytest.mark.parametrize("dim", [6, 1000])
@pytest.mark.parametrize("length", [12, 80])  # fewer numbers than photos, and more
@pytest.mark.parametrize("shrinkage", [0.5, 1.0])
def test_it_is_the_whitening_fitted_without_the_fold(dim: int, length: int, shrinkage: float) -> None:
    drawn = vectors(40, length)
    folds = np.arange(40) % 3
    sample = FitSample.of(drawn, hashes(40), dim=dim, shrinkage=shrinkage)
    got = held_out_distances(sample, folds)
    for fold in range(3):
        held, kept = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        whitening = fit_whitening(drawn[kept], dim=dim, shrinkage=shrinkage)
        expected = torch.cdist(whitening(drawn[held]), whitening(drawn[kept])).numpy()
        np.testing.assert_allclose(got[np.ix_(held, kept)], expected, atol=2e-3)
        assert np.isinf(got[np.ix_(held, held)]).all()


def test_photos_of_the_fit_stand_further_apart_than_a_stranger_is() -> None:
    # The reason for all this: with as many axes as photos, each photo of the fit is at right angles to all.
    drawn = vectors(60, 300)
    whitening = fit_whitening(drawn, dim=1000, shrinkage=0.0)
    inside = torch.cdist(whitening(drawn), whitening(drawn)).numpy()
    inside = inside[~np.eye(60, dtype=bool)]
    sample = FitSample.of(drawn, hashes(60), dim=1000, shrinkage=0.0)
    outside = held_out_distances(sample, np.arange(60) % 10)
    assert np.ptp(inside) < 0.01
    assert np.ptp(outside[np.isfinite(outside)]) > 0.3


def test_hashes_are_kept() -> None:
    assert FitSample.of(vectors(5, 4), hashes(5), dim=3, shrinkage=1.0).hashes == hashes(5)
