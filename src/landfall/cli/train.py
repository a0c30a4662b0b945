"""``landfall train``: train a network by a recipe, or go on with a training that stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import options
from landfall.cli.console import Advance, answer, progress_bar, say, write_json
from landfall.errors import UsageError

if TYPE_CHECKING:
    from landfall.training import Progress, TrainingResult


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE", help="base, gem, netvlad, crn, crn2, quick, small, or a YAML file."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATASET", help="A folder, or a name under $DATASETS_FOLDER."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="RUN", help="The folder that the training is written to.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="RUN", help="Go on with the training in this folder.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe, for example optimizer.lr=1e-4."),
    ] = None,
    layout: Annotated[str, typer.Option("--layout", help="The layout; found by itself by default.")] = "auto",
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="FOLDER", help="Share frozen features with other trainings here."),
    ] = None,
    device: options.Device = None,
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="That train together, a GPU each, or all on the CPU.")
    ] = 1,
    workers: options.Workers = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of everything drawn at random.")] = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Train a network: mine triplets, step, validate; the best epoch's model is RUN/best.safetensors."""
    _check_usage(recipe, data, out, resume, changes, seed, layout)
    from landfall import training

    # A mistake in the recipe is told before torch is loaded.
    every = [*(changes or ()), *([] if seed is None else [f"seed={seed}"])]
    chosen = None if recipe is None else training.load_recipe(recipe, every)
    machine = training.Machine(device, processes, workers, cache)
    with Bars(quiet=quiet) as bars, packages_told(), _resuming_told(resume or out):
        if resume is not None:
            result = training.resume(resume, dataset=data, machine=machine, say=bars.say, progress=bars.show)
        elif chosen is not None:
            result = training.train(
                chosen,
                data or "",
                out or "",
                layout=layout,
                machine=machine,
                say=bars.say,
                progress=bars.show,
            )
    if not training.is_first_process():
        return
    write_json(json_to, _told(result))
    if json_to != "-":
        answer(_as_text(result))


@contextmanager
def packages_told() -> Iterator[None]:
    """Turn a missing package into an error that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Training needs {error.name}, which is not installed: pip install 'landfall[train]'."
        ) from error


@contextmanager
def _resuming_told(run: Path | None) -> Iterator[None]:
    """Say after Ctrl-C how the training goes on."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"The rounds that were finished are saved; `landfall train --resume {run}` goes on from there.")
        raise


def _check_usage(
    recipe: str | None,
    data: str | None,
    out: Path | None,
    resume: Path | None,
    changes: list[str] | None,
    seed: int | None,
    layout: str,
) -> None:
    if resume is None and (recipe is None or data is None or out is None):
        raise UsageError(
            "`landfall train RECIPE --data DATASET --out RUN` starts a training, "
            "`landfall train --resume RUN` goes on with one."
        )
    if resume is not None and (
        recipe is not None or out is not None or changes or seed is not None or layout != "auto"
    ):
        raise UsageError(
            "--resume goes on with a training exactly as it was started: leave RECIPE, --out, --set, --seed "
            "and --layout out."
        )


class Bars:
    """A bar for each stage in its turn, and lines between them."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._open = ExitStack()
        self._stage: tuple[object, ...] = ()
        self._advance: Advance | None = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def say(self, line: str) -> None:
        """Write a line."""
        say(line, quiet=self._quiet)

    def show(self, progress: Progress) -> None:
        """Draw how far the training is."""
        stage = (progress.stage, progress.epoch, progress.round)
        if stage != self._stage or self._advance is None:
            self._open.close()
            self._stage = stage
            self._advance = self._open.enter_context(
                progress_bar(_title(progress), progress.total, quiet=self._quiet)
            )
        self._advance(progress.done)


def _title(progress: Progress) -> str:
    if progress.stage == "features":
        return "Frozen features"
    if progress.stage == "validation":
        return (
            f"Epoch {progress.epoch}/{progress.epochs}, validation" if progress.epoch else "Before training"
        )
    place = f"Epoch {progress.epoch}/{progress.epochs}, round {progress.round}/{progress.rounds}"
    return f"{place}, {progress.stage}"


def _told(result: TrainingResult) -> dict[str, object]:
    best, state = result.state.best, result.state
    return {
        "run": str(result.folder.root),
        "best": str(result.folder.best) if best else None,
        "last": str(result.folder.last),
        "best_epoch": best.epoch if best else None,
        "epochs": [
            {
                "epoch": record.epoch,
                "step": record.step,
                "loss": record.loss,
                "recall": {str(rank): percent for rank, percent in record.recall.items()},
                "best": record.best,
            }
            for record in state.epochs
        ],
        "finished": state.finished,
    }


def _as_text(result: TrainingResult) -> str:
    header = ["epoch", "loss", *(f"R@{rank}" for rank in sorted(result.state.epochs[0].recall)), ""]
    rows = [
        [
            str(record.epoch),
            "" if record.loss is None else f"{record.loss:.4f}",
            *(f"{record.recall[rank]:.1f}" for rank in sorted(record.recall)),
            "best" if record.best else "",
        ]
        for record in result.state.epochs
    ]
    lines = ["  ".join(cell.rjust(7) for cell in row).rstrip() for row in (header, *rows)]
    last = result.folder.best if result.state.best else result.folder.last
    return "\n".join([*lines, f"Epoch 0 is before training. The model: {last}"])
