"""What heads attend to, against written-out loops, gradients, and what must add up."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from landfall.models.heads import CRN, CRN2, Head, NetVLAD
from landfall.models.heads.base import base_shares
from landfall.models.heads.gem import gem, gem_shares
from landfall.models.heads.netvlad import residual_energy


def a_map(*, channels: int = 5) -> Tensor:
    return torch.rand(2, channels, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def clusters(count: int = 4, *, sharpness: float = 3.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    centroids = torch.rand(count, 5, dtype=torch.float64, generator=generator)
    return sharpness * torch.randn(count, 5, dtype=torch.float64, generator=generator), centroids


def test_energy_equals_the_norm_of_the_written_out_residuals() -> None:
    x, (weight, centroids) = a_map(), clusters()
    energy = residual_energy(x, weight, centroids)
    for photo in range(2):
        for row in range(4):
            for column in range(3):
                local = x[photo, :, row, column].numpy()
                local = local / math.sqrt(sum(v * v for v in local))
                scores = [math.exp(w @ local) for w in weight.numpy()]
                # Location's term of eq. 3, one cluster after the other, as it is added to V.
                added = [
                    score / sum(scores) * (local - centroid)
                    for score, centroid in zip(scores, centroids.numpy(), strict=True)
                ]
                expected = math.sqrt((np.concatenate(added) ** 2).sum())
                assert float(energy[photo, row, column]) == pytest.approx(expected, rel=1e-12)


def test_energy_is_the_distance_to_the_nearest_centroid_when_alpha_is_huge() -> None:
    x, (_, centroids) = a_map(), clusters()
    directions = centroids / centroids.norm(dim=1, keepdim=True)
    local = (x / x.norm(dim=1, keepdim=True)).flatten(2).transpose(1, 2)
    expected = (local[:, :, None] - directions).norm(dim=3).amin(dim=2).view(2, 4, 3)
    torch.testing.assert_close(residual_energy(x, 1e6 * directions, directions), expected)


def test_energy_near_a_centroid_keeps_its_digits() -> None:
    # In float32 the square of this distance is lost beside 1 - 2 x.c + ||c||^2.
    centroids = F.normalize(torch.rand(1, 5), dim=1)
    x = centroids[0].clone().view(1, 5, 1, 1)
    x[0, 0] += 1e-5
    expected = (F.normalize(x.double(), dim=1).flatten() - centroids[0].double()).norm()
    energy = residual_energy(x, torch.zeros(1, 5), centroids)
    assert float(energy) == pytest.approx(float(expected), rel=2e-2)


def test_energy_of_a_location_does_not_depend_on_its_length() -> None:
    x, (weight, centroids) = a_map(), clusters()
    lengths = torch.rand(2, 1, 4, 3, dtype=torch.float64) * 1e3 + 1e-3
    torch.testing.assert_close(
        residual_energy(x * lengths, weight, centroids), residual_energy(x, weight, centroids)
    )


def masked(kind: type[CRN | CRN2], mask: float) -> CRN | CRN2:
    """A head whose mask is the same everywhere, and that has NetVLAD's parameters otherwise."""
    torch.manual_seed(0)
    head = kind(in_channels=5, clusters=4, mask_activation="none").double()
    assert head.mask.accumulate.bias is not None
    with torch.no_grad():
        head.mask.accumulate.weight.zero_()
        head.mask.accumulate.bias.fill_(mask)
    return head


@pytest.mark.parametrize("kind", [CRN, CRN2])
def test_a_mask_of_ones_gives_netvlads_energy(kind: type[CRN | CRN2]) -> None:
    head = masked(kind, 1.0)
    mask, energy = head.attention(a_map())
    plain = NetVLAD(in_channels=5, clusters=4).double()
    plain.load_state_dict({key: value for key, value in head.state_dict().items() if "mask" not in key})
    torch.testing.assert_close(mask.values, torch.ones(2, 4, 3, dtype=torch.float64))
    torch.testing.assert_close(energy.values, plain.attention(a_map())[0].values)


