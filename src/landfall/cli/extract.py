"""``landfall extract``: descriptors of photos to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import options
from landfall.cli.console import progress_bar, say, write_json
from landfall.errors import UsageError

if TYPE_CHECKING:
    from landfall.extraction import Progress


def extract(
    photos: Annotated[
        str, typer.Argument(metavar="PHOTOS", help="A folder at any depth, a CSV, or one photo.")
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="A checkpoint file or a published name.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The .npy file to write; FILE.json beside it.")
    ],
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="Only part I of N, counted from 1.")
    ] = None,
    resize: options.Resize = None,
    batch_size: options.BatchSize = 16,
    workers: options.Workers = None,
    device: options.Device = None,
    half: Annotated[bool, typer.Option("--half", help="Store half precision.")] = False,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Describe photos into a .npy file (N, D); run again after a kill, it goes on."""
    from landfall.datasets import load_photos
    from landfall.extraction import extract as run_extraction
    from landfall.models import load_model

    listing = load_photos(photos, workers=workers)
    described_by = load_model(model, device=device)
    with progress_bar("Describing", len(listing.photos), quiet=quiet) as advance:

        def told(progress: Progress) -> None:
            advance(progress.done, progress.failed, progress.total)

        descriptors = run_extraction(
            listing.photos.paths,
            listing.photos.names,
            described_by,
            out,
            spec=options.input_spec(resize, described_by),
            batch_size=batch_size,
            workers=workers,
            dtype="float16" if half else "float32",
            shard=None if shard is None else _parsed_shard(shard),
            progress=told,
        )
    failed = [*listing.failed, *descriptors.failures]
    for problem in failed:
        say(f"failed {problem.photo}: {problem.reason}")
    say(f"Wrote {out}: {len(descriptors)} photos, {descriptors.dim} numbers each", quiet=quiet)
    write_json(
        json_to,
        {
            "out": str(out),
            "photos": len(descriptors),
            "descriptor_dim": descriptors.dim,
            "model": descriptors.model.name,
            "seconds": dict(descriptors.seconds),
            "failed": [problem.to_dict() for problem in failed],
        },
    )
    if failed:
        raise typer.Exit(1)


def _parsed_shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise UsageError(f"--shard takes I/N, for example 3/16; got {text!r}")
    return int(part), int(parts)
