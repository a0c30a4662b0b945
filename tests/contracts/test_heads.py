"""What every registered head must do; a new head is covered as soon as it is registered."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from landfall.models.creation import create_head, create_network
from landfall.models.heads import HEADS, ClusteredHead, Head
from landfall.models.loading import load_model

CHANNELS = 6

#: Largest difference allowed between two ways to the same number.
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}

#: One location, one row, one column, odd and non-square.
MAP_SIZES = [(1, 1), (1, 4), (5, 1), (7, 5), (6, 4)]


@pytest.fixture(params=HEADS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def small_options(name: str) -> dict[str, Any]:
    return {"clusters": 4} if "clusters" in inspect.signature(HEADS[name]).parameters else {}


def make(name: str, *, seed: int = 0) -> Head:
    """A head away from its start, where a mask of one or a zero bias would hide mistakes."""
    torch.manual_seed(seed)
    head = create_head(name, in_channels=CHANNELS, **small_options(name))
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return head.eval()


def feature_map(batch: int, height: int, width: int, *, seed: int = 1) -> Tensor:
    """Non-negative, as maps are behind a ReLU, and off GeM's clamp."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, CHANNELS, height, width, generator=generator) + 0.05


@pytest.mark.parametrize("size", MAP_SIZES)
def test_shape_and_norm(name: str, size: tuple[int, int]) -> None:
    head = make(name)
    described = head(feature_map(3, *size))
    assert described.shape == (3, head.out_dim)
    assert described.dtype == torch.float32
    norms = described.norm(dim=1)
    if head.unit_norm:
        torch.testing.assert_close(norms, torch.ones(3), atol=1e-5, rtol=0)
    elif size != (1, 1):
        # Base is a mean of differing unit vectors, so it is shorter than one (triangle inequality).
        assert bool((norms < 1 - 1e-4).all())


def test_base_alone_is_not_normalised() -> None:
    assert [n for n in HEADS.names() if not make(n).unit_norm] == ["base"]


def test_a_batch_of_one_equals_its_row(name: str) -> None:
    head = make(name)
    x = feature_map(4, 7, 5)
    torch.testing.assert_close(head(x[2:3]), head(x)[2:3], atol=TOLERANCE[torch.float32], rtol=0)


def test_memory_layout_does_not_matter(name: str) -> None:
    head = make(name).double()
    x = feature_map(2, 7, 5).double()
    channels_last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(head(channels_last), head(x), atol=TOLERANCE[torch.float64], rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (5, 3)])
def test_gradients_equal_finite_differences(name: str, size: tuple[int, int]) -> None:
    head = make(name).double()
    x = feature_map(2, *size).double().requires_grad_()
    parameters = dict(head.named_parameters())

    def described(x: Tensor, *values: Tensor) -> Tensor:
        result: Tensor = torch.func.functional_call(head, dict(zip(parameters, values, strict=True)), (x,))
        return result

    # The fast mode compares random projections of both Jacobians; the masks have thousands of parameters.
    assert torch.autograd.gradcheck(described, (x, *parameters.values()), fast_mode=True)


def test_maps_with_empty_locations_give_finite_numbers(name: str) -> None:
    head = make(name)
    x = feature_map(2, 6, 4)
    x[:, :, :3] = 0
    x[1] = 0
    x.requires_grad_()
    described = head(x)
    assert bool(described.isfinite().all())
    described.square().sum().backward()
    for tensor in (x, *head.parameters()):
        assert tensor.grad is None or bool(tensor.grad.isfinite().all())


def test_half_precision_survives_empty_locations(name: str) -> None:
    head = make(name)
    x = feature_map(2, 6, 4)
    x[:, :, :3] = 0
    described = head.half()(x.half())
    assert bool(described.isfinite().all())


@pytest.mark.parametrize("size", MAP_SIZES)
def test_attention_is_a_number_for_each_location(name: str, size: tuple[int, int]) -> None:
    maps = make(name).attention(feature_map(3, *size))
    assert len({one.name for one in maps}) == len(maps) > 0
    for one in maps:
        assert one.name
        assert one.meaning
        assert one.values.shape == (3, *size)
        assert bool(one.values.isfinite().all())
        assert one.values.min().item() >= 0


def test_attention_of_a_batch_of_one_equals_its_row(name: str) -> None:
    head = make(name)
    x = feature_map(4, 7, 5)
    for alone, row in zip(head.attention(x[2:3]), head.attention(x), strict=True):
        assert alone.name == row.name
        torch.testing.assert_close(alone.values, row.values[2:3], atol=TOLERANCE[torch.float32], rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_attention_to_empty_locations_is_finite(name: str, dtype: torch.dtype) -> None:
    x = feature_map(2, 6, 4).to(dtype)
    x[:, :, :3] = 0
    x[1] = 0
    for one in make(name).to(dtype).attention(x):
        assert bool(one.values.isfinite().all())


def test_state_dict_round_trip(name: str) -> None:
    first, second = make(name, seed=0), make(name, seed=1)
    second.load_state_dict(first.state_dict())
    x = feature_map(2, 7, 5)
    assert torch.equal(first(x), second(x))


def test_same_seed_gives_same_head(name: str) -> None:
    x = feature_map(2, 7, 5)
    assert torch.equal(make(name, seed=3)(x), make(name, seed=3)(x))


def test_network_file_round_trip_is_exact(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create_network("resnet18", name, head_options=small_options(name), height=48, width=64)
    photos = torch.randint(0, 256, (2, 48, 64, 3), dtype=torch.uint8).numpy()
    network.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors", device="cpu")
    assert loaded.card == network.card
    assert (loaded.describe(photos) == network.describe(photos)).all()


def test_clustered_heads_start_from_their_features(name: str) -> None:
    head = make(name)
    if not isinstance(head, ClusteredHead):
        pytest.skip(f"{name} has no clusters")
    features = feature_map(1, 20, 10).flatten(2)[0].T
    before = {key: value.clone() for key, value in head.state_dict().items()}
    head.initialise(features, seed=5)
    after = {key: value.clone() for key, value in head.state_dict().items()}
    assert any(not torch.equal(after[key], before[key]) for key in after)
    head.initialise(features, seed=5)
    assert all(torch.equal(after[key], value) for key, value in head.state_dict().items())
