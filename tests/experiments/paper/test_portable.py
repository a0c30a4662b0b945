"""No path of a machine gets into a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from landfall.experiments.paper.portable import portable_change, portable_recipe, portable_text
from landfall.training import load_recipe


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("optimizer.lr=1e-4", "optimizer.lr=1e-4"),
        ("model.weights=null", "model.weights=null"),
        ("model.weights=/home/me/w.safetensors", "model.weights=w.safetensors"),
        ("model.weights=../weights/w.pth", "model.weights=w.pth"),
        ("model.weights=~/w.pth", "model.weights=w.pth"),
        (r"model.weights=C:\my\w.pth", "model.weights=w.pth"),
        ("model={weights: /a/b/w.pth, height: 4}", "model={weights: w.pth, height: 4}"),
        ("model.head_options={clusters: 4}", "model.head_options={clusters: 4}"),
    ],
)
def test_changes_name_files_alone(text: str, told: str) -> None:
    assert portable_change(text) == told


def test_a_file_whose_folder_has_a_space_is_named(tmp_path: Path) -> None:
    weights = tmp_path / "my folder" / "w 1.pth"
    weights.parent.mkdir()
    weights.touch()
    assert portable_change(f"model.weights={weights}") == "model.weights=w 1.pth"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/tmp/out/runs/netvlad-0: the loss is nan.", "netvlad-0: the loss is nan."),
        ("read '/data/a/b.jpg', failed", "read 'b.jpg', failed"),
        ("2/3 of the disk, and/or more", "2/3 of the disk, and/or more"),
        ("epoch 1/5", "epoch 1/5"),
    ],
)
def test_errors_name_files_alone(text: str, told: str) -> None:
    assert portable_text(text) == told


def test_recipes_name_weights_by_their_file() -> None:
    recipe = load_recipe("netvlad", ["model.weights=/home/me/w.pth"]).to_dict()
    assert portable_recipe(recipe)["model"]["weights"] == "w.pth"
    assert recipe["model"]["weights"] == "/home/me/w.pth"
    assert (
        portable_recipe(load_recipe("netvlad", ["model.weights=null"]).to_dict())["model"]["weights"] is None
    )
