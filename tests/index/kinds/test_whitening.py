from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from landfall.errors import IndexStoreError, UsageError
from landfall.index.kinds.whitening import (
    apply_whitening,
    fit_index_whitening,
    load_whitening,
    save_whitening,
)
from landfall.models.pca import fit_whitening

RNG = np.random.default_rng(0)
ROWS = (RNG.normal(size=(300, 20)) * np.linspace(1, 5, 20) + 2).astype(np.float16)


@pytest.mark.parametrize("shrinkage", [0.0, 1.0])
def test_it_is_that_of_the_models(shrinkage: float) -> None:
    samples = torch.from_numpy(ROWS.astype(np.float32))
    expected = fit_whitening(samples, dim=6, shrinkage=shrinkage)
    found = fit_index_whitening(ROWS, 6, shrinkage=shrinkage)
    one, other = (w(samples) for w in (expected, found))
    torch.testing.assert_close(one @ one.T, other @ other.T, atol=1e-4, rtol=0)


def test_plain_whitening_leaves_the_identity_as_covariance() -> None:
    whitening = fit_index_whitening(ROWS, 20, shrinkage=0)
    components = whitening.components(torch.from_numpy(ROWS.astype(np.float32))).numpy()
    np.testing.assert_allclose(np.cov(components.T, bias=True), np.eye(20), atol=1e-3)


def test_what_was_saved_whitens_alike(tmp_path: Path) -> None:
    whitening = fit_index_whitening(ROWS, 6)
    save_whitening(whitening, tmp_path / "w.safetensors")
    loaded = load_whitening(tmp_path / "w.safetensors")
    moved = apply_whitening(loaded, ROWS)
    assert moved.dtype == np.float32
    np.testing.assert_array_equal(moved, apply_whitening(whitening, ROWS))
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, rtol=1e-5)
    (tmp_path / "w.safetensors").write_bytes(b"no")
    with pytest.raises(IndexStoreError, match="Fit the whitening anew"):
        load_whitening(tmp_path / "w.safetensors")


def test_what_cannot_be_whitened_is_refused() -> None:
    with pytest.raises(UsageError, match="dim is 21"):
        fit_index_whitening(ROWS, 21)
    with pytest.raises(UsageError, match="don't differ"):
        fit_index_whitening(np.ones((5, 4), np.float32), 2)
