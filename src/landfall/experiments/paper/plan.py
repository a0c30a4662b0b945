"""What an experiment trains: its variants as resolved recipes, the same number of steps for each.

A run is known by a key over all that decides its outcome, so that experiments share runs, and a changed
recipe or changed data never meets results of another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from landfall.errors import UsageError
from landfall.experiments.paper.budget import Budget
from landfall.experiments.paper.changes import check_labels, of_all, of_one
from landfall.experiments.paper.photo_key import photo_key
from landfall.experiments.paper.seeds import Seeds
from landfall.experiments.paper.variant import Experiment, Variant
from landfall.files import hash_stream
from landfall.mining import usable_queries
from landfall.training import Recipe, load_recipe
from landfall.training.data import TrainingData, training_positives

#: Raised when the code changes so that a run of the same recipe comes out otherwise.
RUN_FORMAT = 1


@dataclass(frozen=True)
class PlannedRun:
    """One training, or one network before training.

    Attributes:
        variant: whose.
        recipe: resolved, its seed included.
        key: 12 hexadecimal digits over all that decides what comes out.
        start_key: the key of the network that it starts from; its own where it is not trained.
    """

    variant: Variant
    recipe: Recipe
    key: str
    start_key: str

    @property
    def trained(self) -> bool:
        """Whether it is trained; else it is measured as it starts."""
        return self.key != self.start_key

    @property
    def folder_name(self) -> str:
        """Its folder under the results' ``runs``."""
        return f"{self.recipe.model.head}-{self.key}"

    @property
    def start_folder_name(self) -> str:
        """The folder of the network that it starts from."""
        return f"{self.recipe.model.head}-{self.start_key}"


@dataclass(frozen=True)
class ExperimentPlan:
    """An experiment on a dataset.

    Attributes:
        experiment: which.
        runs: every variant with every seed, then the untrained ones.
        usable: training queries with a positive, by variant label.
        train: the dataset that is trained on, by its label; None where nothing is trained.
        queries: training queries in all.
        train_key: changes with the photos and positions that are trained on; empty where nothing is.
    """

    experiment: Experiment
    runs: tuple[PlannedRun, ...]
    usable: dict[str, int]
    train: str | None
    queries: int
    train_key: str

    def of(self, variant: Variant, *, trained: bool = True) -> list[PlannedRun]:
        """Return a variant's runs, one a seed."""
        return [run for run in self.runs if run.variant == variant and run.trained == trained]


def plan_experiments(
    experiments: Sequence[Experiment],
    train: str,
    budget: Budget,
    *,
    seeds: Seeds = Seeds(),
    changes: Sequence[str] = (),
    layout: str = "auto",
) -> list[ExperimentPlan]:
    """Resolve experiments' recipes for a dataset, which is looked through once for all.

    Every variant of an experiment gets as many queries an epoch as the one with the fewest usable ones, so
    that all take the same number of steps.

    Args:
        experiments: which.
        train: the dataset that is trained on.
        budget: how much each run may spend.
        seeds: how often each variant is run.
        changes: ``key=value`` for every recipe, after the variants' own; ``label:key=value`` for one.
        layout: of the dataset.

    Raises:
        UsageError: recipes that make no sense, changes that an experiment can't take, or data that can't be
            trained on.
        DatasetError: no such dataset or split.
    """
    budget.check(changes)
    check_labels(experiments, changes)
    seeds.check_labels(experiments)
    recipes = {
        experiment.name: {
            variant.label: _resolved(variant, budget, changes) for variant in experiment.variants
        }
        for experiment in experiments
    }
    first = next((recipe for each in recipes.values() for recipe in each.values()), None)
    data = None if first is None else TrainingData.load(train, first, layout=layout)
    key = "" if data is None else _data_key(data)
    plans = []
    for experiment in experiments:
        if data is None or not experiment.variants:
            plans.append(ExperimentPlan(experiment, (), {}, None, 0, ""))
            continue
        usable = {label: _usable(data, recipe) for label, recipe in recipes[experiment.name].items()}
        fewest = min(usable.values())
        runs = [
            _planned(variant, _within(recipes[experiment.name][variant.label], budget, fewest, seed), key)
            for variant in experiment.variants
            for seed in seeds.of(variant.label)
        ]
        _check_unlike(experiment, runs)
        for variant in experiment.variants:
            if variant.untrained:
                start = recipes[experiment.name][variant.label]
                runs += [
                    _planned(variant, _seeded(start, seed), key, trained=False)
                    for seed in seeds.of(variant.label)
                ]
        plans.append(
            ExperimentPlan(experiment, tuple(runs), usable, data.train.label, len(data.query_rows), key)
        )
    return plans


def _resolved(variant: Variant, budget: Budget, changes: Sequence[str]) -> Recipe:
    asked = [*of_all(changes), *of_one(variant.label, changes)]
    recipe = load_recipe(variant.recipe, [*budget.changes, *variant.changes, *asked])
    return _scaled(recipe, variant.scale)


def _data_key(data: TrainingData) -> str:
    splits = [photos for split in (data.train, data.val) for photos in (split.database, split.queries)]
    return photo_key([data.fingerprint], splits)


def _check_unlike(experiment: Experiment, runs: Sequence[PlannedRun]) -> None:
    """Refuse changes that make two variants the same: comparing them would tell nothing.

    Raises:
        UsageError: names the two.
    """
    seen: dict[str, str] = {}
    for run in runs:
        other = seen.setdefault(run.key, run.variant.label)
        if other != run.variant.label:
            raise UsageError(
                f"With these changes {other!r} and {run.variant.label!r} of {experiment.name} are the same: "
                "it varies what --set fixes. Leave that --set out, or run the other experiments by name."
            )


def _usable(data: TrainingData, recipe: Recipe) -> int:
    count = len(usable_queries(training_positives(data.train, recipe)))
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


def _planned(variant: Variant, recipe: Recipe, data_key: str, *, trained: bool = True) -> PlannedRun:
    start = run_key(recipe, data_key, trained=False)
    return PlannedRun(variant, recipe, run_key(recipe, data_key) if trained else start, start)


def run_key(recipe: Recipe, data_key: str, *, trained: bool = True) -> str:
    """Return 12 hexadecimal digits that two runs share only if they come to the same.

    Args:
        recipe: resolved. Its name and what it keeps in memory don't matter; a file of weights counts by
            what is in it.
        data_key: of the photos and positions.
        trained: whether the network is trained; of one that is not, only its model and seed count.
    """
    told = recipe.to_dict()
    del told["name"], told["memory"]["photos_mb"], told["memory"]["descriptors_mb"]
    weights = None if recipe.model.weights is None else Path(recipe.model.weights)
    if weights is not None and weights.is_file():
        stamp = weights.stat()
        told["model"]["weights"] = _content_hash(weights, stamp.st_size, stamp.st_mtime_ns)
    parts = [RUN_FORMAT, data_key, trained, told if trained else [told["model"], told["seed"]]]
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=6).hexdigest()


@cache
def _content_hash(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001 - they tell changed files
    with path.open("rb") as file:
        return hash_stream(file)
