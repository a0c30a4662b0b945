"""The verbs of ``landfall index`` that change an index, or look whether it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import options
from landfall.cli.console import answer, progress_bar, say, write_json

if TYPE_CHECKING:
    from landfall.extraction import Progress
    from landfall.localization import ChangeReport
    from landfall.photos import PhotoProblem

# Photos named on the terminal for one kind of trouble; the JSON names all.
_NAMED = 20
# Nothing is to be seen on smaller ones.
LEAST_THUMBNAIL_PX = 16

IndexFolder = Annotated[
    Path, typer.Argument(metavar="INDEX", help="A folder made by 'landfall index build'.")
]


def add(
    index: IndexFolder,
    photos: Annotated[
        str, typer.Argument(metavar="PHOTOS", help="A folder at any depth, a CSV, or a photo.")
    ],
    model: options.ModelName = None,
    batch_size: options.BatchSize = 16,
    workers: options.Workers = None,
    device: options.Device = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Add photos that have a position; run again after a kill, it goes on.

    The index's own model describes them; --model only checks that it is the one you mean. Ends with 1 when
    some photos could not be read, or have a name that is there with other content.
    """
    from landfall.localization import add_photos
    from landfall.models import load_model

    with _telling(quiet) as told:
        report = add_photos(
            index,
            photos,
            model=None if model is None else load_model(model, device=device),
            device=device,
            batch_size=batch_size,
            workers=workers,
            say=lambda text: say(text, quiet=quiet),
            progress=told,
        )
    for photo, other in report.alike[:_NAMED]:
        say(f"same content: {photo} is indexed as {other}, too", quiet=quiet)
    _end(report, f"{report.added} added, {report.unchanged} there already", json_to, quiet)


