"""The whole report of a results' folder as a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from landfall.experiments.paper.report.document import (
    Block,
    Bullets,
    Command,
    Document,
    Grid,
    Section,
    Text,
)
from landfall.experiments.paper.report.numbers import all_runs, environments, total_hours
from landfall.experiments.paper.report.product_blocks import attention_blocks, costs_blocks, maps_blocks
from landfall.experiments.paper.report.recall_tables import named, recall_blocks
from landfall.experiments.paper.report.summary import ExperimentSummary, RunSummary, told_once
from landfall.experiments.paper.store import ResultsFolder
from landfall.experiments.paper.variant import EXPERIMENTS, Experiment
from landfall.rendering import Cell, ColumnGroup

_HOW_TO_READ = (
    "Recall@N (R@N) is the percent of all queries with a right match among the first N.",
    "In brackets stands the 95 % interval that resamples the spots of the test set: how sure the number is "
    "of these places.",
    "After ± stands the sample standard deviation over seeds, where there are several: how much one training "
    "differs from the next. The interval does not hold that.",
    "Differences between two rows are of the same queries, seeds averaged per query first, with spots "
    "resampled for both together. No allowance is made for how many differences are looked at.",
)


def document_of(
    folder: ResultsFolder, summaries: Sequence[ExperimentSummary], *, photos_shown: Callable[[str], bool]
) -> Document:
    """Return the report of experiments that were begun.

    Args:
        folder: where their pictures are.
        summaries: of `summarise`.
        photos_shown: whether photos of a test set may be in it, by its label.
    """
    begun = {summary.experiment.name: summary for summary in summaries}
    sections = [Section("What was run", "", [_overview(begun), Bullets(_HOW_TO_READ)])]
    sections += [
        Section(
            heading(summary.experiment),
            name,
            list(_experiment_blocks(folder, summary, photos_shown=photos_shown)),
        )
        for name, summary in begun.items()
    ]
    sections.append(Section("How it was made", "made", list(_ending(summaries))))
    return Document("Experiments beside the paper", _subtitle(summaries), sections)


def heading(experiment: Experiment) -> str:
    """Return an experiment's heading."""
    where = experiment.where[:1].upper() + experiment.where[1:]
    return f"{where}: {experiment.title}" if where else f"{experiment.title} (not in the paper)"


def _subtitle(summaries: Sequence[ExperimentSummary]) -> str:
    trained = list(
        dict.fromkeys(
            named(each.record["train"], synthetic=each.record["train_synthetic"])
            for each in summaries
            if each.record["train"] is not None
        )
    )
    tested = list(
        dict.fromkeys(
            named(test.label, synthetic=test.synthetic) for each in summaries for test in each.tests
        )
    )
    said = "Gambino, Pierro, Grillo, Visual Geo-Localization, 2022."
    if trained:
        said += f" Trained on {', '.join(trained)};"
    return f"{said} measured on {', '.join(tested)}."


def _overview(begun: dict[str, ExperimentSummary]) -> Grid:
    rows, links = [], []
    for name, experiment in EXPERIMENTS.items():
        summary = begun.get(name)
        state = "not run" if summary is None else "done"
        if summary is not None and summary.runs:
            state = f"{summary.done} of {len(summary.runs)} runs"
            state += f", {len(summary.record['failed'])} failed" if summary.record["failed"] else ""
        budget = Cell() if summary is None else _budget(summary)
        seeds = "" if summary is None else str(len(summary.record["seeds"]))
        rows.append(
            (
                Cell(experiment.title),
                Cell(experiment.where),
                Cell(name),
                budget,
                Cell(seeds),
                Cell(state),
            )
        )
        links.append("" if summary is None else name)
    groups = (
        ColumnGroup("", ("experiment", "in the paper", "name", "budget"), numeric=False),
        ColumnGroup("", ("seeds",)),
        ColumnGroup("", ("state",), numeric=False),
    )
    return Grid(groups, tuple(rows), tuple(links))


def _budget(summary: ExperimentSummary) -> Cell:
    count = len(summary.record["set"])
    changed = (f"{count} --set",) if count and summary.variants else ()
    return Cell(summary.record["budget"], changed)


