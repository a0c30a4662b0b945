"""Phones, cameras and damaged headers: the photos that LANDFALL_TRIAL_DATA points at, against their index."""

from __future__ import annotations

import csv
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from landfall.geo import to_geocentric
from landfall.photos import InputSpec, find_photos, load_photo, read_metadata

pytestmark = pytest.mark.trial


@pytest.fixture(scope="module")
def folder() -> Path:
    data = os.environ.get("LANDFALL_TRIAL_DATA")
    if not data or not (Path(data) / "exif" / "index.csv").is_file():
        pytest.skip("LANDFALL_TRIAL_DATA names no folder with exif/index.csv")
    return Path(data) / "exif"


def test_every_position_is_within_a_metre_and_every_other_photo_has_a_reason(folder: Path) -> None:
    with (folder / "index.csv").open(newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    found = find_photos(folder)
    assert (found.names, found.problems) == (sorted(rows), [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        photos = {name: read_metadata(folder / name) for name in found.names}
    for name, photo in photos.items():
        row = rows[name]
        if row["status"] != "gps":
            assert photo.location is None, name
            assert photo.location_problem, name
            continue
        assert photo.location is not None, (name, photo.location_problem)
        here, there = to_geocentric(
            np.array([photo.location.lat, float(row["lat"])]),
            np.array([photo.location.lon, float(row["lon"])]),
        )
        assert np.linalg.norm(here - there) < 1.0, name


@pytest.mark.parametrize("shape", ["landscape", "portrait"])
def test_eight_orientations_of_a_photo_show_the_same(folder: Path, shape: str) -> None:
    spec = InputSpec(96, 128)
    photos = [load_photo(folder / f"orientation__{shape}_{number}.jpg", spec) for number in range(1, 9)]
    upright = photos[0].pixels.ravel()
    for number, photo in enumerate(photos, start=1):
        # Each picture carries its number and its own brightness; wrongly turned ones correlate below 0.61.
        assert np.corrcoef(photo.pixels.ravel(), upright)[0, 1] > 0.95, number
        assert (photo.metadata.width, photo.metadata.height) == (
            photos[0].metadata.width,
            photos[0].metadata.height,
        )
