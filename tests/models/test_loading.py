"""Loading by path and by name, and the errors on the way."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from landfall.errors import ModelError, OfflineError
from landfall.models.backbones import weights
from landfall.models.card import ModelCard
from landfall.models.checkpoint import write_checkpoint
from landfall.models.creation import create_backbone, create_network
from landfall.models.loading import load_model, load_network
from landfall.models.network import Network


def test_missing_path_suggests_names() -> None:
    with pytest.raises(ModelError, match=r"resnet18-gme: no such checkpoint.*Did you mean resnet18-gem"):
        load_model("resnet18-gme")
    with pytest.raises(ModelError, match=r"nowhere.*no such checkpoint"):
        load_network(Path("nowhere") / "m.safetensors")


def test_unknown_family_is_named(tmp_path: Path) -> None:
    card = ModelCard(name="n", family="oracle", descriptor_dim=8, licence="MIT", source="a test")
    write_checkpoint(tmp_path / "m", {"a": np.zeros(1)}, card)
    with pytest.raises(ModelError, match=r"m: is of model family 'oracle'.*densevlad, network"):
        load_model(tmp_path / "m")


def test_unknown_backbone_in_a_card_is_named(tmp_path: Path) -> None:
    card = ModelCard(
        name="n", family="network", backbone="vgg", descriptor_dim=8, licence="MIT", source="a test"
    )
    write_checkpoint(tmp_path / "m", {"a": np.zeros(1)}, card)
    with pytest.raises(ModelError, match=r"m: .*No backbone is called 'vgg'"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(("device", "words"), [("tpu9", "is not a device"), ("cuda:99", "torch .* sees")])
def test_devices_that_are_not_there(tmp_path: Path, device: str, words: str) -> None:
    create_network("resnet18", "base").save(tmp_path / "m")
    with pytest.raises(ModelError, match=words):
        load_model(tmp_path / "m", device=device)


def test_a_name_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    create_network("resnet18", "base", name="mine").save("densevlad")
    assert load_model("densevlad").card.family == "densevlad"
    assert load_model("./densevlad").card.name == "mine"


def test_published_network_offline_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_CACHE", str(tmp_path))
    # The discard port of this machine: nothing listens there.
    monkeypatch.setattr(weights, "_BASE_URL", "http://127.0.0.1:9/")
    with pytest.raises(OfflineError) as raised:
        load_model("resnet18-gem")
    assert str(tmp_path / "weights" / "resnet18-f37072fd.pth") in str(raised.value)
    assert "densevlad" in str(raised.value)


@pytest.mark.parametrize("name", ["resnet18-base", "resnet18-gem"])
def test_published_networks_take_cached_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LANDFALL_CACHE", str(tmp_path))
    torch.manual_seed(0)
    backbone = create_backbone("resnet18")
    (tmp_path / "weights").mkdir()
    file = tmp_path / "weights" / "resnet18-00000000.pth"
    torch.save(backbone.state_dict(), file)
    # The test's own file under its own hash stands in for the published one.
    named = file.rename(file.with_name(f"resnet18-{_sha256(file)[:8]}.pth"))
    monkeypatch.setitem(weights.IMAGENET_FILES, "resnet18", named.name)
    network = load_model(name, device="cpu")
    assert isinstance(network, Network)
    assert not network.training
    assert network.card.name == name
    assert network.card.descriptor_dim == 256
    assert torch.equal(network.backbone.state_dict()["conv1.weight"], backbone.state_dict()["conv1.weight"])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "statement",
    [
        "import landfall.models",
        "from landfall.models import ModelCard, load_model, read_card",
        "import landfall.models; landfall.models()",
    ],
)
def test_light_imports_bring_in_no_torch(statement: str) -> None:
    code = f"{statement}; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
