"""``landfall index``: build an index of geotagged photos, and look into one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import options
from landfall.cli.console import answer, progress_bar, say, write_json

if TYPE_CHECKING:
    from landfall.extraction import Progress

app = typer.Typer(help="Build an index of geotagged photos.", no_args_is_help=True, rich_markup_mode=None)

# Photos named on the terminal for one kind of trouble; the JSON names all.
_NAMED = 20


@app.command("build")
def build(
    photos: Annotated[str, typer.Argument(metavar="PHOTOS", help="A folder at any depth, or a CSV.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="INDEX", help="The index folder to make, as city.lf.")
    ],
    model: options.ModelName = None,
    resize: options.Resize = None,
    batch_size: options.BatchSize = 16,
    workers: options.Workers = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Index photos that have a position; run again after a kill, it goes on.

    Photos without a position are listed and left out. Ends with 1 when some photos could not be read.
    """
    from landfall.localization import build_index, choose_model

    described_by = choose_model(model, device=device, say=lambda text: say(text, quiet=quiet))
    with progress_bar("Describing", None, quiet=quiet) as advance:

        def told(progress: Progress) -> None:
            advance(progress.done, progress.failed, progress.total)

        report = build_index(
            photos,
            out,
            model=described_by,
            spec=options.input_spec(resize, described_by),
            seed=seed,
            batch_size=batch_size,
            workers=workers,
            say=lambda text: say(text, quiet=quiet),
            progress=told,
        )
    for what, problems in (("no position", report.without_position), ("failed", report.failed)):
        for problem in problems[:_NAMED]:
            say(f"{what}: {problem.photo}: {problem.reason}", quiet=quiet and what != "failed")
        if len(problems) > _NAMED:
            say(f"{what}: and {len(problems) - _NAMED} more; --json FILE lists all", quiet=quiet)
    write_json(json_to, report.to_dict())
    if json_to != "-":
        answer(
            f"{out}: {report.indexed} photos indexed, {len(report.without_position)} without a position, "
            f"{len(report.failed)} failed"
        )
    if report.failed:
        raise typer.Exit(1)


@app.command("info")
def info(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="A folder made by 'landfall index build'.")],
    list_photos: Annotated[bool, typer.Option("--photos", help="List every photo, too.")] = False,
    json_to: options.Json = None,
) -> None:
    """Tell what an index holds."""
    from landfall.index import Index

    opened = Index.open(index)
    told = opened.info()
    if list_photos:
        told["photos"] = [photo._asdict() for photo in opened.photos()]
    write_json(json_to, told)
    if json_to != "-":
        for key, value in told.items():
            if key != "photos":
                answer(f"{key:16} {value}")
        if list_photos:
            for photo in opened.photos():
                answer(f"{photo.id}\t{photo.lat:.7f}\t{photo.lon:.7f}\t{photo.photo}")