def remove(
    index: IndexFolder,
    photos: Annotated[list[str] | None, typer.Argument(metavar="[PHOTO]...", help="Names of photos.")] = None,
    ids: Annotated[list[int] | None, typer.Option("--id", metavar="N", help="A photo's number.")] = None,
    match: Annotated[
        str | None, typer.Option("--match", metavar="GLOB", help="All photos whose name matches: 'walk/*'.")
    ] = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Take photos out; a name, id or pattern that no photo has is an error, and nothing is removed."""
    from landfall.localization import remove_photos

    report = remove_photos(
        index, ids=ids or (), names=photos or (), pattern=match, say=lambda text: say(text, quiet=quiet)
    )
    _end(report, f"{report.removed} removed", json_to, quiet)


def update(
    index: IndexFolder,
    photos: Annotated[
        str | None, typer.Argument(metavar="[PHOTOS]", help="The folder or CSV to look at; default: all.")
    ] = None,
    rehash: Annotated[
        bool, typer.Option("--rehash", help="Read every photo, also one of unchanged size and date.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take photos out even if more than half of a folder's are gone.")
    ] = False,
    batch_size: options.BatchSize = 16,
    workers: options.Workers = None,
    device: options.Device = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Bring an index up to date with its folders: new, changed, moved and gone photos, in one change."""
    from landfall.localization import update_index

    with _telling(quiet) as told:
        report = update_index(
            index,
            photos,
            rehash=rehash,
            force=force,
            device=device,
            batch_size=batch_size,
            workers=workers,
            say=lambda text: say(text, quiet=quiet),
            progress=told,
        )
    done = (
        f"{report.added} added, {report.changed} changed, {report.moved} moved, "
        f"{report.relocated} relocated, {report.removed} removed, {report.unchanged} as they were"
    )
    _end(report, done, json_to, quiet)


def merge(
    into: Annotated[Path, typer.Argument(metavar="INDEX", help="The index to merge into; made if missing.")],
    others: Annotated[list[Path], typer.Argument(metavar="OTHER...", help="Indexes of the same model.")],
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Bring the photos of other indexes into one, without describing them again."""
    from landfall.localization import merge_indexes

    report = merge_indexes(into, others, say=lambda text: say(text, quiet=quiet))
    _end(report, f"{report.added} added, {report.unchanged} there already", json_to, quiet)


def compact(
    index: IndexFolder,
    half: Annotated[bool, typer.Option("--half", help="Store descriptors in half precision.")] = False,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Give back the room that removed photos take; answers stay as they are."""
    from landfall.localization import compact_index

    report = compact_index(index, half=half, say=lambda text: say(text, quiet=quiet))
    _end(report, "compact", json_to, quiet)


def thumbnails(
    index: IndexFolder,
    px: Annotated[
        int | None,
        typer.Option(
            "--px",
            min=LEAST_THUMBNAIL_PX,
            metavar="N",
            help="Pixels along the longer side; default: as they are, or 480.",
        ),
    ] = None,
    none: Annotated[
        bool, typer.Option("--none", help="Take them out, and with them the leave to show photos.")
    ] = False,
    workers: options.Workers = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Keep a small picture of each photo in the index: whoever may ask it may then see its photos.

    Changes keep them up. Ends with 1 when some photos could not be read.
    """
    from landfall.errors import UsageError
    from landfall.localization import add_thumbnails, remove_thumbnails

    if none:
        if px is not None:
            raise UsageError("--px makes thumbnails and --none takes them out: give one of the two.")
        _end(remove_thumbnails(index), "no thumbnails", json_to, quiet)
        return
    with _telling(quiet, "Making thumbnails") as told:
        report = add_thumbnails(
            index,
            longest_side_px=px,
            workers=workers,
            say=lambda text: say(text, quiet=quiet),
            progress=told,
        )
    done = f"{report.changed} thumbnails made, {report.unchanged} there already"
    _end(report, done, json_to, quiet)


def verify(
    index: IndexFolder,
    photos: Annotated[
        bool, typer.Option("--photos", help="Read every photo, too: is it there, with the same bytes?")
    ] = False,
    workers: options.Workers = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Look whether an index is what was written; ends with 1 when something is wrong."""
    from landfall.index import verify_index

    with progress_bar("Reading photos", None, quiet=quiet) as advance:
        problems = verify_index(
            index, photos=photos, workers=workers, progress=lambda done, of: advance(done, total=of)
        )
    write_json(json_to, {"index": str(index), "problems": [problem.to_dict() for problem in problems]})
    for problem in problems[:_NAMED]:
        say(f"{problem.where}: {problem.reason}")
    if len(problems) > _NAMED:
        say(f"and {len(problems) - _NAMED} more; --json FILE lists all")
    if json_to != "-":
        answer(f"{index}: {f'{len(problems)} problems' if problems else 'whole'}")
    if problems:
        raise typer.Exit(1)


def say_problems(what: str, problems: tuple[PhotoProblem, ...], *, quiet: bool) -> None:
    """Name the first photos of one kind of trouble on stderr."""
    for problem in problems[:_NAMED]:
        say(f"{what}: {problem.photo}: {problem.reason}", quiet=quiet)
    if len(problems) > _NAMED:
        say(f"{what}: and {len(problems) - _NAMED} more; --json FILE lists all", quiet=quiet)


@contextmanager
def _telling(quiet: bool, what: str = "Describing") -> Iterator[Callable[[Progress], None]]:
    with progress_bar(what, None, quiet=quiet) as advance:
        yield lambda progress: advance(progress.done, progress.failed, progress.total)


def _end(report: ChangeReport, done: str, json_to: str | None, quiet: bool) -> None:
    """Tell what became of the photos, and end with 1 where some failed."""
    say_problems("no position", report.without_position, quiet=quiet)
    say_problems("failed", report.failed, quiet=False)
    write_json(json_to, report.to_dict())
    if json_to != "-":
        failed = f", {len(report.failed)} failed" if report.failed else ""
        answer(f"{report.index.path}: {done}{failed}; {len(report.index)} photos indexed")
    if report.failed:
        raise typer.Exit(1)
