"""Backbone weights from files: what fits is taken, all that doesn't is named."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from landfall.errors import ModelError, OfflineError, WeightsError
from landfall.models.backbones import BACKBONES, weights
from landfall.models.backbones.weights import load_weights
from landfall.models.cache import cache_folder
from landfall.models.creation import create_network


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(7)
    return dict(BACKBONES["resnet18"]().state_dict())


def is_loaded(path: Path, state: dict[str, Tensor]) -> bool:
    backbone = BACKBONES["resnet18"]()
    load_weights(backbone, "resnet18", path)
    return all(torch.equal(value, state[key]) for key, value in backbone.state_dict().items())


def test_safetensors_and_pth(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state, tmp_path / "w.safetensors")
    torch.save(state, tmp_path / "w.pth")
    assert is_loaded(tmp_path / "w.safetensors", state)
    assert is_loaded(tmp_path / "w.pth", state)


def test_whole_network_may_be_given(state: dict[str, Tensor], tmp_path: Path) -> None:
    whole = state | {
        "layer4.0.conv1.weight": torch.zeros(2),
        "fc.weight": torch.zeros(2),
        "fc.bias": torch.zeros(1),
    }
    save_file(whole, tmp_path / "w.safetensors")
    assert is_loaded(tmp_path / "w.safetensors", state)


@pytest.mark.parametrize("prefix", ["module.", "backbone.", "module.backbone."])
def test_prefixes_are_understood(state: dict[str, Tensor], tmp_path: Path, prefix: str) -> None:
    save_file({prefix + key: value for key, value in state.items()}, tmp_path / "w.safetensors")
    assert is_loaded(tmp_path / "w.safetensors", state)


def test_old_files_have_no_batch_counters(state: dict[str, Tensor], tmp_path: Path) -> None:
    old = {key: value for key, value in state.items() if "num_batches" not in key}
    save_file(old, tmp_path / "w.safetensors")
    assert is_loaded(tmp_path / "w.safetensors", state)


def _drop(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v for k, v in state.items() if not k.startswith("layer3.1.conv")}


def _add(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state | {"layer5.0.weight": torch.zeros(1), "head.p": torch.zeros(1)}


def _resize(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state | {"conv1.weight": torch.zeros(64, 1, 7, 7)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_drop, ["missing: layer3.1.conv1.weight, layer3.1.conv2.weight"]),
        (_add, ["unexpected: ", "layer5.0.weight", "head.p"]),
        (_resize, ["wrong size: conv1.weight (found (64, 1, 7, 7), expected (64, 3, 7, 7))"]),
        (lambda s: _drop(_add(_resize(s))), ["missing: layer3.1", "unexpected: ", "wrong size: conv1"]),
    ],
)
def test_every_misfit_is_named_and_nothing_changes(
    state: dict[str, Tensor],
    tmp_path: Path,
    change: Callable[[dict[str, Tensor]], dict[str, Tensor]],
    words: list[str],
) -> None:
    save_file(change(state), tmp_path / "w.safetensors")
    backbone = BACKBONES["resnet18"]()
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    with pytest.raises(WeightsError) as raised:
        load_weights(backbone, "resnet18", tmp_path / "w.safetensors")
    assert all(word in str(raised.value) for word in ["w.safetensors", *words])
    assert all(torch.equal(before[key], value) for key, value in backbone.state_dict().items())


def test_another_depth_is_refused(tmp_path: Path) -> None:
    save_file(dict(BACKBONES["resnet34"]().state_dict()), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"unexpected: .*layer3\.5\.conv1\.weight"):
        load_weights(BACKBONES["resnet18"](), "resnet18", tmp_path / "w.safetensors")


def test_name_with_and_without_prefix_is_ambiguous(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state | {"module.conv1.weight": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"conv1\.weight twice"):
        load_weights(BACKBONES["resnet18"](), "resnet18", tmp_path / "w.safetensors")


class _Harmful:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch harmed",)


def test_pickled_code_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.weight": _Harmful()}, "w.pth")
    with pytest.raises(WeightsError, match=r"w\.pth: can't be read as plain tensors"):
        load_weights(BACKBONES["resnet18"](), "resnet18", Path("w.pth"))
    assert not Path("harmed").exists()


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all"])
def test_broken_files_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        load_weights(BACKBONES["resnet18"](), "resnet18", tmp_path / name)


def test_wrapped_state_dict_says_what_it_holds(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds the keys epoch, state_dict; expected a state dict"):
        load_weights(BACKBONES["resnet18"](), "resnet18", tmp_path / "w.pth")


def test_missing_files_and_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such weights file"):
        load_weights(BACKBONES["resnet18"](), "resnet18", tmp_path / "w.pth")
    (tmp_path / "w.h5").touch()
    with pytest.raises(ModelError, match=r"not '\.h5'"):
        load_weights(BACKBONES["resnet18"](), "resnet18", tmp_path / "w.h5")


def test_card_says_where_weights_come_from_without_their_folder(
    state: dict[str, Tensor], tmp_path: Path
) -> None:
    save_file(state, tmp_path / "w.safetensors")
    card = create_network("resnet18", "base", weights=tmp_path / "w.safetensors").card
    assert "w.safetensors" in card.source
    assert str(tmp_path) not in card.model_dump_json()


def test_offline_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "_BASE_URL", "http://127.0.0.1:9/")
    with pytest.raises(OfflineError, match=r"127\.0\.0\.1.*put it at .*resnet34-b627a593\.pth"):
        load_weights(BACKBONES["resnet34"](), "resnet34", "imagenet")
    assert list((tmp_path / "weights").iterdir()) == []


def test_silent_server_counts_as_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(weights, "_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}/")
        start = time.monotonic()
        with pytest.raises(OfflineError, match="timed out"):
            load_weights(BACKBONES["resnet18"](), "resnet18", "imagenet")
        # Without a timeout it would wait for ever.
        assert time.monotonic() - start < 30
    assert socket.getdefaulttimeout() is None


def test_cached_file_of_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "resnet18-f37072fd.pth").write_bytes(b"half a download")
    with pytest.raises(WeightsError, match=r"published file's with f37072fd\. Delete it"):
        load_weights(BACKBONES["resnet18"](), "resnet18", "imagenet")


def test_backbones_without_imagenet_weights_say_so() -> None:
    with pytest.raises(ModelError, match="no ImageNet weights for 'other'"):
        load_weights(BACKBONES["resnet18"](), "other", "imagenet")


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_CACHE", "/somewhere/else")
    assert cache_folder() == Path("/somewhere/else")
    monkeypatch.delenv("LANDFALL_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/landfall")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "landfall"
