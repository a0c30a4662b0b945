from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from landfall.errors import UnknownNameError, UsageError
from landfall.training import Recipe, load_recipe, recipe_names
from landfall.training.recipe_file import save_recipe


def test_the_papers_recipes_are_there_and_differ_in_their_head() -> None:
    assert recipe_names() == ["base", "crn", "crn2", "gem", "netvlad", "quick", "small"]
    heads = {name: load_recipe(name).model.head for name in recipe_names()}
    own = {"quick", "small"}
    assert heads == {name: name for name in heads if name not in own} | dict.fromkeys(own, "netvlad")


@pytest.mark.parametrize("name", ["base", "gem", "netvlad", "crn", "crn2"])
def test_they_hold_what_the_paper_states(name: str) -> None:
    recipe = load_recipe(name)
    # Section 4, and "Backbone".
    assert (recipe.model.height, recipe.model.width, recipe.model.backbone) == (480, 640, "resnet18")
    assert (recipe.data.train_radius_m, recipe.data.far_m) == (10.0, 25.0)
    mining = recipe.mining
    assert (mining.strategy, mining.sample, mining.negatives) == ("partial", 1000, 10)
    assert (mining.queries_per_epoch, mining.queries_per_round) == (5000, 1000)
    assert (recipe.optimizer.name, recipe.optimizer.lr) == ("adam", 1e-5)
    schedule = recipe.schedule
    assert (schedule.batch_queries, schedule.epochs, schedule.patience) == (4, 50, 3)
    assert recipe.loss.name == "triplet"
    assert not recipe.augmentation.active


def test_changes_are_dotted_and_typed() -> None:
    recipe = load_recipe("netvlad", ["optimizer.lr=1e-4", "model.head_options.clusters=8", "seed=7"])
    assert recipe.optimizer.lr == 1e-4
    assert recipe.model.head_options == {"clusters": 8}
    assert recipe.seed == 7
    assert load_recipe("netvlad", ["model.weights=null"]).model.weights is None


@pytest.mark.parametrize(
    ("change", "close"),
    [("optimizer.lrr=1", "optimizer.lr"), ("minning.sample=3", "mining.sample"), ("seeed=1", "seed")],
)
def test_an_unknown_key_fails_and_close_ones_are_named(change: str, close: str) -> None:
    with pytest.raises(UnknownNameError, match=close):
        load_recipe("netvlad", [change])


def test_an_unknown_key_in_a_file_fails_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("optimiser:\n  lr: 1.0e-4\n")
    with pytest.raises(UnknownNameError, match="optimizer"):
        load_recipe(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("optimizer.lr=-1", "greater than 0"),
        ("mining.negatives=0", "greater than or equal to 1"),
        ("data.far_m=5", "positive and negative at once"),
        ("mining.strategy=best", "partial"),
        ("model=3", "model"),
        ("seed.deep=3", "valid integer"),
        ("optimizer.lr.deep=3", "recipe key"),
        ("no equals sign", "KEY=VALUE"),
        ("seed=[", "not YAML"),
    ],
)
def test_what_makes_no_sense_is_refused(change: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        load_recipe("netvlad", [change])


def test_frozen_features_and_moving_photos_exclude_each_other() -> None:
    with pytest.raises(UsageError, match=r"memory\.features_mb"):
        load_recipe("netvlad", ["memory.features_mb=10", "augmentation.flip=0.5"])
    assert load_recipe("netvlad", ["memory.features_mb=10", "augmentation.brightness=0.7"])


def test_unknown_recipes_and_broken_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="netvlad"):
        load_recipe("netvladd")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    with pytest.raises(UsageError, match="not YAML"):
        load_recipe(broken)
    broken.write_text("- 1\n")
    with pytest.raises(UsageError, match="mapping"):
        load_recipe(broken)


def test_a_written_recipe_reads_back_with_every_default(tmp_path: Path) -> None:
    recipe = load_recipe("crn2", ["optimizer.mask_lr=1e-3", "seed=5"])
    save_recipe(recipe, tmp_path / "recipe.yaml")
    assert load_recipe(tmp_path / "recipe.yaml") == recipe
    assert "patience: 3" in (tmp_path / "recipe.yaml").read_text()


def test_a_recipe_does_not_change() -> None:
    with pytest.raises(ValidationError):
        load_recipe("gem").seed = 3  # type: ignore[misc]
    assert Recipe.load("gem") == load_recipe("gem")