@pytest.mark.parametrize("kind", [CRN, CRN2])
def test_a_mask_below_zero_is_shown_as_it_is_and_weighs_as_much(kind: type[CRN | CRN2]) -> None:
    mask, energy = masked(kind, -2.0).attention(a_map())
    ones = masked(kind, 1.0).attention(a_map())[1]
    torch.testing.assert_close(mask.values, torch.full((2, 4, 3), -2.0, dtype=torch.float64))
    torch.testing.assert_close(energy.values, 2 * ones.values)


@pytest.mark.parametrize("kind", [CRN, CRN2])
def test_the_mask_shown_is_the_mask_that_pools(kind: type[CRN | CRN2]) -> None:
    torch.manual_seed(0)
    head = kind(in_channels=5, clusters=4, mask_activation="none")
    x = a_map().float()
    torch.testing.assert_close(head.attention(x)[0].values, head.mask(x)[:, 0])


def gradient_times_input(x: Tensor, pooled: Tensor) -> Tensor:
    """Each location's part of ||f||^2 / 2 by Euler's theorem: the pooling f is homogeneous of degree one."""
    [gradient] = torch.autograd.grad(pooled.square().sum() / 2, x)
    return (x * gradient).sum(dim=1) / pooled.square().sum(dim=1)[:, None, None]


@pytest.mark.parametrize("p", [1.0, 3.0, 6.5])
def test_gem_shares_are_gradient_times_input(p: float) -> None:
    x = (a_map() + 0.01).requires_grad_()
    parts = gradient_times_input(x, gem(x, p))
    torch.testing.assert_close(gem_shares(x, p), 12 * parts)


def test_base_shares_are_gradient_times_input() -> None:
    local = F.normalize(a_map(), dim=1).requires_grad_()
    parts = gradient_times_input(local, local.mean(dim=(2, 3)))
    torch.testing.assert_close(base_shares(a_map()), 12 * parts)


def test_shares_are_even_on_average() -> None:
    x = a_map()
    for shares in (base_shares(x), gem_shares(x, 3.0)):
        torch.testing.assert_close(shares.mean(dim=(1, 2)), torch.ones(2, dtype=torch.float64))


def test_gem_share_at_p_one_is_the_projection_on_the_mean() -> None:
    x = a_map() + 0.01
    mean = x.mean(dim=(2, 3))
    for photo in range(2):
        projected = torch.einsum("chw,c->hw", x[photo], mean[photo]) / mean[photo].square().sum()
        torch.testing.assert_close(gem_shares(x, 1.0)[photo], projected)


def test_gem_share_at_large_p_belongs_to_the_maxima() -> None:
    x = a_map()
    shares = gem_shares(x, 2000.0)
    for photo in range(2):
        winners = x[photo].flatten(1).argmax(dim=1)
        weight = x[photo].flatten(1).amax(dim=1).square()
        expected = torch.zeros(12, dtype=torch.float64).index_add_(0, winners, weight / weight.sum())
        torch.testing.assert_close(shares[photo].flatten(), 12 * expected, atol=0.05, rtol=0)


class Silent(Head):
    """A head that does not say what it attends to: the mean, its columns weighted, L2-normalised."""

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.arange(1, x.shape[3] + 1, dtype=x.dtype)
        return F.normalize((x * weight).mean(dim=(2, 3)), dim=1)


def test_a_head_that_says_nothing_is_blanked_location_by_location() -> None:
    head, x = Silent(in_channels=5), a_map()
    # More locations than go through the head at once, and the last ones are fewer.
    x = torch.cat([x, x.flip(3) + 0.1], dim=3)
    [influence] = head.attention(x)
    assert influence.values.shape == (2, 4, 6)
    for photo in range(2):
        for row in range(4):
            for column in range(6):
                blanked = x[photo : photo + 1].clone()
                blanked[0, :, row, column] = 0
                moved = (head(blanked) - head(x[photo : photo + 1])).norm()
                torch.testing.assert_close(influence.values[photo, row, column], moved)
    assert float(influence.values[:, :, 5].mean()) > float(influence.values[:, :, 0].mean())
