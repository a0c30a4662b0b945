"""``landfall train`` as a command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.training.street import draw_street, small_recipe

from landfall.training.recipe_file import save_recipe

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_street(tmp_path_factory.mktemp("places"), places=8)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    save_recipe(small_recipe(), tmp_path / "small.yaml")
    return tmp_path / "small.yaml"


def test_it_trains_evaluates_and_is_not_done_twice(
    landfall: Run, dataset: Path, recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = landfall(
        "train", recipe, "--data", dataset, "--out", out, "--set", "schedule.epochs=1", "--device", "cpu",
        "--seed", "3", "--json", tmp_path / "told.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "photos" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert "before training" in done.stdout
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["finished"] is True
    assert [epoch["epoch"] for epoch in told["epochs"]] == [0, 1]
    assert told["best_epoch"] == 1
    assert "seed: 3" in (out / "recipe.yaml").read_text()

    told_by = landfall(
        "evaluate", dataset, "--split", "val", "--model", out / "best.safetensors", "--json", "-"
    )
    assert told_by.returncode == 0, told_by.stderr
    # What training measured is what anyone measures of the model that it saved.
    assert json.loads(told_by.stdout)["recall"] == told["epochs"][1]["recall"]

    again = landfall("train", recipe, "--data", dataset, "--out", out)
    assert again.returncode == 2
    assert f"landfall train --resume {out}" in again.stderr
    resumed = landfall("train", "--resume", out, "--quiet")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stderr == ""


def test_two_processes_speak_with_one_voice(
    landfall: Run, dataset: Path, recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = landfall(
        "train", recipe, "--data", dataset, "--out", out, "--set", "schedule.epochs=1", "--device", "cpu",
        "--processes", "2", "--json", "-",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["finished"] is True
    assert done.stderr.count("in memory") + done.stderr.count("mapped from a file") == 2


def test_unknown_keys_and_recipes_name_close_ones(landfall: Run, dataset: Path, tmp_path: Path) -> None:
    run = ("--data", dataset, "--out", tmp_path / "run")
    wrong_key = landfall("train", "netvlad", *run, "--set", "optimizer.rl=1")
    assert wrong_key.returncode == 2
    assert "optimizer.lr" in wrong_key.stderr
    wrong_name = landfall("train", "netvald", *run)
    assert wrong_name.returncode == 2
    assert "netvlad" in wrong_name.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("netvlad",),
        ("netvlad", "--out", "run"),
        ("--resume", "run", "--set", "seed=1"),
        ("netvlad", "--resume", "run"),
        ("--resume", "nothing-here"),
    ],
)
def test_wrong_usage_says_how(landfall: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = landfall("train", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "--resume" in done.stderr or "landfall train RECIPE" in done.stderr
    assert "Traceback" not in done.stderr
