"""What the records and the runs of a results' folder come to; nothing is computed again but statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from landfall.evaluation.result import format_metres
from landfall.experiments.paper.comparison import Comparison, Score, compare, score
from landfall.experiments.paper.measured import Measured
from landfall.experiments.paper.store import ResultsFolder
from landfall.experiments.paper.variant import EXPERIMENTS, Experiment


@dataclass(frozen=True, eq=False)
class RunSummary:
    """One planned run.

    Attributes:
        seed: of everything drawn at random.
        name: of its folder under ``runs``.
        trained: whether it is a training.
        result: what it came to; None before it is there.
    """

    seed: int
    name: str
    trained: bool
    result: dict[str, Any] | None

    @property
    def hours(self) -> float | None:
        """Hours of mining, steps and validation, kills left out; None before it is there."""
        if self.result is None:
            return None
        return sum(float(epoch["seconds"]) for epoch in self.result["epochs"]) / 3600


@dataclass(frozen=True, eq=False)
class VariantSummary:
    """One variant.

    Attributes:
        label: its row.
        changes: ``key=value`` on its recipe, but those that a change of all recipes goes over.
        usable_queries: training queries with a positive.
        size: height and width of its photos.
        runs, untrained: one a seed.
    """

    label: str
    changes: tuple[str, ...]
    usable_queries: int
    size: tuple[int, int]
    runs: tuple[RunSummary, ...]
    untrained: tuple[RunSummary, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """One row of the table of a test set.

    Attributes:
        label: as in the paper.
        variant: whose.
        threshold_m: the positive distance.
        trained: whether the runs are trainings.
        planned: how many runs there are to be.
        score: of those that are measured; None where none is.
        ceiling: percent of queries with a positive; None where nothing is measured.
        paper: the paper's percent by rank, where it has any.
    """

    label: str
    variant: str
    threshold_m: float
    trained: bool
    planned: int
    score: Score | None
    ceiling: float | None
    paper: Mapping[int, float]

    def difference(self, rank: int) -> float | None:
        """Return ours minus the paper's; None where one is missing."""
        if self.score is None or rank not in self.paper:
            return None
        return self.score.recall[rank] - self.paper[rank]


@dataclass(frozen=True, eq=False)
class OnTest:
    """An experiment on one test set.

    Attributes:
        label, role, synthetic, database, queries: as recorded.
        protocols: name and hash by positive distance.
        rows: the reference first; untrained networks last.
        against_reference: each variant against the first one.
        against_start: each trained variant against its untrained network.
        others: all further pairs of variants.
        failed_photos: that a run could not describe, at most.
        warnings: of any run, each once.
    """

    label: str
    role: str | None
    synthetic: bool
    database: int
    queries: int
    protocols: Mapping[str, Mapping[str, str]]
    rows: tuple[Row, ...]
    against_reference: tuple[Comparison, ...]
    against_start: tuple[Comparison, ...]
    others: tuple[Comparison, ...]
    failed_photos: int
    warnings: tuple[str, ...]

    @property
    def stem(self) -> str:
        """Its name in files' names: a plot is called by the data it shows, not by the role they play."""
        return re.sub(r"[^\w.-]+", "-", self.label)

    @property
    def is_the_papers(self) -> bool:
        """Whether the dataset is called as the paper's set whose part it plays."""
        return self.role is not None and _plain(self.label.partition("/")[0]) == _plain(self.role)


@dataclass(frozen=True, eq=False)
class ExperimentSummary:
    """An experiment that was begun.

    Attributes:
        experiment: what it is.
        record: what was recorded of it.
        variants: what it compares.
        tests: on each test set.
    """

    experiment: Experiment
    record: dict[str, Any]
    variants: tuple[VariantSummary, ...]
    tests: tuple[OnTest, ...]

    @property
    def runs(self) -> list[RunSummary]:
        """All of its runs."""
        return [run for variant in self.variants for run in (*variant.runs, *variant.untrained)]

    @property
    def done(self) -> int:
        """How many of its runs came to something."""
        return sum(run.result is not None for run in self.runs)


def summarise(folder: ResultsFolder) -> list[ExperimentSummary]:
    """Return every experiment that was begun, in the order of the catalogue."""
    return [_experiment(folder, EXPERIMENTS[name], record) for name, record in folder.records().items()]


