"""``landfall localize``: where were these photos taken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landfall.cli import options
from landfall.cli.console import answer, check_one_stdout, progress_bar, say, write_json, write_text
from landfall.errors import UsageError


def localize(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTOS...", help="Photos, or folders of photos at any depth.")
    ],
    index_path: options.IndexPath,
    k: Annotated[
        int, typer.Option("--matches", "-k", min=1, help="Nearest photos that an answer rests on.")
    ] = 20,
    geojson: Annotated[
        Path | None, typer.Option("--geojson", metavar="FILE", help="Write GeoJSON to FILE (- for stdout).")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page: map, photos and their matches."),
    ] = None,
    batch_size: options.BatchSize = 16,
    workers: options.Workers = None,
    device: options.Device = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Tell where photos were taken, from the indexed photos that look most like them.

    A photo's own position is never read. Ends with 1 when some photos could not be read.
    """
    from landfall.index import Index
    from landfall.localization import find_queries, fixes_page, localize, to_geojson, to_text

    on_stdout = check_one_stdout(json_to, geojson, html)
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
            names=queries.names,
            batch_size=batch_size,
            workers=workers,
            progress=advance,
        )
    fixes += queries.failed_fixes()
    # Files come first: a reader of our output that goes away (`| head`) must not cost them.
    write_json(json_to, [fix.to_dict() for fix in fixes])
    if geojson is not None:
        write_text(geojson, to_geojson(fixes))
        say(f"Wrote {geojson}", quiet=quiet or on_stdout)
    if html is not None:
        paths = dict(zip(queries.names, queries.paths, strict=True))
        write_text(html, fixes_page(fixes, index, paths).render())
        say(f"Wrote {html}", quiet=quiet or on_stdout)
    if not on_stdout:
        answer(to_text(fixes))
    if any(fix.error is not None for fix in fixes):
        raise typer.Exit(1)
