"""Network: describing, modes, saving, and strict loading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F

from landfall.errors import ModelError, WeightsError
from landfall.models.checkpoint import read_checkpoint, write_checkpoint
from landfall.models.creation import create_network
from landfall.models.loading import load_model
from landfall.models.model import Model
from landfall.models.network import Network


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return create_network("resnet18", "netvlad", head_options={"clusters": 4}, height=48, width=64)


def photos(batch: int = 2, height: int = 48, width: int = 64) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


def test_is_a_model(network: Network) -> None:
    assert isinstance(network, Model)


def test_describe_normalises_as_the_card_says(network: Network) -> None:
    images = photos()
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in (network.card.mean, network.card.std))
    with torch.no_grad():
        expected = network((x - mean) / std)
    described = network.describe(images)
    assert described.dtype == np.float32
    assert described.shape == (2, network.card.descriptor_dim)
    np.testing.assert_allclose(described, expected.numpy(), rtol=0, atol=1e-5)


def test_features_are_the_map_that_the_head_takes(network: Network) -> None:
    x = network.normalise(photos(1, 33, 65))
    features = network.features(x)
    assert features.shape == (1, 256, 3, 5)  # a sixteenth of each side, rounded up
    torch.testing.assert_close(network.head(features), network(x))


def test_describe_does_not_depend_on_the_mode_and_keeps_it() -> None:
    torch.manual_seed(0)
    network = create_network("resnet18", "gem", backbone_options={"train_batch_norm": True})
    images = photos(3)
    network.eval()
    expected = network.describe(images)
    network.train()
    network.head.eval()
    modes = {name: module.training for name, module in network.named_modules()}
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert (network.describe(images) == expected).all()
    assert {name: module.training for name, module in network.named_modules()} == modes
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())


def test_describe_keeps_the_mode_when_it_fails(network: Network) -> None:
    network.train()
    with pytest.raises(ModelError, match="uint8"):
        network.describe(photos().astype(np.float32))
    assert network.training


def test_describe_leaves_the_photos_alone(network: Network) -> None:
    images = photos()
    images.setflags(write=False)
    before = images.copy()
    network.describe(images)
    network.describe(images[:, ::-1])  # strides that torch can't take
    assert (images == before).all()


@pytest.mark.parametrize("shape", [(48, 64, 3), (2, 3, 48, 64), (2, 48, 64, 1)])
def test_wrong_arrays_are_refused(network: Network, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"expected uint8 \(B, H, W, 3\)"):
        network.describe(np.zeros(shape, dtype=np.uint8))


def test_empty_photos_are_too_small_and_one_pixel_is_not(network: Network) -> None:
    with pytest.raises(ModelError, match=r"0 x 64 pixels .* at least 1 x 1"):
        network.describe(photos(1, 0, 64))
    assert np.isfinite(network.describe(photos(1, 1, 1))).all()


def test_no_photos_give_no_descriptors(network: Network) -> None:
    assert network.describe(photos(0)).shape == (0, network.card.descriptor_dim)


def test_save_fills_in_the_hash(network: Network, tmp_path: Path) -> None:
    network.save(tmp_path / "m.safetensors")
    card, tensors = read_checkpoint(tmp_path / "m.safetensors")
    assert card == network.card
    assert card.sha256 is not None
    assert tensors.keys() == network.state_dict().keys()
    loaded = load_model(str(tmp_path / "m.safetensors"), device="cpu")
    assert isinstance(loaded, Network)
    assert not loaded.training


def test_loading_names_every_tensor_that_does_not_fit(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    network.save(path)
    card, tensors = read_checkpoint(path)
    del tensors["backbone.conv1.weight"], tensors["backbone.bn1.weight"]
    tensors["head.extra"] = np.zeros(3, dtype=np.float32)
    tensors["head.centroids"] = np.zeros((5, 256), dtype=np.float32)
    write_checkpoint(path, tensors, card)
    with pytest.raises(WeightsError) as raised:
        load_model(path)
    message = str(raised.value)
    assert message.startswith(str(path))
    assert "missing: backbone.conv1.weight, backbone.bn1.weight" in message
    assert "unexpected: head.extra" in message
    assert "head.centroids (found (5, 256), expected (4, 256))" in message


def test_another_size_of_head_is_refused(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    network.save(path)
    card, tensors = read_checkpoint(path)
    write_checkpoint(path, tensors, card.model_copy(update={"head_options": {"clusters": 8}}))
    with pytest.raises(WeightsError, match=r"head\.conv\.weight \(found \(4, 256, 1, 1\), expected \(8, 256"):
        load_model(path)


def test_resized_photos_may_have_any_odd_size(network: Network) -> None:
    x = F.interpolate(network.normalise(photos(1)), size=(37, 51))
    assert network(x).shape == (1, network.card.descriptor_dim)
