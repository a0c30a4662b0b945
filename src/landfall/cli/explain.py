"""``landfall explain``: what a model attends to on photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import options
from landfall.cli.console import STDOUT, answer, progress_bar, say, write_json
from landfall.errors import UsageError

if TYPE_CHECKING:
    from landfall.experiments import LabelledModel
    from landfall.index import Index
    from landfall.rendering.style import ImageFormat

# A picture of more rows is too tall for most viewers.
_MOST_PHOTOS = 30


def explain(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTOS...", help="Photos, or folders of photos at any depth.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The picture to write, a .png or .svg.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="A checkpoint file or a published name; may be given several times.",
        ),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            "--index",
            metavar="INDEX",
            help="Show what this index finds first, too; its model is the default.",
        ),
    ] = None,
    resize: options.Resize = None,
    device: options.Device = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Show what a model attends to on photos: for CRN the mask, else what each location adds.

    Ends with 1 when some photos could not be read.
    """
    from landfall.experiments import draw_explanation, explain_photos
    from landfall.index import Index
    from landfall.localization import find_queries
    from landfall.rendering import write_output

    image_format = _checked_format(out)
    if index is not None and resize is not None:
        raise UsageError("--resize and --index don't go together: the index's photos have its model's size.")
    queries = find_queries(photos)
    if not queries.paths:
        raise UsageError(
            f"{', '.join(map(str, photos))}: no photos there. Give photos, or folders that hold some."
        )
    if len(queries.paths) > _MOST_PHOTOS:
        raise UsageError(f"{len(queries.paths)} photos came, and a picture shows {_MOST_PHOTOS} at most.")
    opened = None if index is None else Index.open(index, device=device)
    models = _load(model or [], opened, resize, device)
    with progress_bar("Explaining", len(queries.paths), quiet=quiet) as advance:
        explanation = explain_photos(
            queries.paths, models, names=queries.names, index=opened, progress=advance
        )
    explanation = replace(explanation, failed=(*queries.problems, *explanation.failed))
    for problem in explanation.failed:
        say(f"failed {problem.photo}: {problem.reason}")
    if explanation.photos:
        write_output(out, draw_explanation(explanation, image_format=image_format))
        say(f"Wrote {out}", quiet=quiet)
    write_json(json_to, explanation.to_dicts())
    if json_to != STDOUT:
        answer(explanation.to_text())
    if explanation.failed:
        raise typer.Exit(1)


def _checked_format(out: Path) -> ImageFormat:
    """Return what ``--out`` asks for by its ending, if nothing is there yet."""
    endings: dict[str, ImageFormat] = {".png": "png", ".svg": "svg"}
    if out.suffix.lower() not in endings:
        raise UsageError(f"--out is {out}; it takes a file that ends in .png or .svg.")
    if out.exists():
        # It might be a photo, perhaps one of those to be explained.
        raise UsageError(f"{out} exists already and is not overwritten. Give another name, or remove it.")
    return endings[out.suffix.lower()]


def _load(
    names: list[str], index: Index | None, resize: tuple[int, int] | None, device: str | None
) -> list[LabelledModel]:
    from landfall.experiments import label_models
    from landfall.models import load_model

    if names:
        loaded = [(name, load_model(name, device=device)) for name in names]
    elif index is not None:
        loaded = [(str(index.path), index.model)]
    else:
        raise UsageError("Nothing says which model to explain. Give --model MODEL, or --index INDEX.")
    return [replace(one, spec=options.input_spec(resize, one.model)) for one in label_models(loaded)]
