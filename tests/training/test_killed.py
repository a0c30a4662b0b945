"""kill -9 of real processes; resumed, the run ends in the same bytes as one that nothing disturbed."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from tests.training.processes import finish, start
from tests.training.street import small_recipe

from landfall.errors import TrainingError
from landfall.training import Machine, resume
from landfall.training.recipe_file import save_recipe

# All that does not tell of seconds.
SAME = ["last.safetensors", "best.safetensors", "steps.csv", "recipe.yaml"]


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three epochs of two rounds, rates that fall, frozen features on disk."""
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    recipe = small_recipe(
        loss={"options": {"margin": 0.3}},
        schedule={"epochs": 3, "patience": 3, "decay": "cosine"},
        memory={"features_mb": 8.0},
    )
    save_recipe(recipe, path)
    return path


@pytest.fixture(scope="module")
def undisturbed(street: Path, recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    status, said = finish(start(street, out, recipe_file))
    assert status == 0, said
    return out


def assert_same(found: Path, expected: Path) -> None:
    for name in SAME:
        assert (found / name).read_bytes() == (expected / name).read_bytes(), name
    assert not list(found.glob("*.tmp"))


def test_killed_around_every_file_of_a_round_it_ends_in_the_same_bytes(
    street: Path, recipe_file: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    for kill in (
        ("after", "run.json", 1),  # before anything is saved
        ("before", "state.pt", 2),  # the first round is done and not saved
        ("before", "best.safetensors", 1),  # epoch 1 is validated
        ("after", "last.safetensors", 2),  # and written, all but the state
    ):
        status, said = finish(start(street, out, recipe_file, *kill))
        assert status == -signal.SIGKILL, said
    status, said = finish(start(street, out, recipe_file))
    assert status == 0, said
    assert_same(out, undisturbed)


def test_killed_at_three_random_moments_it_ends_in_the_same_bytes(
    street: Path, recipe_file: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    delays_s = np.random.default_rng(12).uniform(0.0, 1.2, 3)
    for delay_s in delays_s:
        process = start(street, out, recipe_file)
        wait_for_work(process, out)
        time.sleep(float(delay_s))
        process.kill()
        status, said = finish(process)
        assert status in (-signal.SIGKILL, 0), said
    status, said = finish(start(street, out, recipe_file))
    assert status == 0, said
    assert_same(out, undisturbed)


def wait_for_work(process: subprocess.Popen[str], out: Path) -> None:
    """Return when a process has taken up the run: its steps' table is written first of all."""
    table = out / "steps.csv"
    before = table.stat().st_mtime_ns if table.exists() else 0
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if table.exists() and table.stat().st_mtime_ns > before:
            return
        time.sleep(0.01)


def test_a_second_process_is_kept_out(street: Path, recipe_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(street, out, recipe_file)
    try:
        wait_for_work(process, out)
        with pytest.raises(TrainingError, match="Another process trains"):
            resume(out, machine=Machine("cpu"))
    finally:
        process.kill()
        finish(process)
