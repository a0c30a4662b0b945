"""Where a dataset's photos were taken, drawn: the paper's Figure 3 as a picture and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from landfall.datasets import Dataset, PhotoSet, map_coordinates
from landfall.errors import DatasetError
from landfall.rendering import (
    DATABASE_COLOR,
    QUERY_COLOR,
    Points,
    Popup,
    PositionGroup,
    draw_positions,
    map_page,
    write_output,
)


def draw_dataset_map(dataset: Dataset, path: Path) -> Path:
    """Draw database and queries on one plane in metres; an SVG where ``path`` ends so, else a PNG.

    Raises:
        DatasetError: no photo has a position.
        UsageError: the place can't be written.
    """
    _check_any(dataset)
    database, queries = map_coordinates(dataset)
    groups = [
        PositionGroup("database photos", database[:, 0], database[:, 1]),
        PositionGroup("queries", queries[:, 0], queries[:, 1]),
    ]
    image_format: Literal["png", "svg"] = "svg" if path.suffix.lower() == ".svg" else "png"
    write_output(path, draw_positions(groups, title=dataset.label, frame="metres", image_format=image_format))
    return path


def write_dataset_page(dataset: Dataset, path: Path) -> Path:
    """Write a self-contained page with the positions on a map; planar positions in metres, without tiles.

    Raises:
        DatasetError: no photo has a position.
        UsageError: the place can't be written.
    """
    _check_any(dataset)
    layers = [
        _layer("Database", dataset.database, DATABASE_COLOR),
        _layer("Queries", dataset.queries, QUERY_COLOR),
    ]
    subtitle = f"{len(dataset.database)} database photos, {len(dataset.queries)} queries"
    frame: Literal["metres", "degrees"] = "metres" if _is_planar(dataset) else "degrees"
    map_page(layers, title=dataset.label, subtitle=subtitle, frame=frame).write(path)
    return path


def _check_any(dataset: Dataset) -> None:
    if not (dataset.database.positions.known.any() or dataset.queries.positions.known.any()):
        raise DatasetError(
            f"There is no map of {dataset.label} to draw: none of its "
            f"{len(dataset.database) + len(dataset.queries)} photos has a position. "
            "`landfall dataset check` gives each one's reason."
        )


def _is_planar(dataset: Dataset) -> bool:
    return not (dataset.database.positions.is_geographic and dataset.queries.positions.is_geographic)


def _layer(name: str, photos: PhotoSet, color: str) -> Points:
    positions = photos.positions
    planar = not positions.is_geographic
    return Points(
        name,
        positions.east_m if planar else positions.lon,
        positions.north_m if planar else positions.lat,
        color,
        popups=[Popup(photo) for photo in photos.names],
        radius_px=4.0,
    )
