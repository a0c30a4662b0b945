"""A training as a whole: what changes, what does not, what is left on disk, when it stops."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tests.training.street import small_recipe

from landfall.errors import TrainingError
from landfall.models import load_network
from landfall.training import Machine, Progress, Recipe, TrainingResult, load_recipe, resume, train
from landfall.training.run_folder import RunFolder
from landfall.training.state import read_state

CPU = Machine("cpu", workers=1)
HARD: dict[str, Any] = {"options": {"margin": 0.5}}  # so that every triplet gives a gradient
Trained = Callable[..., TrainingResult]


@pytest.fixture
def trained(street: Path, tmp_path: Path) -> Trained:
    """Train by a small recipe with changes, into a folder of a name."""

    def run(name: str = "run", **changes: Any) -> TrainingResult:
        return train(small_recipe(loss=HARD, **changes), street, tmp_path / name, machine=CPU)

    return run


@pytest.fixture(scope="module")
def plain(street: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The training that others are compared with."""
    return train(small_recipe(loss=HARD), street, tmp_path_factory.mktemp("plain") / "run", machine=CPU)


def weights(path: Path) -> dict[str, NDArray[np.float32]]:
    return load_file(path)


def steps(folder: RunFolder) -> list[float]:
    with folder.steps.open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_the_loss_falls(trained: Trained) -> None:
    result = trained(schedule={"epochs": 4, "patience": 9}, optimizer={"lr": 1e-3})
    losses = [record.loss for record in result.state.epochs if record.loss is not None]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("train_batch_norm", [False, True])
def test_frozen_stages_stay_to_the_bit_and_the_rest_moves(trained: Trained, train_batch_norm: bool) -> None:
    one_round = {"epochs": 1}
    options = {"backbone_options": {"train_batch_norm": train_batch_norm}}
    result = trained(schedule=one_round, model=options, optimizer={"lr": 1e-3})
    # The same seed and a rate too small to move anything gives the start.
    start = trained("start", schedule=one_round, model=options, optimizer={"lr": 1e-30})
    before, after = weights(start.folder.last), weights(result.folder.last)
    moved = {name for name in after if not np.array_equal(before[name], after[name])}
    statistics = {name for name in moved if "running_" in name}
    assert all(name.startswith(("backbone.layer3.", "head.")) for name in moved)
    assert {"head.centroids", "head.conv.weight", "backbone.layer3.0.conv1.weight"} <= moved
    assert bool(statistics) == train_batch_norm
    # Both trainings could have moved a statistic alike; a fresh one's mean is zero.
    assert not after["backbone.layer2.0.bn1.running_mean"].any()
    assert after["backbone.layer3.0.bn1.running_mean"].any() == train_batch_norm
    assert after["backbone.layer3.0.bn1.num_batches_tracked"] == 6 * train_batch_norm


def test_a_run_leaves_models_tables_plots_and_its_recipe(plain: TrainingResult, street: Path) -> None:
    result, folder = plain, plain.folder
    assert result.state.finished
    assert [record.epoch for record in result.state.epochs] == [0, 1, 2]
    assert load_recipe(folder.recipe) == small_recipe(loss=HARD)
    model = load_network(folder.best, device="cpu")
    assert model.card.trained_on == f"{street.name}/train"
    assert model.card.seed == 0
    assert (model.card.height, model.card.width) == (48, 64)
    assert load_network(folder.last, device="cpu").card.descriptor_dim == 4 * 256
    with folder.epochs.open() as file:
        table = list(csv.DictReader(file))
    assert [row["epoch"] for row in table] == ["0", "1", "2"]
    assert table[0]["loss"] == ""
    assert [int(row["step"]) for row in table] == [0, 6, 12]
    assert len(steps(folder)) == 12
    assert float(table[1]["loss"]) == pytest.approx(np.mean(steps(folder)[:6]), rel=1e-4)
    # Six queries a round and what is described with them; five photos a triplet.
    assert int(table[1]["steps_photos"]) == 12 * 5
    for plot in (folder.loss_plot, folder.recall_plot):
        assert plot.read_bytes().startswith(b"\x89PNG")
    assert list(folder.tensorboard.glob("events.*"))
    about = json.loads(folder.about.read_text())
    assert about["dataset"] == str(street)
    assert about["environment"]["torch"] == torch.__version__
    assert not folder.cache.exists()
    assert not list(folder.root.glob("*.tmp"))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    plain: TrainingResult, trained: Trained
) -> None:
    state = torch.random.get_rng_state()
    again = trained("again")
    assert torch.equal(state, torch.random.get_rng_state()), "the caller's generator is left alone"
    assert again.folder.last.read_bytes() == plain.folder.last.read_bytes()
    assert steps(again.folder) == steps(plain.folder)
    other = trained("other", seed=1, schedule={"epochs": 1})
    assert steps(other.folder) != steps(plain.folder)[:6]


