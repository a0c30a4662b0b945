"""An experiment's record: what it compares on what, and where its runs are. A report needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from landfall.datasets import Protocol, load_dataset
from landfall.evaluation.result import format_metres
from landfall.experiments.paper.changes import of_all, of_one
from landfall.experiments.paper.environment import environment
from landfall.experiments.paper.plan import ExperimentPlan, PlannedRun
from landfall.experiments.paper.portable import portable_change
from landfall.experiments.paper.task import Task, Tested, is_drawn


def make_record(plan: ExperimentPlan, task: Task, tests: Sequence[Tested]) -> dict[str, Any]:
    """Return the record of an experiment that is about to run, as JSON takes it."""
    experiment = plan.experiment
    return {
        "experiment": experiment.name,
        "command": task.command(experiment.name),
        "budget": task.budget,
        "set": [portable_change(change) for change in of_all(task.changes)],
        "seeds": list(task.seeds.every),
        "train": plan.train,
        "train_key": plan.train_key,
        "train_queries": plan.queries,
        "train_synthetic": plan.train is not None and _is_drawn(plan, task),
        "thresholds_m": list(experiment.thresholds_m),
        "tests": [_test(tested, experiment.thresholds_m) for tested in tests],
        "variants": [
            {
                "label": variant.label,
                "changes": list(variant.changes),
                "set": [portable_change(change) for change in of_one(variant.label, task.changes)],
                "usable_queries": plan.usable[variant.label],
                "size": [plan.of(variant)[0].recipe.model.height, plan.of(variant)[0].recipe.model.width],
                "runs": _runs(plan.of(variant)),
                "untrained": _runs(plan.of(variant, trained=False)),
            }
            for variant in experiment.variants
        ],
        "failed": [],
        "products": {},
        "environment": environment(),
    }


def _is_drawn(plan: ExperimentPlan, task: Task) -> bool:
    split = plan.runs[0].recipe.data.train_split
    return is_drawn(load_dataset(task.train, split, layout=task.layout).root)


def _test(tested: Tested, thresholds_m: Sequence[float]) -> dict[str, Any]:
    dataset = tested.dataset
    protocols = {format_metres(metres): Protocol.of(dataset, (metres,)) for metres in thresholds_m}
    return {
        "label": dataset.label,
        "role": tested.role,
        "key": tested.key,
        "synthetic": is_drawn(dataset.root),
        "database": len(dataset.database),
        "queries": len(dataset.queries),
        "protocols": {
            metres: {"name": protocol.name, "hash": protocol.hash} for metres, protocol in protocols.items()
        },
    }


def _runs(runs: Sequence[PlannedRun]) -> list[dict[str, Any]]:
    return [{"seed": run.recipe.seed, "run": run.folder_name} for run in runs]
