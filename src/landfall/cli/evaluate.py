"""``landfall evaluate``: recall@N of a model on a split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import options
from landfall.cli.console import answer, progress_bar, say, write_json

if TYPE_CHECKING:
    from landfall.extraction import Progress


def evaluate(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="A folder or CSV, or a name under $DATASETS_FOLDER.")
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="A checkpoint file or a published name.")
    ],
    split: Annotated[str | None, typer.Option("--split", help="train, val, test ...")] = None,
    layout: Annotated[str, typer.Option("--layout", help="The layout; found by itself by default.")] = "auto",
    thresholds_m: Annotated[
        list[float] | None,
        typer.Option("--threshold", help="Metres within which a match is right; may be given several times."),
    ] = None,
    resize: options.Resize = None,
    batch_size: options.BatchSize = 16,
    workers: options.Workers = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="FOLDER", help="Keep the descriptors here, and go on from them."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write plots and a contact sheet here.")
    ] = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Measure recall@1, 5, 10 and 20 over all queries, with intervals that resample spots."""
    from landfall.datasets import load_dataset
    from landfall.experiments import evaluate_model, write_report
    from landfall.models import load_model

    loaded = load_dataset(dataset, split, layout=layout)
    with progress_bar("Describing", len(loaded.database) + len(loaded.queries), quiet=quiet) as advance:
        before = {"database": 0, "queries": len(loaded.database)}

        def told(side: str, progress: Progress) -> None:
            advance(before[side] + progress.done, progress.failed)

        run = evaluate_model(
            loaded,
            load_model(model, device=device),
            thresholds_m=tuple(thresholds_m or (25.0,)),
            batch_size=batch_size,
            workers=workers,
            resize=options.input_spec(resize),
            progress=told,
            device=device,
            cache=cache,
            seed=seed,
        )
    write_json(json_to, run.evaluation.to_dict())
    if out is not None:
        for path in write_report(run, out):
            say(f"Wrote {path}", quiet=quiet)
    if json_to != "-":
        answer(run.evaluation.to_text())
    if run.evaluation.failed:
        raise typer.Exit(1)