def test_kept_features_give_the_same_training_within_half_precision(
    plain: TrainingResult, trained: Trained
) -> None:
    for name, megabytes in (("all", 8.0), ("some", 0.3)):
        kept = trained(name, memory={"features_mb": megabytes})
        np.testing.assert_allclose(steps(kept.folder), steps(plain.folder), rtol=5e-3, atol=1e-3)


def test_trainings_one_after_another_share_frozen_features(street: Path, tmp_path: Path) -> None:
    machine = Machine("cpu", workers=1, cache=tmp_path / "cache")

    def stages(name: str, **changes: Any) -> set[str]:
        told: list[Progress] = []
        recipe = small_recipe(memory={"features_mb": 8.0}, schedule={"epochs": 1}, **changes)
        train(recipe, street, tmp_path / name, machine=machine, progress=told.append)
        return {progress.stage for progress in told}

    assert "features" in stages("first")
    head = {"model": {"head": "gem", "head_options": {}}}
    assert "features" not in stages("second", **head), "another head on the same frozen stages"
    assert "features" in stages("third", seed=1), "other random weights"
    alone = train(
        small_recipe(memory={"features_mb": 8.0}, schedule={"epochs": 1}, **head),
        street,
        tmp_path / "alone",
        machine=CPU,
    )
    assert alone.folder.last.read_bytes() == (tmp_path / "second" / "last.safetensors").read_bytes()
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_memory_budgets_change_no_bit(plain: TrainingResult, trained: Trained) -> None:
    poor = trained("poor", memory={"photos_mb": 0.05, "descriptors_mb": 0.0})
    assert plain.folder.last.read_bytes() == poor.folder.last.read_bytes()


def test_accumulated_steps_are_one_large_step(trained: Trained) -> None:
    sgd = {"name": "sgd", "lr": 1e-3, "momentum": 0.0}
    large = trained("large", schedule={"epochs": 1, "batch_queries": 6}, optimizer=sgd)
    small = trained("small", schedule={"epochs": 1, "batch_queries": 2, "accumulate": 3}, optimizer=sgd)
    expected, found = weights(large.folder.last), weights(small.folder.last)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6, err_msg=name)


def test_rates_that_fall_end_where_nothing_moves_any_more(plain: TrainingResult, trained: Trained) -> None:
    falling = trained("falling", schedule={"decay": "cosine"})
    # The first step is taken at the full rate, so that the loss of the second is the same.
    assert steps(falling.folder)[:2] == steps(plain.folder)[:2]
    assert steps(falling.folder)[2:] != steps(plain.folder)[2:]
    groups = read_state(falling.folder.state).optimizer["param_groups"]
    # Of 12 steps the last is taken with 11 done.
    assert groups[0]["lr"] == pytest.approx(1e-4 * (1 + np.cos(np.pi * 11 / 12)) / 2)


@pytest.mark.parametrize("head", ["base", "gem", "crn", "crn2"])
def test_every_head_trains(trained: Trained, head: str) -> None:
    options = {"clusters": 4} if head.startswith("crn") else {}
    result = trained(model={"head": head, "head_options": options}, schedule={"epochs": 1})
    assert all(np.isfinite(loss) and loss > 0 for loss in steps(result.folder))


@pytest.mark.parametrize("strategy", ["full", "random"])
def test_every_strategy_trains(trained: Trained, strategy: str) -> None:
    result = trained(mining={"strategy": strategy}, schedule={"epochs": 1})
    assert len(steps(result.folder)) == 6