def told_once(runs: Sequence[RunSummary], key: str) -> str:
    """Return a number of the results of runs: once where all have the same, else of each."""
    values = [run.result[key] for run in runs if run.result is not None]
    distinct = values[:1] if len(set(values)) == 1 else values
    return ", ".join(map(str, distinct))


def _experiment(folder: ResultsFolder, experiment: Experiment, record: dict[str, Any]) -> ExperimentSummary:
    variants = tuple(
        VariantSummary(
            told["label"],
            (*_standing(told["changes"], [*record["set"], *told["set"]]), *told["set"]),
            told["usable_queries"],
            (told["size"][0], told["size"][1]),
            tuple(_runs(folder, told["runs"], trained=True)),
            tuple(_runs(folder, told["untrained"], trained=False)),
        )
        for told in record["variants"]
    )
    tests = tuple(_on_test(folder, experiment, variants, told) for told in record["tests"])
    return ExperimentSummary(experiment, record, variants, tests)


def _standing(changes: list[str], later: list[str]) -> tuple[str, ...]:
    """Return the changes of keys that no later change sets, itself or with its whole section."""
    keys = [change.partition("=")[0] for change in later]
    return tuple(
        change
        for change in changes
        if not any(f"{change.partition('=')[0]}.".startswith(f"{key}.") for key in keys)
    )


def _runs(folder: ResultsFolder, told: list[dict[str, Any]], *, trained: bool) -> Iterator[RunSummary]:
    for each in told:
        yield RunSummary(each["seed"], each["run"], trained, folder.run(each["run"]).result())


def _on_test(
    folder: ResultsFolder,
    experiment: Experiment,
    variants: tuple[VariantSummary, ...],
    told: dict[str, Any],
) -> OnTest:
    found = {
        run.name: measurement
        for variant in variants
        for run in (*variant.runs, *variant.untrained)
        if (measurement := folder.run(run.name).measurement(told["key"])) is not None
    }

    def within(runs: tuple[RunSummary, ...], threshold_m: float) -> dict[int, Measured]:
        return {run.seed: found[run.name].within(threshold_m) for run in runs if run.name in found}

    published = experiment.published.get(told["role"], {})
    rows = []
    for trained in (True, False):
        for variant in variants:
            runs = variant.runs if trained else variant.untrained
            for threshold_m in experiment.thresholds_m if runs else ():
                label = experiment.row(variant.label, threshold_m)
                rows.append(
                    _row(
                        label if trained else f"{label}, untrained",
                        variant.label,
                        threshold_m,
                        trained,
                        len(runs),
                        within(runs, threshold_m),
                        published.get(label, {}) if trained else {},
                    )
                )
    main_m = experiment.thresholds_m[0]
    trained_runs = {variant.label: within(variant.runs, main_m) for variant in variants}
    pairs = [
        made
        for first, second in combinations(trained_runs, 2)
        if (made := compare(second, trained_runs[second], first, trained_runs[first])) is not None
    ]
    starts = [
        compare(
            f"{variant.label} trained",
            trained_runs[variant.label],
            "untrained",
            within(variant.untrained, main_m),
        )
        for variant in variants
    ]
    return OnTest(
        told["label"],
        told["role"],
        told["synthetic"],
        told["database"],
        told["queries"],
        {metres: told["protocols"][metres] for metres in map(format_metres, experiment.thresholds_m)},
        tuple(rows),
        tuple(made for made in pairs if made.reference == variants[0].label),
        tuple(made for made in starts if made is not None),
        tuple(made for made in pairs if made.reference != variants[0].label),
        max((each.failed for each in found.values()), default=0),
        tuple(dict.fromkeys(warning for each in found.values() for warning in each.warnings)),
    )


def _row(
    label: str,
    variant: str,
    threshold_m: float,
    trained: bool,
    planned: int,
    measured: Mapping[int, Measured],
    paper: Mapping[int, float],
) -> Row:
    return Row(
        label,
        variant,
        threshold_m,
        trained,
        planned,
        score(measured) if measured else None,
        next(iter(measured.values())).ceiling if measured else None,
        paper,
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
