"""``landfall demo``: the whole way on the drawn city."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from landfall.cli import options
from landfall.cli.console import answer, progress_bar, say, write_json


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where everything is written.")] = Path(
        "landfall-demo"
    ),
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="A checkpoint file or a published name.")
    ] = "densevlad",
    size: Annotated[
        Literal["tiny", "demo"], typer.Option("--size", help="How big a town; tiny takes seconds.")
    ] = "demo",
    device: options.Device = None,
    workers: options.Workers = None,
    seed: options.Seed = 0,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw a town, index one pass through it, localize another, and write a page about it.

    Run again, it goes on from what is there. Ends with 1 when some of its photos could not be read.
    """
    from landfall.experiments.demo import run_demo
    from landfall.models import load_model

    described_by = load_model(model, device=device)
    with _Steps(quiet=quiet) as steps:
        made = run_demo(out, described_by, size=size, seed=seed, workers=workers, advance=steps.advance)
    told = made.to_dict()
    write_json(json_to, told)
    if json_to != "-":
        answer(made.evaluation.to_text())
        answer(
            f"\n{told['fix_error_m']['within_25_percent']:.0f} % of the queries were placed within 25 m of "
            "the truth (drawn city, synthetic)."
        )
        answer(f"Open {made.report}")
    say(f"{sum(made.seconds.values()):.0f} s in all", quiet=quiet)
    if made.evaluation.failed:
        raise typer.Exit(1)


class _Steps:
    """One progress bar after another, as the steps of the demo come."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._what = ""
        self._stack = ExitStack()

    def __enter__(self) -> _Steps:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def advance(self, what: str, done: int, total: int) -> None:
        """Show how far the step ``what`` is; a new one ends the bar of the last."""
        if what != self._what:
            self._stack.close()
            self._what = what
            self._bar = self._stack.enter_context(progress_bar(what, total, quiet=self._quiet))
        self._bar(done)
