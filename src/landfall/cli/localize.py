"""``landfall localize``: where were these photos taken."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from landfall.cli import options
from landfall.cli.among import Heading, Near, TakenFrom, TakenTo, Within, among_of
from landfall.cli.console import answer, progress_bar, say
from landfall.cli.localize_answers import AnswerFiles, ExifTarget, join, speed_of
from landfall.errors import UsageError


class VerifyMode(StrEnum):
    """Whose matches are checked geometrically."""

    never = "never"
    auto = "auto"
    always = "always"


def localize(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTOS...", help="Photos, or folders of photos at any depth.")
    ],
    index_path: options.IndexPath,
    k: Annotated[
        int, typer.Option("--matches", "-k", min=1, help="Nearest photos that an answer rests on.")
    ] = 20,
    near: Near = None,
    within: Within = None,
    taken_from: TakenFrom = None,
    taken_to: TakenTo = None,
    heading: Heading = None,
    verify: Annotated[
        VerifyMode,
        typer.Option(
            "--verify", help="Compare local features with the first matches: of doubtful answers, or of all."
        ),
    ] = VerifyMode.never,
    sequence: Annotated[
        bool,
        typer.Option("--sequence", help="The photos are of one drive or walk: join them by their times."),
    ] = False,
    speed_limit: Annotated[
        str | None,
        typer.Option("--speed-limit", metavar="SPEED", help="Of the sequence: 30m/s, 50km/h, 30mph."),
    ] = None,
    geojson: Annotated[
        Path | None, typer.Option("--geojson", metavar="FILE", help="Write GeoJSON to FILE (- for stdout).")
    ] = None,
    kml: Annotated[
        Path | None, typer.Option("--kml", metavar="FILE", help="Write KML, for Google Earth, to FILE.")
    ] = None,
    gpx: Annotated[
        Path | None, typer.Option("--gpx", metavar="FILE", help="Write GPX waypoints to FILE.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a table to FILE.")] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page: map, photos and their matches."),
    ] = None,
    write_exif: Annotated[
        Path | None,
        typer.Option("--write-exif", metavar="FOLDER", help="Copy photos to FOLDER with their position."),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Write positions into the photos themselves.")
    ] = False,
    overwrite_position: Annotated[
        bool, typer.Option("--overwrite-position", help="Of photos that have a position, too.")
    ] = False,
    batch_size: options.BatchSize = 16,
    workers: options.Workers = None,
    device: options.Device = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Tell where photos were taken, from the indexed photos that look most like them.

    A photo's own position is never read for it. Ends with 1 when some photos could not be read or written.
    """
    from landfall.index import Index
    from landfall.localization import find_queries, localize, to_text

    files = AnswerFiles(json=json_to, geojson=geojson, kml=kml, gpx=gpx, csv=csv, html=html)
    on_stdout = files.on_stdout()
    exif = ExifTarget(write_exif, in_place, overwrite_position)
    exif.check()
    if speed_limit is not None and not sequence:
        raise UsageError("--speed-limit needs --sequence.")
    speed_limit_m_s = None if speed_limit is None else speed_of(speed_limit)
    among = among_of(near, within, taken_from, taken_to, heading)
    index = Index.open(index_path, device=device)
    queries = find_queries(photos)
    if not queries.paths and not queries.problems:
        raise UsageError(
            f"{', '.join(map(str, photos))}: no photos there. Give photos, or folders that hold some."
        )
    with progress_bar("Localizing", len(queries.paths), quiet=quiet) as advance:
        fixes = localize(
            queries.paths,
            index,
            k=k,
            among=among,
            verify=verify.value,
            names=queries.names,
            batch_size=batch_size,
            workers=workers,
            say=lambda text: say(text, quiet=quiet),
            progress=advance,
        )
    track = None
    if sequence:
        fixes, track = join(fixes, queries, speed_limit_m_s, workers, quiet=quiet)
    fixes += queries.failed_fixes()
    paths = dict(zip(queries.names, queries.paths, strict=True))
    # Files come first: a reader of our output that goes away (`| head`) must not cost them.
    files.write(fixes, track, index, paths, quiet=quiet or on_stdout)
    all_written = exif.write(fixes, paths, quiet=quiet)
    if not on_stdout:
        answer(to_text(fixes))
    if not all_written or any(fix.error is not None for fix in fixes):
        raise typer.Exit(1)