def test_augmented_photos_train_and_repeat(plain: TrainingResult, trained: Trained) -> None:
    changes = {"brightness": 0.7, "hue": 0.5, "flip": 0.5, "rotation_deg": 30.0, "erasing": 0.5}
    first, second = (
        trained(name, augmentation=changes, schedule={"epochs": 1}) for name in ("first", "second")
    )
    assert first.folder.last.read_bytes() == second.folder.last.read_bytes()
    assert steps(first.folder) != steps(plain.folder)[:6]


def test_another_loss_trains(street: Path, tmp_path: Path) -> None:
    recipe = small_recipe(loss={"name": "multi_similarity"}, schedule={"epochs": 1})
    result = train(recipe, street, tmp_path / "run", machine=CPU)
    assert all(np.isfinite(loss) for loss in steps(result.folder))


def test_it_stops_when_nothing_gets_better(trained: Trained) -> None:
    # A rate that moves nothing: the first epoch is best, and two more are waited for.
    result = trained(schedule={"epochs": 9, "patience": 2}, optimizer={"lr": 1e-30})
    assert result.state.epochs[-1].epoch == 3
    assert result.state.best is not None
    assert result.state.best.epoch == 1
    assert result.state.finished


def test_a_finished_training_is_not_done_again(trained: Trained) -> None:
    result = trained(schedule={"epochs": 1})
    before = result.folder.last.stat().st_mtime_ns
    told: list[str] = []
    again = resume(result.folder.root, machine=CPU, say=told.append)
    assert again.state == result.state
    assert result.folder.last.stat().st_mtime_ns == before
    assert "finished" in told[0]


def test_progress_goes_through_the_stages(street: Path, tmp_path: Path, recipe: Recipe) -> None:
    told: list[Progress] = []
    said: list[str] = []
    changed = recipe.model_copy(update={"memory": recipe.memory.model_copy(update={"features_mb": 8.0})})
    train(changed, street, tmp_path / "run", machine=CPU, progress=told.append, say=said.append)
    stages = [told[0].stage, *(b.stage for a, b in pairwise(told) if a.stage != b.stage)]
    round_ = ["mining", "steps"]
    assert stages == ["features", "validation", *2 * [*round_, *round_, "validation"]]
    assert {(p.epoch, p.round) for p in told if p.stage == "steps"} == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert all(0 < p.done <= p.total and p.photos_per_s > 0 for p in told)
    ends = [a for a, b in pairwise(told) if a.stage != b.stage]
    assert all(p.done == p.total and p.eta_s == 0 for p in ends)
    text = "\n".join(said)
    assert "1 have no positive within 10 m" in text
    assert "in memory" in text
    assert "56 of 56" in text


def test_a_loss_that_is_no_number_stops_it_names_the_photos_and_keeps_the_last_good_state(
    trained: Trained, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"epoch 1, round 1, batch \d") as caught:
        trained("run", optimizer={"name": "sgd", "lr": 1e30})
    assert "query " in str(caught.value)
    assert ".jpg" in str(caught.value)
    assert "optimizer.lr" in str(caught.value)
    folder = RunFolder(tmp_path / "run")
    saved = read_state(folder.state)
    assert saved.state.round == 0
    assert all(bool(value.isfinite().all()) for value in saved.weights.values())
    assert load_network(folder.last, device="cpu").card.seed == 0


def test_out_of_memory_says_what_to_lower(
    street: Path, tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starve(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    monkeypatch.setattr("landfall.models.network.Network.features", starve)
    with pytest.raises(TrainingError, match=r"schedule\.batch_queries \(now 2\)"):
        train(recipe, street, tmp_path / "run", machine=CPU)


def test_photos_that_moved_can_be_named_on_resuming(trained: Trained, street: Path, tmp_path: Path) -> None:
    result = trained(schedule={"epochs": 1})
    saved = read_state(result.folder.state)
    unfinished = replace(saved.state, finished=False)
    about = json.loads(result.folder.about.read_text())
    result.folder.about.write_text(json.dumps(about | {"dataset": str(tmp_path / "gone")}))
    from landfall.training.state import write_state

    write_state(result.folder.state, replace(saved, state=unfinished))
    with pytest.raises(Exception, match="gone"):
        resume(result.folder.root, machine=CPU)
    assert resume(result.folder.root, dataset=street, machine=CPU).state.round == 2
