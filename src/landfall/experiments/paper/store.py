"""The folder of experiments' results: runs that experiments share, and what each experiment came to.

::

    OUT/
      runs/HEAD-KEY/            one training (`landfall train`'s folder), or one untrained network
        result.json             what it came to, once it is there
        tests/PROTOCOL.json     what its model gave on a test set
      NAME.json                 an experiment: its variants, their runs, the protocols of its tests
      NAME/                     pictures of an experiment
      report.md, report.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landfall import files
from landfall.errors import UsageError
from landfall.experiments.paper.measured import Measured
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
    def model(self) -> Path:
        """The model that is measured: of the best epoch, or untrained."""
        return self.root / ("best.safetensors" if self.training.about.exists() else "untrained.safetensors")

    @property
    def result_path(self) -> Path:
        """What it came to."""
        return self.root / "result.json"

    def result(self) -> dict[str, Any] | None:
        """Return what it came to; None before it is there."""
        return files.read_json(self.result_path)

    def measured_path(self, protocol: str) -> Path:
        """Where what it gave on a test set is kept."""
        return self.root / "tests" / f"{protocol}.json"

    def measured(self, protocol: str) -> list[Measured] | None:
        """Return what it gave on a test set, one a threshold; None before it is there."""
        told = files.read_json(self.measured_path(protocol))
        return None if told is None else [Measured.from_dict(each) for each in told["measured"]]


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

    def begin(self, experiment: str, record: dict[str, Any]) -> None:
        """Record what an experiment is about to run.

        Raises:
            UsageError: another recipe, budget or data was recorded there, or the folder can't be written.
        """
        before = self.record(experiment)
        if before is not None:
            refuse_mixing(before, record, self.record_path(experiment))
            record = {**record, "products": before["products"]}
        self.write(experiment, record)

    def write(self, experiment: str, record: dict[str, Any]) -> None:
        """Write an experiment's record.

        Raises:
            UsageError: it can't be written.
        """
        path = self.record_path(experiment)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_json(path, record, durable=True)
        except OSError as error:
            raise UsageError(
                f"{path} can't be written: {error.strerror}. Choose an --out that can be, or make room."
            ) from error


def refuse_mixing(before: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Refuse to put results beside those of another recipe or other data; more seeds and tests may be added.

    Raises:
        UsageError: says what is not the same.
    """
    unlike = [what for what in ("budget", "train_fingerprint") if before[what] != now[what]]
    keys = {(v["label"], run["seed"]): run["run"] for v in before["variants"] for run in v["runs"]}
    unlike += [
        f"the recipe of {v['label']!r}"
        for v in now["variants"]
        if any(keys.get((v["label"], run["seed"]), run["run"]) != run["run"] for run in v["runs"])
    ]
    tests = {test["label"]: test["protocol"] for test in before["tests"]}
    unlike += [
        f"the photos or positions of {test['label']}"
        for test in now["tests"]
        if tests.get(test["label"], test["protocol"]) != test["protocol"]
    ]
    if unlike:
        raise UsageError(
            f"{path} holds results of other settings: {', '.join(unlike)}. They are not mixed: give another "
            "--out, or remove that file to begin anew (finished runs of equal recipes are used again)."
        )
