"""``landfall experiment``: the paper's tables and figures on any dataset, and a report of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from landfall.cli import options
from landfall.cli.console import answer, say, write_json
from landfall.cli.train import Bars, packages_told

app = typer.Typer(
    help="The paper's tables and figures as commands, and a report of them.", no_args_is_help=True
)

ALL = "all"


@app.command("list")
def list_experiments(json_to: options.Json = None) -> None:
    """Name every experiment, what it varies, and where it stands in the paper."""
    from landfall.experiments.paper import EXPERIMENTS

    every = list(EXPERIMENTS.values())
    told = [
        {
            "name": each.name,
            "title": each.title,
            "where": each.where or None,
            "variants": [variant.label for variant in each.variants],
            "thresholds_m": list(each.thresholds_m),
        }
        for each in every
    ]
    write_json(json_to, told)
    if json_to != "-":
        rows = [
            f"{each.name:<11} {each.where or 'not in it':<15} {each.title}"
            + (f": {', '.join(variant.label for variant in each.variants)}" if each.variants else "")
            for each in every
        ]
        answer("\n".join([f"{'name':<11} {'in the paper':<15}", *rows, f"{ALL:<11} {'':<15} all of them"]))


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of 'landfall experiment list', or all.")],
    train: Annotated[
        str, typer.Option("--train", metavar="DATASET", help="Trained and validated on: splits train, val.")
    ],
    tests: Annotated[
        list[str],
        typer.Option(
            "--test", metavar="DATASET", help="Tested on: split test. The first is in the role of pitts30k."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Results; experiments share their runs there.")
    ] = Path("landfall-results"),
    budget: Annotated[
        str, typer.Option("--budget", help="paper, quick, or so many training queries for each run.")
    ] = "quick",
    seeds: Annotated[
        list[str] | None,
        typer.Option(
            "--seeds",
            metavar="N",
            help="Runs of every variant, with seeds 0, 1, ...; of one with its label: CRN2:3.",
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change every recipe, or one variant's: Base:optimizer.lr=1e-5.",
        ),
    ] = None,
    test_split: Annotated[str, typer.Option("--test-split", help="Of the test sets.")] = "test",
    layout: Annotated[str, typer.Option("--layout", help="The layout; found by itself by default.")] = "auto",
    device: options.Device = None,
    workers: options.Workers = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Train and measure what is not there yet; run again after a kill, it goes on where it stopped."""
    from landfall.experiments.paper import EXPERIMENTS, Budget, Seeds, Task, plan_experiments, run_experiments
    from landfall.experiments.paper.report import summarise, to_text
    from landfall.experiments.paper.store import ResultsFolder
    from landfall.training import Machine

    chosen = list(EXPERIMENTS.values()) if name == ALL else [EXPERIMENTS[name]]
    task = Task(
        train,
        tuple(tests),
        test_split=test_split,
        layout=layout,
        budget=budget,
        seeds=Seeds.parse(seeds or ()),
        changes=tuple(changes or ()),
        machine=Machine(device, workers=workers, cache=out / "cache"),
    )
    with Bars(quiet=quiet) as bars, packages_told(), _going_on_told():
        # All of them are planned first: what makes no sense is told before hours of training.
        plans = plan_experiments(
            chosen, train, Budget.parse(budget), seeds=task.seeds, changes=task.changes, layout=layout
        )
        distinct = {planned.key for plan in plans for planned in plan.runs if planned.trained}
        bars.say(f"Experiments: {len(chosen)}, trainings that are not the same: {len(distinct)}.")
        records = run_experiments(plans, task, out, say=bars.say, progress=bars.show)
    write_json(json_to, records)
    if json_to != "-":
        told = [each for each in summarise(ResultsFolder(out)) if each.experiment.name in records]
        answer(to_text(told))
    say(f"The report: landfall experiment report {out}", quiet=quiet)
    failed = [(name, told) for name, record in records.items() for told in record["failed"]]
    for experiment, told in failed:
        say(f"{experiment}: {told['label']}, seed {told['seed']}, failed: {told['error']}")
    if failed:
        raise typer.Exit(1)


@app.command()
def report(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="The --out of 'landfall experiment run'.")
    ] = Path("landfall-results"),
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Write it here; into RESULTS by default.")
    ] = None,
    with_photos: Annotated[
        bool,
        typer.Option("--with-photos", help="Take in pictures with photos of datasets that are not drawn."),
    ] = False,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Render what is there beside the paper's figures: report.md, report.html, results.json, figures."""
    from landfall.experiments.paper.report import write_report

    written = write_report(results, to, with_photos=with_photos)
    for label in written.left_out:
        say(f"Pictures with photos of {label} are left out; --with-photos takes them in.", quiet=quiet)
    say(f"Wrote {len(written.files)} files.", quiet=quiet)
    write_json(json_to, written.numbers)
    if json_to != "-":
        answer(f"{(to or results) / 'report.html'}")


@contextmanager
def _going_on_told() -> Iterator[None]:
    """Say after Ctrl-C how the experiments go on."""
    try:
        yield
    except KeyboardInterrupt:
        say("Finished runs and rounds are kept; the same command goes on from there.")
        raise
