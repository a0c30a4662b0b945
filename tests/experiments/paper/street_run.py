"""Experiments on the street of the trainings' tests, in a second each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from landfall.experiments.paper import (
    EXPERIMENTS,
    Budget,
    Experiment,
    Seeds,
    Task,
    plan_experiments,
    run_experiments,
)
from landfall.training import Machine

BUDGET = "6"
SMALL = (
    "model.weights=null",
    "model.head_options={clusters: 4}",
    "model.height=48",
    "model.width=64",
    "model.init_photos=8",
    "model.init_locations=12",
    "mining.negatives=3",
    "mining.queries_per_round=4",
    "mining.batch_size=5",
    "schedule.batch_queries=2",
    "memory.features_mb=8",
    # Every triplet is within it: each step changes the weights.
    "loss.options={margin: 0.5}",
)
#: Two trainings and both of their starts.
NAME = "init"


def run_on_street(
    street: Path,
    out: Path,
    experiments: Sequence[Experiment] = (EXPERIMENTS[NAME],),
    *,
    seeds: int = 1,
    changes: Sequence[str] = SMALL,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, Any]]:
    """Run experiments as the command does; the street has no test split, so that ``val`` is measured."""
    task = Task(
        str(street),
        (str(street),),
        test_split="val",
        budget=BUDGET,
        seeds=Seeds(seeds),
        changes=tuple(changes),
        machine=Machine("cpu", workers=1),
    )
    plans = plan_experiments(
        experiments, task.train, Budget.parse(BUDGET), seeds=task.seeds, changes=task.changes
    )
    return run_experiments(plans, task, out, say=say)
