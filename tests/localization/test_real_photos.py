"""The main job on real photos: an index of surveys and phones, and the eight orientations of one photo."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from landfall.extraction import describe
from landfall.geo import Positions, distances_m
from landfall.localization import build_index, choose_model
from landfall.models import create_network

pytestmark = pytest.mark.trial


@pytest.fixture(scope="module")
def exif() -> Path:
    folder = os.environ.get("LANDFALL_TRIAL_DATA")
    if not folder or not (Path(folder) / "exif").is_dir():
        pytest.skip("LANDFALL_TRIAL_DATA names no folder with exif/")
    return Path(folder) / "exif"


def test_every_photo_is_indexed_where_it_was_taken_or_reported(exif: Path, tmp_path: Path) -> None:
    # index.csv was made by an independent reader of EXIF.
    with (exif / "index.csv").open(newline="") as file:
        truth = {row["path"]: row for row in csv.DictReader(file)}
    report = build_index(exif, tmp_path / "exif.lf", model=choose_model(None))
    indexed = {photo.photo: photo for photo in report.index.photos()}
    placed = [name for name, row in truth.items() if row["lat"]]
    assert sorted(indexed) == sorted(placed)
    found = Positions.from_latlon(
        np.array([indexed[name].lat for name in placed]), np.array([indexed[name].lon for name in placed])
    )
    expected = Positions.from_latlon(
        np.array([float(truth[name]["lat"]) for name in placed]),
        np.array([float(truth[name]["lon"]) for name in placed]),
    )
    assert distances_m(found, expected).max() < 1.0
    skipped = {problem.photo: problem.reason for problem in (*report.without_position, *report.failed)}
    assert sorted(skipped) == sorted(set(truth) - set(placed))
    assert all(skipped.values())


@pytest.mark.parametrize("shape", ["landscape", "portrait"])
def test_eight_orientations_of_a_photo_have_one_descriptor(exif: Path, shape: str) -> None:
    weights = exif.parent / "weights" / "resnet18_imagenet_layer3.safetensors"
    paths = [exif / f"orientation__{shape}_{number}.jpg" for number in range(1, 9)]
    network = create_network("resnet18", "base", weights=str(weights), height=240, width=320)
    vectors = describe(paths, network)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (unit @ unit.T).min() > 0.98


def test_eight_orientations_agree_for_the_weight_free_model(exif: Path) -> None:
    photos = sorted(exif.glob("lund_*.jpg")) + sorted(exif.glob("gps__*.jpg"))
    model = choose_model(None).fit(photos, seed=0)  # type: ignore[attr-defined]  # densevlad learns from photos
    for shape in ("landscape", "portrait"):
        unit = describe([exif / f"orientation__{shape}_{number}.jpg" for number in range(1, 9)], model)
        assert (unit @ unit.T).min() > 0.98
