"""``landfall models``: what can be loaded, make an untrained network, show a model's card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from landfall.cli import options
from landfall.cli.console import answer, say, write_json
from landfall.errors import UsageError

app = typer.Typer(help="List, make and show models.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_models(json_to: options.Json = None) -> None:
    """List the names that --model takes, and the backbones and heads that networks are made of."""
    from landfall.models.catalogue import backbones, heads, models

    value = {"models": models(), "backbones": backbones(), "heads": heads()}
    write_json(json_to, value)
    if json_to != "-":
        for noun, names in value.items():
            answer(f"{noun}: {', '.join(names)}")


@app.command("create")
def create(
    head: Annotated[str, typer.Option("--head", help="base, gem, netvlad, crn, crn2 ...")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the checkpoint is written.")],
    backbone: Annotated[str, typer.Option("--backbone", help="resnet18, resnet50 ...")] = "resnet18",
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="FILE", help="Backbone weights: a file, or 'imagenet'.")
    ] = None,
    head_option: Annotated[
        list[str] | None,
        typer.Option("--head-option", metavar="KEY=VALUE", help="For example whitening=false, clusters=32."),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option("--init", metavar="DATASET", help="Fit the head's centroids on this dataset's photos."),
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="The split of --init.")] = None,
    resize: options.Resize = None,
    seed: options.Seed = 0,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Make an untrained network; with --init its centroids come from a dataset's photos, as in the paper.

    Ends with 1 when some of those photos could not be read.
    """
    import torch

    from landfall.datasets import load_dataset
    from landfall.models import create_network
    from landfall.models.heads import ClusteredHead

    if split is not None and init is None:
        raise UsageError("--split says which photos of --init to use; give --init DATASET too")
    if out.exists():
        raise UsageError(f"{out} exists already and is not overwritten. Give another name, or remove it.")
    torch.manual_seed(seed)
    height, width = resize or (480, 640)
    network = create_network(
        backbone=backbone,
        head=head,
        weights=weights,
        head_options=_parsed(head_option or []),
        height=height,
        width=width,
    )
    if weights is None:
        say("No --weights were given: the backbone is random, and describes little until it is trained.")
    if init is None and isinstance(network.head, ClusteredHead):
        say("No --init was given: the head's centroids are random. Give a dataset to fit them on.")
    if init is not None:
        photos = load_dataset(init, split).database.paths
        say(f"Fitting centroids on photos drawn from {len(photos)}", quiet=quiet)
        network.initialise(photos, seed=seed)
    network.save(out)
    write_json(json_to, network.card.model_dump(mode="json"))
    say(f"Wrote {out}: {network.card.name}, {network.card.descriptor_dim} dimensions", quiet=quiet)
    problems = () if network.sample is None else network.sample.problems
    for problem in problems:
        say(f"failed {problem.photo}: {problem.reason}")
    if problems:
        raise typer.Exit(1)


@app.command("show")
def show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A checkpoint file or a published name.")],
    json_to: options.Json = None,
) -> None:
    """Show a model's card: what it needs to be used right."""
    from landfall.models import load_model

    card = load_model(model, device="cpu").card.model_dump(mode="json")
    write_json(json_to, card)
    if json_to != "-":
        for key, value in card.items():
            answer(f"{key:18} {json.dumps(value, ensure_ascii=False)}")


def _parsed(pairs: list[str]) -> dict[str, Any]:
    """Return KEY=VALUE pairs as a dictionary; a value is read as JSON where it is, else as a string."""
    parsed: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--head-option takes KEY=VALUE, for example clusters=32; got {pair!r}")
        try:
            parsed[key] = json.loads(value)
        except json.JSONDecodeError:
            parsed[key] = value
    return parsed
