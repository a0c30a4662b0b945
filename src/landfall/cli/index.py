"""``landfall index``: build an index of geotagged photos, change it, and look into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.cli import index_changes, options
from landfall.cli.console import answer, progress_bar, say, write_json

if TYPE_CHECKING:
    from landfall.extraction import Progress

app = typer.Typer(
    help="Build and change an index of geotagged photos.", no_args_is_help=True, rich_markup_mode=None
)
for _verb in (
    index_changes.add,
    index_changes.remove,
    index_changes.update,
    index_changes.merge,
    index_changes.compact,
    index_changes.thumbnails,
    index_changes.verify,
):
    app.command()(_verb)


@app.command("build")
def build(
    photos: Annotated[str, typer.Argument(metavar="PHOTOS", help="A folder at any depth, or a CSV.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="INDEX", help="The index folder to make, as city.lf.")
    ],
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help="Keep photos there: milvus://HOST:PORT/COLLECTION."),
    ] = None,
    model: options.ModelName = None,
    search: Annotated[
        str | None,
        typer.Option("--search", metavar="KIND", help="exact, sq8, binary, ivfpq, hnsw; default: by size."),
    ] = None,
    thumbnails: Annotated[
        bool,
        typer.Option("--thumbnails", help="Keep a small picture of each photo, so that it may be shown."),
    ] = False,
    thumbnail_px: Annotated[
        int | None,
        typer.Option(
            "--thumbnail-px",
            min=index_changes.LEAST_THUMBNAIL_PX,
            metavar="N",
            help="Pixels along its longer side; with this, --thumbnails goes without saying.  [default: 480]",
        ),
    ] = None,
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
    from landfall.localization.thumbnails import LONGEST_SIDE_PX

    described_by = choose_model(model, device=device, say=lambda text: say(text, quiet=quiet))
    with progress_bar("Describing", None, quiet=quiet) as advance:

        def told(progress: Progress) -> None:
            advance(progress.done, progress.failed, progress.total)

        report = build_index(
            photos,
            out,
            model=described_by,
            spec=options.input_spec(resize, described_by),
            store=store,
            search=search,
            thumbnail_px=thumbnail_px or (LONGEST_SIDE_PX if thumbnails else None),
            seed=seed,
            batch_size=batch_size,
            workers=workers,
            say=lambda text: say(text, quiet=quiet),
            progress=told,
        )
    index_changes.say_problems("no position", report.without_position, quiet=quiet)
    index_changes.say_problems("failed", report.failed, quiet=False)
    write_json(json_to, report.to_dict())
    if json_to != "-":
        answer(
            f"{out}: {report.indexed} photos indexed, {len(report.without_position)} without a position, "
            f"{len(report.failed)} failed"
        )
    if report.failed:
        raise typer.Exit(1)


@app.command("tune")
def tune(
    index: index_changes.IndexFolder,
    kind: Annotated[
        str | None,
        typer.Option("--search", metavar="KIND", help="exact, sq8, binary, ivfpq, hnsw; default: by size."),
    ] = None,
    whiten: Annotated[
        int | None,
        typer.Option(
            "--whiten",
            min=1,
            metavar="DIM",
            help="First whiten descriptors to DIM numbers; it can't be undone.",
        ),
    ] = None,
    memory_gb: Annotated[
        float | None,
        typer.Option("--memory-gb", min=0.1, help="What a search may hold; default: half of this machine's."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FOLDER", help="Measure it against exact search: JSON and a plot."),
    ] = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Choose how an index is searched: all of it, or through a structure that names candidates.

    Distances are exact either way. Build and changes choose by themselves, and keep what was chosen.
    """
    from landfall.index import FolderIndex
    from landfall.localization.searching import report_search, tune_index, whiten_index
    from landfall.localization.upkeep import keep_up

    if whiten is not None:
        with progress_bar("Finding axes", None, quiet=quiet) as advance:
            whiten_index(
                index,
                whiten,
                seed=seed,
                say=lambda text: say(text, quiet=quiet),
                progress=lambda done, of: advance(done, total=of),
            )
    with progress_bar("Taking in rows", None, quiet=quiet) as advance:
        tuned = tune_index(
            index,
            kind,
            memory_bytes=None if memory_gb is None else int(memory_gb * 2**30),
            seed=seed,
            say=lambda text: say(text, quiet=quiet),
            progress=lambda done, of: advance(done, total=of),
        )
    tuned = FolderIndex.open(tuned.path, device=device)
    keep_up(tuned, say=lambda text: say(text, quiet=quiet))
    tuned = tuned.latest()
    told = {"index": str(index), "search": tuned.info()["search"], "report": None}
    if report is not None:
        measured = report_search(tuned, report, seed=seed)
        if measured is None:
            say("An index that is searched exactly has nothing to measure.", quiet=quiet)
        else:
            told["report"] = measured.to_json()
            say(f"Wrote {report / 'search.json'} and {report / 'search.png'}", quiet=quiet)
    write_json(json_to, told)
    if json_to != "-":
        kept = tuned.structure
        answer(f"{index}: {'exact' if kept is None else kept.kind} search of {len(tuned)} photos")


@app.command("calibrate")
def calibrate(
    index: index_changes.IndexFolder,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Also for answers that are checked geometrically; takes the photos."),
    ] = False,
    device: options.Device = None,
    seed: options.Seed = 0,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Learn how sure answers may be from the index's own photos; build and changes do so by themselves.

    Ends with 1 when the index can't be calibrated.
    """
    from landfall.localization.calibration import Calibration, calibrate_index, index_calibration

    with progress_bar("Checking photos", None, quiet=quiet) as advance:
        calibrated = calibrate_index(
            index,
            check=verify,
            seed=seed,
            device=device,
            say=lambda text: say(text, quiet=quiet),
            progress=lambda done, failed: advance(done, failed),
        )
    learned = index_calibration(calibrated)
    if isinstance(learned, Calibration):
        write_json(
            json_to, {"index": str(index), "calibration": learned.model_dump(mode="json"), "reason": None}
        )
        if json_to != "-":
            answer(f"{index}: {learned.describe()}")
        return
    write_json(json_to, {"index": str(index), "calibration": None, "reason": learned.reason})
    if json_to != "-":
        answer(f"{index} can't be calibrated: {learned.reason}")
    raise typer.Exit(1)


@app.command("info")
def info(
    index: index_changes.IndexFolder,
    list_photos: Annotated[bool, typer.Option("--photos", help="List every photo, too.")] = False,
    json_to: options.Json = None,
) -> None:
    """Tell what an index holds."""
    from landfall.index import Index
    from landfall.localization.calibration import Calibration, index_calibration

    opened = Index.open(index)
    told = opened.info()
    learned = index_calibration(opened)
    told["calibration"] = learned.model_dump(mode="json") if isinstance(learned, Calibration) else None
    told["not_calibrated"] = None if isinstance(learned, Calibration) else learned.reason
    if list_photos:
        told["photos"] = [photo._asdict() for photo in opened.photos()]
    write_json(json_to, told)
    if json_to != "-":
        for key, value in told.items():
            if key not in ("photos", "calibration", "not_calibrated"):
                answer(f"{key:16} {value}")
        why = learned.describe() if isinstance(learned, Calibration) else f"none: {learned.reason}"
        answer(f"{'calibration':16} {why}")
        if list_photos:
            for photo in opened.photos():
                answer(f"{photo.id}\t{photo.lat:.7f}\t{photo.lon:.7f}\t{photo.photo}")
