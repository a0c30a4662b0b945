"""CRN and CRN2: their masks written out, their start as NetVLAD, and the paper's parameter counts."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from landfall.models.creation import create_head
from landfall.models.heads import CRN, CRN2, NetVLAD
from landfall.models.heads.mask import MaskActivation


def start(head: NetVLAD) -> NetVLAD:
    """Give any clustered head the same centroids, as sharp as on street views."""
    generator = torch.Generator().manual_seed(1)
    centroids = F.normalize(torch.rand(head.clusters, head.in_channels, generator=generator), dim=1)
    with torch.no_grad():
        head.centroids.copy_(centroids)
        head.conv.weight.copy_(100 * centroids[:, :, None, None])
    return head


def rectified_map(*size: int) -> Tensor:
    """As a trained backbone's: rectified, sparse, a few units at most."""
    return F.relu(torch.randn(*size, generator=torch.Generator().manual_seed(2)))


@pytest.mark.parametrize("activation", ["softplus", "relu"])
@pytest.mark.parametrize("kind", [CRN, CRN2])
@pytest.mark.parametrize("size", [(30, 40), (7, 5), (1, 1)])
def test_untrained_is_netvlad(
    kind: type[CRN | CRN2], activation: MaskActivation, size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    head = start(kind(in_channels=256, mask_activation=activation))
    x = rectified_map(2, 256, *size)
    expected = start(NetVLAD(in_channels=256))(x)
    assert (head(x) - expected).norm(dim=1).max().item() < 1e-4


@pytest.mark.parametrize("activation", ["softplus", "relu"])
@pytest.mark.parametrize("name", ["crn", "crn2"])
def test_every_layer_of_an_untrained_mask_learns(name: str, activation: str) -> None:
    torch.manual_seed(0)
    head = create_head(name, in_channels=32, clusters=4, mask_activation=activation)
    assert isinstance(head, CRN | CRN2)
    described = head(rectified_map(3, 32, 9, 8))
    ((described[0] - described[1]).norm() - (described[0] - described[2]).norm()).backward()
    # All but the last bias: it moves the whole mask, and a constant mask is normalised away.
    for key, parameter in head.mask.named_parameters():
        if key != "accumulate.bias":
            assert parameter.grad is not None
            assert float(parameter.grad.abs().max()) > 0, key


@pytest.mark.parametrize("kind", [CRN, CRN2])
def test_non_negative_masks_stay_so(kind: type[CRN | CRN2]) -> None:
    for activation in ("softplus", "relu"):
        head = kind(in_channels=8, clusters=2, mask_activation=activation)
        torch.nn.init.normal_(head.mask.accumulate.weight, std=10)
        assert head.mask(rectified_map(2, 8, 7, 5)).min().item() >= 0


def test_papers_form_has_no_activation_and_the_plain_start() -> None:
    torch.manual_seed(0)
    masks = [CRN(in_channels=8, mask_activation="none").mask(rectified_map(1, 8, 6, 6)) for _ in range(20)]
    assert min(m.min().item() for m in masks) < 0


@pytest.mark.parametrize("size", [(6, 4), (7, 5)])
def test_crn_mask_written_out(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    mask = CRN(in_channels=8, mask_activation="none").mask.double()
    x = rectified_map(2, 8, *size).double()
    height, width = size[0] // 2, size[1] // 2
    pooled = torch.empty(2, 8, height, width, dtype=torch.float64)
    for row in range(height):
        for column in range(width):
            window = x[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            pooled[:, :, row, column] = window.mean(dim=(2, 3))
    branches = []
    for layer, radius in ((mask.branch3, 1), (mask.branch5, 2), (mask.branch7, 3)):
        patches = F.unfold(pooled, kernel_size=2 * radius + 1, padding=radius)
        assert layer.bias is not None
        out = layer.weight.flatten(1) @ patches + layer.bias[:, None]
        branches.append(out.clamp(min=0))
    assert mask.accumulate.bias is not None
    summed = mask.accumulate.weight.flatten(1) @ torch.cat(branches, dim=1) + mask.accumulate.bias[:, None]
    small = summed.view(2, 1, height, width)
    expected = torch.zeros(2, 1, *size, dtype=torch.float64)
    for row in range(size[0]):
        for column in range(size[1]):
            expected[:, 0, row, column] = _bilinear(small[:, 0], row, column, size)
    torch.testing.assert_close(mask(x), expected)


def _bilinear(small: Tensor, row: int, column: int, size: tuple[int, int]) -> Tensor:
    """One pixel of an enlargement whose corners are not aligned: pixel centres lie at (i + 0.5) / n."""

    def neighbours(i: int, large: int, few: int) -> tuple[int, int, float]:
        at = max((i + 0.5) * few / large - 0.5, 0.0)
        low = min(int(at), few - 1)
        return low, min(low + 1, few - 1), at - low

    top, bottom, down = neighbours(row, size[0], small.shape[1])
    left, right, along = neighbours(column, size[1], small.shape[2])
    upper = (1 - along) * small[:, top, left] + along * small[:, top, right]
    lower = (1 - along) * small[:, bottom, left] + along * small[:, bottom, right]
    return (1 - down) * upper + down * lower


def test_crn2_sees_as_far_as_crn() -> None:
    # One, two and three 3x3 convolutions of dilation 2 reach 2, 4 and 6 locations: CRN's 3x3, 5x5 and 7x7
    # reach 1, 2 and 3 locations of a map of half the size.
    torch.manual_seed(0)
    mask = CRN2(in_channels=2, mask_activation="none").mask.double()
    for branch, reach in ((mask.branch1, 2), (mask.branch2, 4), (mask.branch3, 6)):
        x = torch.rand(1, 2, 17, 17, dtype=torch.float64, requires_grad=True)
        branch(x)[0, :, 8, 8].sum().backward()
        assert x.grad is not None
        rows = x.grad[0].abs().sum(dim=(0, 2)).nonzero().flatten()
        assert int(rows.min()) == 8 - reach
        assert int(rows.max()) == 8 + reach


#: Paper, section 3: parameters with 256 channels and 64 clusters, backbone and centroids excluded.
PAPER = {"base": 0, "gem": 65_792, "netvlad": 16_384, "crn": 545_961, "crn2": 262_025}
PAPER_MASKS = {"crn": 529_577, "crn2": 245_641}
PAPER_DIMS = {"base": 256, "gem": 256, "netvlad": 16_384, "crn": 16_384, "crn2": 16_384}


@pytest.mark.parametrize("name", PAPER)
def test_parameter_counts_are_the_papers(name: str) -> None:
    head = create_head(name, in_channels=256)
    counts = {key: p.numel() for key, p in head.named_parameters() if key != "centroids"}
    assert sum(counts.values()) == PAPER[name]
    assert sum(n for key, n in counts.items() if key.startswith("mask.")) == PAPER_MASKS.get(name, 0)
    assert head.out_dim == PAPER_DIMS[name]
