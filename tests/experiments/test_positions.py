"""Maps of a dataset: a picture and a page with every photo in its place (the paper's Figure 3)."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from landfall.datasets import Dataset
from landfall.errors import DatasetError, UsageError
from landfall.experiments.positions import draw_dataset_map, write_dataset_page
from landfall.geo import Positions
from landfall.rendering import DATABASE_COLOR, QUERY_COLOR


def data_of(page: Path) -> dict[str, Any]:
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page.read_text(), flags=re.DOTALL)
    told: dict[str, Any] = json.loads(data)
    return told


def planar(dataset: Dataset) -> Dataset:
    """Return the same street in metres of no zone."""
    database, queries = (
        replace(photos, positions=Positions.planar(photos.positions.east_m, photos.positions.north_m))
        for photos in (dataset.database, dataset.queries)
    )
    return replace(dataset, database=database, queries=queries)


def colours_in(picture: Path) -> set[tuple[int, ...]]:
    with Image.open(io.BytesIO(picture.read_bytes())) as image:
        return {colour for _, colour in image.convert("RGB").getcolors(2**24) or []}  # type: ignore[misc]


@pytest.mark.parametrize("frame", ["utm", "planar"])
def test_the_picture_has_both_sets(street: Dataset, tmp_path: Path, frame: str) -> None:
    dataset = street if frame == "utm" else planar(street)
    path = draw_dataset_map(dataset, tmp_path / "new folder" / "map.png")
    colours = colours_in(path)
    for hexadecimal in (DATABASE_COLOR, QUERY_COLOR):
        wanted = np.array([int(hexadecimal[at : at + 2], 16) for at in (1, 3, 5)])
        # Points are a little transparent: some pixel is near their colour.
        assert min(np.abs(np.array(colour) - wanted).max() for colour in colours) < 40


def test_the_ending_chooses_the_format(street: Dataset, tmp_path: Path) -> None:
    assert b"<svg" in draw_dataset_map(street, tmp_path / "map.SVG").read_bytes()
    assert draw_dataset_map(street, tmp_path / "map").read_bytes().startswith(b"\x89PNG")


def test_the_page_has_every_photo_in_degrees(street: Dataset, tmp_path: Path) -> None:
    database, queries = data_of(write_dataset_page(street, tmp_path / "map.html"))["layers"]
    for layer, photos in ((database, street.database), (queries, street.queries)):
        assert [popup["title"] for popup in layer["popups"]] == list(photos.names)
        assert layer["y"] == pytest.approx(photos.positions.lat.tolist(), abs=1e-6)
        assert layer["x"] == pytest.approx(photos.positions.lon.tolist(), abs=1e-6)


def test_planar_positions_are_metres_without_tiles(street: Dataset, tmp_path: Path) -> None:
    dataset = planar(street)
    told = data_of(write_dataset_page(dataset, tmp_path / "map.html"))
    assert told["layers"][0]["x"] == pytest.approx(dataset.database.positions.east_m.tolist(), abs=0.01)
    assert told["tiles"] is None


def test_photos_of_unknown_position_are_left_off(street: Dataset, tmp_path: Path) -> None:
    lost = replace(street.queries, positions=Positions.unknown(len(street.queries)))
    dataset = replace(street, queries=lost)
    database, queries = data_of(write_dataset_page(dataset, tmp_path / "map.html"))["layers"]
    assert len(database["x"]) == len(street.database)
    assert queries["x"] == []
    assert draw_dataset_map(dataset, tmp_path / "map.png").stat().st_size > 0


def test_without_any_position_there_is_no_map(street: Dataset, tmp_path: Path) -> None:
    lost = [
        replace(each, positions=Positions.unknown(len(each))) for each in (street.database, street.queries)
    ]
    dataset = replace(street, database=lost[0], queries=lost[1])
    for write in (draw_dataset_map, write_dataset_page):
        with pytest.raises(DatasetError, match="none of its 36 photos has a position"):
            write(dataset, tmp_path / "map")
    assert not (tmp_path / "map").exists()


def test_a_place_that_can_t_be_written_is_told(street: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (draw_dataset_map, write_dataset_page):
        with pytest.raises(UsageError, match="can't be written"):
            write(street, tmp_path / "file" / "map")
