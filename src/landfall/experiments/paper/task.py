"""What experiments are run on: the datasets in their roles, the seeds, the machine."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from landfall import files
from landfall.datasets import Dataset, Protocol, load_dataset
from landfall.errors import UsageError
from landfall.evaluation.evaluation import check_evaluable
from landfall.experiments.paper.measured import distances_measured
from landfall.experiments.paper.photo_key import photo_key
from landfall.experiments.paper.portable import portable_change
from landfall.experiments.paper.seeds import Seeds
from landfall.experiments.paper.variant import MAIN_M, ROLES
from landfall.training import Machine


@dataclass(frozen=True)
class Task:
    """What an experiment is run on.

    Attributes:
        train: the dataset that is trained on.
        tests: datasets whose test split is measured; the first plays pitts30k, the second St Lucia.
        test_split: their split.
        layout: of all of them.
        budget: as it was asked for.
        seeds: of the runs.
        changes: ``key=value`` that every recipe got.
        machine: where to train.
    """

    train: str
    tests: tuple[str, ...]
    test_split: str = "test"
    layout: str = "auto"
    budget: str = "quick"
    seeds: Seeds = field(default_factory=Seeds)
    changes: tuple[str, ...] = ()
    machine: Machine = field(default_factory=Machine)

    def command(self, experiment: str) -> str:
        """Return what runs an experiment anew where datasets and files are found by their names."""
        words = ["landfall", "experiment", "run", experiment, "--train", Path(self.train).name]
        for test in self.tests:
            words += ["--test", Path(test).name]
        words += ["--budget", self.budget, *self.seeds.words()]
        for change in self.changes:
            words += ["--set", portable_change(change)]
        if self.test_split != "test":
            words += ["--test-split", self.test_split]
        if self.layout != "auto":
            words += ["--layout", self.layout]
        return shlex.join(words)


@dataclass(frozen=True, eq=False)
class Tested:
    """A test set in its role.

    Attributes:
        dataset: the split that is measured.
        role: the paper's set whose part it plays; None beyond the second.
        key: changes with its photos and with the distances that are measured.
    """

    dataset: Dataset
    role: str | None
    key: str


def load_tests(task: Task) -> list[Tested]:
    """Load the test sets, and check that recall can be told on each before anything is trained.

    Raises:
        UsageError: none was given, or one of them twice.
        DatasetError: no such dataset or split, or nothing to measure.
    """
    distances = distances_measured()
    loaded = [load_dataset(test, task.test_split, layout=task.layout) for test in task.tests]
    if not loaded:
        raise UsageError("An experiment needs at least one test set: --test DATASET.")
    labels = [dataset.label for dataset in loaded]
    if len(set(labels)) < len(labels):
        raise UsageError(
            f"Test sets are told apart by their names, and these are {', '.join(labels)}: give each once, or "
            "rename one of the folders."
        )
    for dataset in loaded:
        check_evaluable(dataset, distances, (1,))
    return [
        Tested(dataset, ROLES[at] if at < len(ROLES) else None, key_of_test(dataset, distances))
        for at, dataset in enumerate(loaded)
    ]


def key_of_test(dataset: Dataset, distances_m: Sequence[float] = (MAIN_M,)) -> str:
    """Return 12 hexadecimal digits over a test set's photos, positions and the distances measured."""
    return photo_key([Protocol.of(dataset, distances_m).hash], [dataset.database, dataset.queries])


def is_drawn(root: Path) -> bool:
    """Tell whether a dataset is a drawn city, by the card that `draw_city` leaves in its folder."""
    return root.is_dir() and (files.read_json(root / "city.json") or {}).get("synthetic") is True
