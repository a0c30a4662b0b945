"""The folder of experiments' results: runs that experiments share, and what each experiment came to.

::

    OUT/
      runs/HEAD-KEY/            one training (`landfall train`'s folder), or one untrained network
        untrained.safetensors   what trainings of this model and seed start from
        result.json             what it came to, once it is there
        tests/KEY.json          what its model gave on a test set
      NAME.json                 an experiment: its variants, their runs, its test sets
      NAME/                     pictures of an experiment
      report.md, report.html, results.json, figures/
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landfall import files
from landfall.errors import UsageError
from landfall.experiments.paper.measured import Measurement
from landfall.experiments.paper.variant import EXPERIMENTS
from landfall.training.run_folder import RunFolder


@dataclass(frozen=True)
class RunStore:
    """One run's folder.

    Args:
        root: the folder.
    """

    root: Path

    @property
    def training(self) -> RunFolder:
        """The training's files."""
        return RunFolder(self.root)

    @property
    def untrained(self) -> Path:
        """The network before training."""
        return self.root / "untrained.safetensors"

    @property
    def model(self) -> Path:
        """The model that is measured: of the best epoch, or untrained."""
        return self.training.best if self.training.about.exists() else self.untrained

    @property
    def result_path(self) -> Path:
        """What it came to."""
        return self.root / "result.json"

    def result(self) -> dict[str, Any] | None:
        """Return what it came to; None before it is there."""
        return files.read_json(self.result_path)

    def measurement_path(self, key: str) -> Path:
        """Where what it gave on a test set is kept."""
        return self.root / "tests" / f"{key}.json"

    def measurement(self, key: str) -> Measurement | None:
        """Return what it gave on a test set; None before it is there."""
        told = files.read_json(self.measurement_path(key))
        return None if told is None else Measurement.from_dict(told)


@dataclass(frozen=True)
class ResultsFolder:
    """The folder of experiments' results.

    Args:
        root: the folder.
    """

    root: Path

    def run(self, folder_name: str) -> RunStore:
        """Return a run's folder."""
        return RunStore(self.root / "runs" / folder_name)

    def record_path(self, experiment: str) -> Path:
        """Where an experiment is recorded."""
        return self.root / f"{experiment}.json"

    def pictures(self, experiment: str) -> Path:
        """The folder of an experiment's pictures."""
        return self.root / experiment

    def record(self, experiment: str) -> dict[str, Any] | None:
        """Return an experiment's record; None where it was never begun."""
        return files.read_json(self.record_path(experiment))

    def records(self) -> dict[str, dict[str, Any]]:
        """Return the records that are there, by the experiments' names and in their order."""
        every = {name: self.record(name) for name in EXPERIMENTS}
        return {name: record for name, record in every.items() if record is not None}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out; the folder is made.

        Raises:
            UsageError: another one runs experiments there, or the folder can't be written.
        """
        busy = UsageError(
            f"Another process runs experiments in {self.root}. Wait for it, or give another --out."
        )
        try:
            lock = files.hold(self.root / ".lock", busy)
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:
            yield

    def begin(self, experiment: str, record: dict[str, Any]) -> dict[str, Any]:
        """Record what an experiment is about to run, and return the record.

        Raises:
            UsageError: another recipe, budget or data was recorded there, or the folder can't be written.
        """
        before = self.record(experiment)
        if before is not None:
            refuse_mixing(before, record, self.record_path(experiment))
            record = {**record, "products": before["products"]}
        self.write(experiment, record)
        return record

    def write(self, experiment: str, record: dict[str, Any]) -> None:
        """Write an experiment's record.

        Raises:
            UsageError: it can't be written.
        """
        try:
            files.write_json(self.record_path(experiment), record, durable=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(
            f"{self.root} can't be written: {error.strerror or error}. Choose an --out that can be, or make "
            "room; the same command then goes on."
        )


def refuse_mixing(before: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Refuse to put results beside those of another recipe or other data; more seeds and tests may be added.

    Raises:
        UsageError: says what is not the same.
    """
    unlike = [words for what, words in _SAME.items() if before[what] != now[what]]
    runs = {(label, seed): run for label, seed, run in _runs(before)}
    unlike += dict.fromkeys(
        f"the recipe of {label[0]!r}"
        for label, seed, run in _runs(now)
        if runs.get((label, seed), run) != run and not unlike
    )
    tests = {test["label"]: test["key"] for test in before["tests"]}
    unlike += [
        f"the photos or positions of {test['label']}"
        for test in now["tests"]
        if tests.get(test["label"], test["key"]) != test["key"]
    ]
    if unlike:
        raise UsageError(
            f"{path} holds results of other settings: {', '.join(unlike)}. They are not mixed: give another "
            "--out, or remove that file to begin anew (finished runs of equal recipes are used again)."
        )


#: What may not change between two commands, and how it is called.
_SAME = {"budget": "the budget", "train_key": "the photos or positions that are trained on"}


def _runs(record: dict[str, Any]) -> Iterator[tuple[tuple[str, bool], int, str]]:
    """Yield each run's variant and whether it is trained, its seed, and its folder."""
    for variant in record["variants"]:
        for kind in ("runs", "untrained"):
            for run in variant[kind]:
                yield (variant["label"], kind == "runs"), run["seed"], run["run"]
