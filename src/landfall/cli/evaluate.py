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
    elsewhere: Annotated[
        Path | None,
        typer.Option(
            "--elsewhere", metavar="FOLDER", help="Photos of other places: how many are wrongly accepted?"
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Measure the geometric check of the first matches, too."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write plots and a contact sheet here.")
    ] = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Measure recall@1, 5, 10 and 20 over all queries, and how honest confidences and radii would be.

    Intervals resample spots. Confidence and radius are learned from the database alone.
    """
    from landfall.datasets import load_dataset
    from landfall.experiments import evaluate_model, write_report
    from landfall.localization import find_queries
    from landfall.models import load_model

    loaded = load_dataset(dataset, split, layout=layout)
    described_by = load_model(model, device=device)
    with progress_bar("Describing", len(loaded.database) + len(loaded.queries), quiet=quiet) as advance:
        failed = {"database": 0, "queries": 0}

        def told(side: str, progress: Progress) -> None:
            failed[side] = progress.failed
            before = len(loaded.database) if side == "queries" else 0
            advance(before + progress.done, sum(failed.values()))

        run = evaluate_model(
            loaded,
            described_by,
            thresholds_m=tuple(thresholds_m or (25.0,)),
            batch_size=batch_size,
            workers=workers,
            resize=options.input_spec(resize, described_by),
            progress=told,
            device=device,
            cache=cache,
            seed=seed,
            calibrate=True,
            check=verify,
            elsewhere=() if elsewhere is None else find_queries([elsewhere]).paths,
        )
    write_json(json_to, run.to_dict())
    if out is not None:
        for path in write_report(run, out):
            say(f"Wrote {path}", quiet=quiet)
    if json_to != "-":
        answer(run.to_text())
    if run.evaluation.failed:
        raise typer.Exit(1)
