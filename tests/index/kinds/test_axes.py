from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index.kinds import axes as axes_module
from landfall.index.kinds import reading
from landfall.index.kinds.axes import stream_axes
from landfall.index.kinds.projection import fit_projection
from landfall.models.pca import principal_axes


def falling(count: int = 600, dim: int = 40) -> NDArray[np.float32]:
    """Rows whose variance halves, nearly, from axis to axis, turned at random and off the origin."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    return np.asarray((rng.normal(size=(count, dim)) * 0.7 ** np.arange(dim)) @ turn + 3, np.float32)


@pytest.mark.parametrize("whole_dim", [100, 1], ids=["covariance", "subspace"])
def test_blocks_give_the_axes_of_the_whole(monkeypatch: pytest.MonkeyPatch, whole_dim: int) -> None:
    rows = falling()
    monkeypatch.setattr(axes_module, "_AT_ONCE_BYTES", 0)
    monkeypatch.setattr(axes_module, "_WHOLE_DIM", whole_dim)
    monkeypatch.setattr(axes_module, "_OVERSAMPLING", 4)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 4 * 40 * 37)
    passes: list[tuple[int, int]] = []
    found, total = stream_axes(
        rows, 5, seed=0, sample_rows=1000, progress=lambda done, of: passes.append((done, of))
    )
    expected = principal_axes(torch.from_numpy(rows))
    assert found.axes.shape == (5, 40)
    torch.testing.assert_close(found.mean, expected.mean, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.variances, expected.variances[:5], atol=1e-5, rtol=1e-4)
    # An axis has no sign.
    along = (found.axes * expected.axes[:5]).sum(dim=1).abs()
    torch.testing.assert_close(along, torch.ones(5), atol=1e-4, rtol=0)
    assert total == pytest.approx(float(rows.astype(np.float64).var(axis=0).sum()), rel=1e-5)
    assert passes[-1] == (passes[-1][1], len(passes))


def test_a_sample_is_bounded_and_drawn_by_the_seed() -> None:
    rows = falling()
    one = stream_axes(rows, 3, seed=1, sample_rows=50)[0]
    again = stream_axes(rows, 3, seed=1, sample_rows=50)[0]
    other = stream_axes(rows, 3, seed=2, sample_rows=50)[0]
    assert torch.equal(one.axes, again.axes)
    assert not torch.equal(one.mean, other.mean)


def test_no_rows_and_rows_that_are_not_finite_are_refused() -> None:
    with pytest.raises(UsageError, match="Index photos first"):
        stream_axes(np.empty((0, 4), np.float32), 2, seed=0, sample_rows=5)
    rows = falling()
    rows[77, 3] = np.inf
    with pytest.raises(UsageError, match="Database descriptor 77"):
        stream_axes(rows, 2, seed=0, sample_rows=1000)


def test_a_projection_keeps_distances_along_its_axes() -> None:
    rows = falling()
    whole = fit_projection(rows, 40, out_dim=40, seed=0)
    tall = fit_projection(rows, 40, out_dim=64, seed=0)
    assert whole.kept_variance == pytest.approx(1)
    expected = np.linalg.norm(rows[:20] - rows[20:40], axis=1)
    for projection in (whole, tall):
        # A rotation, or one into more numbers, changes no distance.
        moved = projection(rows)
        np.testing.assert_allclose(np.linalg.norm(moved[:20] - moved[20:40], axis=1), expected, rtol=1e-4)
        np.testing.assert_allclose(moved.mean(axis=0), 0, atol=1e-4)
    few = fit_projection(rows, 8, out_dim=8, seed=0)
    variances = principal_axes(torch.from_numpy(rows)).variances
    assert few.kept_variance == pytest.approx(float(variances[:8].sum() / variances.sum()), rel=1e-2)


def test_directions_without_variance_are_filled_up_at_random() -> None:
    rows = np.ones((1, 12), np.float32)
    projection = fit_projection(rows, 6, out_dim=6, seed=0)
    np.testing.assert_allclose(projection.matrix @ projection.matrix.T, np.eye(6), atol=1e-5)
    np.testing.assert_allclose(projection(rows), 0, atol=1e-5)
