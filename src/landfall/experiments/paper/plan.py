"""What an experiment trains: its variants as resolved recipes, the same number of steps for each.

A run is known by a key over all that decides its outcome, so that experiments share runs, and a changed
recipe or changed data never meets results of another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from landfall.errors import UsageError
from landfall.experiments.paper.budget import Budget
from landfall.experiments.paper.variant import Experiment, Variant
from landfall.files import hash_stream
from landfall.mining import usable_queries
from landfall.training import Recipe, load_recipe
from landfall.training.data import TrainingData

#: Raised when the code changes so that a run of the same recipe comes out otherwise.
RUN_FORMAT = 1


@dataclass(frozen=True)
class PlannedRun:
    """One training, or one network before training.

    Attributes:
        variant: whose.
        recipe: resolved, its seed included.
        key: 12 hexadecimal digits over all that decides what comes out.
        trained: whether it is trained; else it is measured as it starts.
    """

    variant: Variant
    recipe: Recipe
    key: str
    trained: bool

    @property
    def folder_name(self) -> str:
        """Its folder under the results' ``runs``."""
        return f"{self.recipe.model.head}-{self.key}"


@dataclass(frozen=True)
class ExperimentPlan:
    """An experiment on a dataset.

    Attributes:
        experiment: which.
        runs: every variant with every seed, then the untrained ones.
        usable: training queries with a positive, by variant label.
        queries: training queries in all.
        fingerprint: of the photos and positions that are trained on; empty where nothing is.
    """

    experiment: Experiment
    runs: tuple[PlannedRun, ...]
    usable: dict[str, int]
    queries: int
    fingerprint: str

    def of(self, variant: Variant, *, trained: bool = True) -> list[PlannedRun]:
        """Return a variant's runs, one a seed."""
        return [run for run in self.runs if run.variant == variant and run.trained == trained]


def plan_experiment(
    experiment: Experiment,
    train: str,
    budget: Budget,
    *,
    seeds: Sequence[int] = (0,),
    changes: Sequence[str] = (),
    layout: str = "auto",
) -> ExperimentPlan:
    """Resolve an experiment's recipes for a dataset.

    Every variant gets as many queries an epoch as the one with the fewest usable ones, so that all take the
    same number of steps.

    Args:
        experiment: which.
        train: the dataset that is trained on.
        budget: how much each run may spend.
        seeds: a run of every variant for each.
        changes: ``key=value`` for every recipe, after the variants' own.
        layout: of the dataset.

    Raises:
        UsageError: recipes that make no sense, or data that can't be trained on.
        DatasetError: no such dataset or split.
    """
    recipes = {
        variant.label: _scaled(
            load_recipe(variant.recipe, [*budget.changes, *variant.changes, *changes]), variant.scale
        )
        for variant in experiment.variants
    }
    if not recipes:
        return ExperimentPlan(experiment, (), {}, 0, "")
    data = TrainingData.load(train, next(iter(recipes.values())), layout=layout)
    usable = {label: _usable(data, recipe) for label, recipe in recipes.items()}
    fewest = min(usable.values())
    runs = [
        _planned(variant, _within(recipes[variant.label], budget, fewest, seed), data.fingerprint)
        for variant in experiment.variants
        for seed in seeds
    ]
    for variant in experiment.variants:
        if variant.untrained is None:
            continue
        changed = [*budget.changes, *variant.changes, *changes, *variant.untrained]
        start = _scaled(load_recipe(variant.recipe, changed), variant.scale)
        runs += [_planned(variant, _seeded(start, seed), data.fingerprint, trained=False) for seed in seeds]
    return ExperimentPlan(experiment, tuple(runs), usable, len(data.train.queries), data.fingerprint)


def _usable(data: TrainingData, recipe: Recipe) -> int:
    count = len(usable_queries(data.train.positives(recipe.data.train_radius_m)))
    if count == 0:
        raise UsageError(
            f"No training query of {data.train.label} has a database photo within "
            f"{recipe.data.train_radius_m:g} m, so this variant can't be trained there."
        )
    return count


def _scaled(recipe: Recipe, scale: float) -> Recipe:
    model = recipe.model
    size = {"height": round(model.height * scale), "width": round(model.width * scale)}
    return recipe.model_copy(update={"model": model.model_copy(update=size)})


def _seeded(recipe: Recipe, seed: int) -> Recipe:
    return recipe.model_copy(update={"seed": seed})


def _within(recipe: Recipe, budget: Budget, usable: int, seed: int) -> Recipe:
    """Return the recipe with so many queries an epoch, and in all where the budget counts them."""
    each = min(usable, recipe.mining.queries_per_epoch)
    schedule = recipe.schedule
    if budget.queries is not None:
        each = min(each, budget.queries)
        epochs = max(1, budget.queries // each)
        schedule = schedule.model_copy(update={"epochs": epochs, "patience": epochs})
    mining = recipe.mining.model_copy(update={"queries_per_epoch": each})
    return _seeded(recipe.model_copy(update={"mining": mining, "schedule": schedule}), seed)


def _planned(variant: Variant, recipe: Recipe, fingerprint: str, *, trained: bool = True) -> PlannedRun:
    return PlannedRun(variant, recipe, run_key(recipe, fingerprint, trained=trained), trained)


def run_key(recipe: Recipe, fingerprint: str, *, trained: bool = True) -> str:
    """Return 12 hexadecimal digits that two runs share only if they come to the same.

    Args:
        recipe: resolved. Its name and what it keeps in memory don't matter; a file of weights counts by
            what is in it.
        fingerprint: of the photos and positions.
        trained: whether the network is trained.
    """
    told = recipe.to_dict()
    del told["name"], told["memory"]["photos_mb"], told["memory"]["descriptors_mb"]
    weights = recipe.model.weights
    if weights is not None and Path(weights).is_file():
        with Path(weights).open("rb") as file:
            told["model"]["weights"] = hash_stream(file)
    parts = [RUN_FORMAT, fingerprint, trained, told if trained else [told["model"], told["seed"]]]
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=6).hexdigest()
