"""``landfall dataset``: draw a city, count and map positions, find broken photos, convert layouts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landfall.cli import options
from landfall.cli.console import answer, progress_bar, say, write_json
from landfall.errors import DatasetError

if TYPE_CHECKING:
    from landfall.datasets import Dataset, PhotoListing

app = typer.Typer(
    help="Draw, look at, check and convert datasets.", no_args_is_help=True, rich_markup_mode=None
)

DatasetPath = Annotated[
    str, typer.Argument(metavar="DATASET", help="A folder or CSV, or a name under $DATASETS_FOLDER.")
]
Split = Annotated[
    str | None, typer.Option("--split", help="train, val, test ...; needed where there are several.")
]
Layout = Annotated[
    str, typer.Option("--layout", help="standard, folders, table or exif; found by itself by default.")
]


@app.command("draw")
def draw(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the dataset is written.")],
    size: Annotated[
        Literal["tiny", "demo", "large"], typer.Option("--size", help="How big a town.")
    ] = "demo",
    photos: Annotated[
        int | None, typer.Option("--photos", min=1, help="About how many photos, with --size large.")
    ] = None,
    seed: options.Seed = 0,
    resize: Annotated[
        tuple[int, int] | None,
        typer.Option("--resize", min=1, metavar="H W", help="Their size in pixels; 240 320, tiny 120 160."),
    ] = None,
    device: options.Device = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw a town from a seed and photograph it, in the standard layout; run again, it goes on."""
    from landfall.datasets.city import draw_city
    from landfall.datasets.city.sizes import resolve

    height, width = resize or (None, None)  # each size of city has its own
    with progress_bar("Drawing", resolve(size, photos).photos, quiet=quiet) as advance:
        root = draw_city(
            out,
            size=size,
            photos=photos,
            seed=seed,
            device=device or "cpu",
            image_height=height,
            image_width=width,
            progress=advance,
        )
    say(f"Wrote {root}", quiet=quiet)


@app.command("info")
def info(
    dataset: DatasetPath,
    split: Split = None,
    layout: Layout = "auto",
    png: Annotated[
        Path | None, typer.Option("--png", help="The picture of the positions; DATASET-SPLIT.png by default.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="The map of the positions; DATASET-SPLIT.html by default.")
    ] = None,
    draw_maps: Annotated[bool, typer.Option("--map/--no-map", help="Whether to draw the positions.")] = True,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Print counts, and draw where the photos were taken (the paper's Figure 3), as PNG and as a page."""
    from landfall.datasets import describe_dataset, load_dataset
    from landfall.experiments.positions import draw_dataset_map, write_dataset_page

    loaded = load_dataset(dataset, split, layout=layout)
    told = describe_dataset(loaded)
    write_json(json_to, told.to_dict())
    if draw_maps and told.extent_m is None and png is None and html is None:
        say("No map: no photo has a position", quiet=quiet)
    elif draw_maps:
        stem = "-".join(part for part in (loaded.name, loaded.split) if part)
        for path in (
            draw_dataset_map(loaded, png or Path(f"{stem}.png")),
            write_dataset_page(loaded, html or Path(f"{stem}.html")),
        ):
            say(f"Wrote {path}", quiet=quiet)
    if json_to != "-":
        answer(told.to_text())


@app.command("check")
def check(
    dataset: DatasetPath,
    split: Split = None,
    layout: Layout = "auto",
    radius_m: Annotated[
        float, typer.Option("--threshold", help="Metres within which a positive lies.")
    ] = 25.0,
    workers: options.Workers = None,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Read every photo and look at every position; name what is broken, doubled, tiny or in a strange place.

    Ends with 1 when a photo can't be read.
    """
    from landfall.datasets import check_dataset

    loaded = _dataset_or_photos(dataset, split, layout)
    with progress_bar("Reading", _count(loaded), quiet=quiet) as advance:
        report = check_dataset(loaded, radius_m=radius_m, workers=workers, progress=advance)
    write_json(json_to, report.to_dict())
    if json_to != "-":
        answer(report.to_text())
    if report.counts["unreadable"]:
        raise typer.Exit(1)


@app.command("convert")
def convert(
    dataset: DatasetPath,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The new folder, or the CSV file with --to csv.")
    ],
    to: Annotated[Literal["standard", "csv"], typer.Option("--to", help="The layout to write.")] = "standard",
    split: Annotated[
        str | None, typer.Option("--split", help="Only this split; also what to call one that has no name.")
    ] = None,
    layout: Layout = "auto",
    link: Annotated[bool, typer.Option("--link", help="Make hard links in place of copies.")] = False,
    json_to: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Write a dataset anew in the standard layout, or as a CSV."""
    from landfall.datasets import convert_dataset, dataset_splits, load_dataset

    splits = dataset_splits(dataset, layout=layout)
    chosen: list[str | None] = [split] if splits and split else [*splits] or [None]
    loaded = [load_dataset(dataset, one, layout=layout) for one in chosen]
    done = convert_dataset(loaded, out, to=to, split=split or "test", link=link)
    for problem in done.skipped:
        say(f"skipped {problem.photo}: {problem.reason}", quiet=quiet)
    say(f"Wrote {done.written} photos to {done.out}", quiet=quiet)
    skipped = [problem.to_dict() for problem in done.skipped]
    write_json(json_to, {"out": str(done.out), "written": done.written, "skipped": skipped})


def _dataset_or_photos(path: str, split: str | None, layout: str) -> Dataset | PhotoListing:
    """Return a dataset; a mere folder or CSV of photos, as an index is built of, where it is none."""
    from landfall.datasets import load_dataset, load_photos

    try:
        return load_dataset(path, split, layout=layout)
    except DatasetError:
        if split is not None or layout != "auto" or not Path(path).exists():
            raise
        listing = load_photos(path)
        if not len(listing.photos) and not listing.failed:
            raise
        return listing


def _count(loaded: Dataset | PhotoListing) -> int:
    from landfall.datasets import Dataset

    if isinstance(loaded, Dataset):
        return len(loaded.database) + len(loaded.queries)
    return len(loaded.photos)
