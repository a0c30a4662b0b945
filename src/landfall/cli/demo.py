"""``landfall demo``: the whole way on the drawn city."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

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
    device: options.Device = None,
    workers: options.Workers = None,
    seed: options.Seed = 0,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw a town, index one pass through it, localize another, and write a page about it."""
    from landfall.experiments.demo import run_demo
    from landfall.models import load_model

    steps = _Steps(quiet=quiet)
    try:
        made = run_demo(
            out, load_model(model, device=device), seed=seed, workers=workers, advance=steps.advance
        )
    finally:
        steps.close()
    told = made.to_dict()
    write_json(json_to, told)
    if json_to != "-":
        answer(made.evaluation.to_text())
        answer(
            f"\n{told['fix_error_m']['within_25_percent']:.0f} % of the answers lie within 25 m of the truth "
            "(drawn city, synthetic)."
        )
        answer(f"Open {made.report}")
    say(f"{sum(made.seconds.values()):.0f} s in all", quiet=quiet)


class _Steps:
    """One progress bar after another, as the steps of the demo come."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._what = ""
        self._stack: ExitStack | None = None

    def advance(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self.close()
            self._what = what
            self._stack = ExitStack()
            self._bar = self._stack.enter_context(progress_bar(what, total or None, quiet=self._quiet))
        self._bar(done)

    def close(self) -> None:
        if self._stack is not None:
            self._stack.close()
            self._stack = None