def _experiment_blocks(
    folder: ResultsFolder, summary: ExperimentSummary, *, photos_shown: Callable[[str], bool]
) -> Iterator[Block]:
    experiment, record = summary.experiment, summary.record
    if experiment.finding:
        yield Text(f"Finding of the paper: {experiment.finding}" if experiment.where else experiment.finding)
    yield Command(record["command"])
    if summary.variants and experiment.recall_told:
        train = named(record["train"], synthetic=record["train_synthetic"])
        yield Text(
            f"Trained on {train}, {record['train_queries']} training queries, budget {record['budget']}."
        )
        yield _trainings(summary)
        yield from _about_steps(summary)
        for test in summary.tests:
            yield from recall_blocks(summary, test)
    pictures = folder.pictures(experiment.name)
    told = record["products"].get(experiment.product)
    if experiment.product is not None and told is None:
        yield Text("Not finished: what it makes beside recall comes when all of its runs are there.")
    if experiment.product == "costs":
        yield from costs_blocks(summary, told)
    if experiment.product == "positions":
        yield from maps_blocks(summary, told, pictures)
    if experiment.product == "attention":
        yield from attention_blocks(summary, told, pictures, shown=photos_shown)
    if record["failed"]:
        yield Text("Runs that failed:")
        yield Bullets(
            tuple(f"{told['label']}, seed {told['seed']}: {told['error']}" for told in record["failed"])
        )


def _trainings(summary: ExperimentSummary) -> Grid:
    """Return what is varied, and what each training came to."""
    changed = any(variant.changes for variant in summary.variants)
    groups = (
        ColumnGroup("", ("", "changed in the recipe") if changed else ("",), numeric=False),
        ColumnGroup("", ("usable queries", "height x width", "steps", "best epoch", "hours")),
    )
    rows = tuple(
        (
            Cell(variant.label),
            *((Cell(", ".join(variant.changes)),) if changed else ()),
            Cell(str(variant.usable_queries)),
            Cell(f"{variant.size[0]} x {variant.size[1]}"),
            Cell(told_once(variant.runs, "steps")),
            Cell(told_once(variant.runs, "best_epoch")),
            Cell(", ".join(_hours(run.hours) for run in variant.runs if run.hours is not None)),
        )
        for variant in summary.variants
    )
    return Grid(groups, rows)


def _hours(hours: float) -> str:
    """Return hours, to some seconds where there are few."""
    return f"{hours:.2f}" if hours >= 0.1 else f"{hours:.3f}"


def _about_steps(summary: ExperimentSummary) -> Iterator[Block]:
    steps = {run.result["steps"] for run in summary.runs if run.result is not None and run.trained}
    if len(steps) > 1:
        yield Text("The trainings took unlike numbers of steps, because they stop early or are not finished.")
    elif steps and len(summary.variants) > 1:
        usable = {variant.usable_queries for variant in summary.variants}
        because = ", those of the variant with the fewest usable queries" if len(usable) > 1 else ""
        yield Text(f"All trainings took the same number of steps{because}.")


def _ending(summaries: Sequence[ExperimentSummary]) -> Iterator[Block]:
    """Yield environment, commit, seeds and hours."""
    runs = all_runs(summaries)
    seeds = sorted({run.seed for run in runs})
    trainings = [run for run in runs if run.trained and run.result is not None]
    if runs:
        yield Text(
            f"{len(trainings)} finished trainings, {_hours(total_hours(runs))} hours of mining, steps and "
            f"validation in all; seeds {', '.join(map(str, seeds))}. Experiments share runs: each stands "
            "here once."
        )
    names = ("landfall", "commit", "python", "torch", "numpy", "system", "cpu", "gpu", "threads")
    yield Grid(
        (ColumnGroup("", names, numeric=False), ColumnGroup("", ("runs",))),
        tuple(
            (*(Cell(environment.get(name) or "") for name in names), Cell(str(count)))
            for environment, count in environments(summaries)
        ),
    )
    if trainings:
        yield Grid(
            (
                ColumnGroup("", ("run", "needed by"), numeric=False),
                ColumnGroup("", ("seed", "steps", "best epoch", "validation R@5", "hours")),
            ),
            tuple(_training_row(run, summaries) for run in trainings),
        )


def _training_row(run: RunSummary, summaries: Sequence[ExperimentSummary]) -> tuple[Cell, ...]:
    result = run.result or {}
    needed = [
        f"{summary.experiment.name}: {variant.label}"
        for summary in summaries
        for variant in summary.variants
        if any(each.name == run.name for each in variant.runs)
    ]
    best = next((epoch for epoch in result["epochs"] if epoch["epoch"] == result["best_epoch"]), None)
    return (
        Cell(run.name),
        Cell("; ".join(needed)),
        Cell(str(run.seed)),
        Cell(str(result["steps"])),
        Cell("" if best is None else str(best["epoch"])),
        Cell("" if best is None else f"{best['val_recall']['5']:.1f}"),
        Cell(_hours(run.hours or 0.0)),
    )
