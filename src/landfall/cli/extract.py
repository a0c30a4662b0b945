"""``landfall extract``: descriptors of photos to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import options
from landfall.cli.console import STDOUT, progress_bar, say, write_json
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
    seed: options.Seed = 0,
    half: Annotated[bool, typer.Option("--half", help="Store half precision.")] = False,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Describe photos into a .npy file (N, D); run again after a kill, it goes on."""
    from landfall.datasets import load_photos
    from landfall.extraction import extract as run_extraction
    from landfall.models import load_model
    from landfall.models.fitting import fit_and_keep, needs_fitting, with_input_spec

    if str(out) == STDOUT:
        raise UsageError("--out takes a file; an array can't go to stdout.")
    listing = load_photos(photos, workers=workers)
    if not len(listing.photos):
        raise UsageError(
            f"{photos}: no photo there can be described. "
            + "; ".join(f"{problem.photo}: {problem.reason}" for problem in listing.failed)
        )
    described_by = load_model(model, device=device)
    spec = options.input_spec(resize, described_by)
    if spec is not None:
        described_by = with_input_spec(described_by, spec)
    if needs_fitting(described_by):
        kept = out.with_name(f"{out.name}.model.safetensors")
        say(f"Fitting {described_by.card.name} on photos drawn from {len(listing.photos)}, kept as {kept}")
        described_by = fit_and_keep(described_by, listing.photos.paths, kept, seed=seed)
    with progress_bar("Describing", len(listing.photos), quiet=quiet) as advance:

        def told(progress: Progress) -> None:
            advance(progress.done, progress.failed, progress.total)

        descriptors = run_extraction(
            listing.photos.paths,
            listing.photos.names,
            described_by,
            out,
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
