"""GeM and Base against plain loops and limit cases."""

from __future__ import annotations

import math

import pytest
import torch

from landfall.models.heads.base import base
from landfall.models.heads.gem import GeM, gem


def a_map() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(2, 5, 4, 3, dtype=torch.float64) - 0.2  # some values below the clamp


def test_gem_equals_a_loop() -> None:
    x = a_map()
    pooled = gem(x, 3.0)
    for b in range(2):
        for k in range(5):
            values = [max(float(v), 1e-6) ** 3 for v in x[b, k].flatten()]
            assert float(pooled[b, k]) == pytest.approx((sum(values) / len(values)) ** (1 / 3), rel=1e-12)


def test_gem_at_p_one_is_the_mean() -> None:
    x = a_map().abs() + 1e-3
    torch.testing.assert_close(gem(x, 1.0), x.mean(dim=(2, 3)), rtol=1e-12, atol=0)


def test_gem_at_large_p_is_the_maximum() -> None:
    # The power mean of N values lies between max * N^(-1/p) and max.
    x = a_map().abs() + 1e-3
    greatest = x.amax(dim=(2, 3))
    pooled = gem(x, 500.0)
    assert bool((pooled <= greatest * (1 + 1e-12)).all())
    assert bool((pooled >= greatest * 12 ** (-1 / 500) * (1 - 1e-12)).all())


def test_gem_without_whitening_is_the_normalised_generalised_mean() -> None:
    x = a_map().float()
    pooled = gem(x, 3.0)
    expected = pooled / pooled.square().sum(dim=1, keepdim=True).sqrt()
    torch.testing.assert_close(GeM(in_channels=5, whitening=False)(x), expected)


def test_gem_whitening_comes_between_two_normalisations() -> None:
    torch.manual_seed(0)
    head = GeM(in_channels=5, out_dim=3, random_start=True)
    x = a_map().float()
    pooled = GeM(in_channels=5, whitening=False)(x)
    assert head.whitening is not None
    projected = pooled @ head.whitening.weight.T + head.whitening.bias
    expected = projected / projected.square().sum(dim=1, keepdim=True).sqrt()
    torch.testing.assert_close(head(x), expected)


def test_an_untrained_gem_is_one_without_whitening() -> None:
    x = a_map().float()
    pooled = GeM(in_channels=5, whitening=False)(x)
    torch.testing.assert_close(GeM(in_channels=5)(x), pooled)
    # An orthogonal map to more numbers keeps the distances between any two.
    wider = GeM(in_channels=5, out_dim=9)(x)
    torch.testing.assert_close(torch.pdist(wider), torch.pdist(pooled))
    assert not torch.allclose(GeM(in_channels=5, random_start=True)(x), pooled, atol=1e-2)


def test_exponent_is_three_and_fixed_unless_learned() -> None:
    assert float(GeM(in_channels=4).p) == 3.0
    assert not any(name == "p" for name, _ in GeM(in_channels=4).named_parameters())
    learned = GeM(in_channels=4, learn_p=True, whitening=False)
    learned(torch.rand(1, 4, 3, 3))[:, 0].sum().backward()
    assert learned.p.grad is not None
    assert float(learned.p.grad.abs()) > 0


def test_base_equals_a_loop() -> None:
    x = a_map()
    pooled = base(x)
    for b in range(2):
        total = [0.0] * 5
        for row in range(4):
            for column in range(3):
                vector = [float(v) for v in x[b, :, row, column]]
                norm = math.sqrt(sum(v * v for v in vector))
                total = [t + v / norm for t, v in zip(total, vector, strict=True)]
        assert [float(v) for v in pooled[b]] == pytest.approx([t / 12 for t in total], rel=1e-12)
