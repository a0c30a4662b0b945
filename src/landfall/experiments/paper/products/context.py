"""What a product is made from, and the registry of products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landfall.datasets import Dataset
from landfall.experiments.paper.plan import ExperimentPlan
from landfall.experiments.paper.store import ResultsFolder
from landfall.registry import Registry
from landfall.training import Machine


@dataclass(frozen=True, eq=False)
class Context:
    """An experiment whose runs are trained and measured.

    Attributes:
        plan: its runs.
        folder: the results' folder.
        tests: the test sets, in the order of their roles.
        train: the dataset that was trained on, and its layout.
        machine: where to compute.
        say: is told what takes a while.
    """

    plan: ExperimentPlan
    folder: ResultsFolder
    tests: Sequence[Dataset]
    train: str
    layout: str
    machine: Machine
    say: Callable[[str], None]

    def picture(self, name: str) -> Path:
        """Return where a picture of the experiment goes; its folder is made."""
        folder = self.folder.pictures(self.plan.experiment.name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


Product = Callable[[Context], dict[str, Any]]

PRODUCTS: Registry[Product] = Registry("product of an experiment")
