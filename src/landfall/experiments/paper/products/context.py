"""What a product is made from, and the registry of products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landfall.experiments.paper.plan import ExperimentPlan, PlannedRun
from landfall.experiments.paper.store import ResultsFolder
from landfall.experiments.paper.task import Task, Tested
from landfall.registry import Registry


@dataclass(frozen=True, eq=False)
class Context:
    """An experiment whose runs are trained and measured.

    Attributes:
        plan: its runs.
        task: the datasets and the machine.
        folder: the results' folder.
        tests: the test sets, in the order of their roles.
        say: is told what takes a while.
    """

    plan: ExperimentPlan
    task: Task
    folder: ResultsFolder
    tests: Sequence[Tested]
    say: Callable[[str], None]

    def picture(self, name: str) -> Path:
        """Return where a picture of the experiment goes; its folder is made."""
        folder = self.folder.pictures(self.plan.experiment.name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    @property
    def first_runs(self) -> list[PlannedRun]:
        """Each variant's trained run of the first seed."""
        return [self.plan.of(variant)[0] for variant in self.plan.experiment.variants]


Product = Callable[[Context], dict[str, Any]]

PRODUCTS: Registry[Product] = Registry("product of an experiment")
