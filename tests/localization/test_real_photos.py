"""The main job on real photos: an index of surveys and phones, and the eight orientations of one photo."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

from landfall.extraction import describe
from landfall.geo import Positions, distances_m
from landfall.localization import build_index, choose_model
from landfall.models import DenseVLAD, Model, create_network

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
@pytest.mark.parametrize(("head", "options"), [("base", {}), ("gem", {"whitening": False})])
def test_eight_orientations_of_a_photo_have_one_descriptor(
    exif: Path, head: str, options: dict[str, object], shape: str
) -> None:
    # The eight files show one scene with the number of the file's orientation drawn large into its middle, so
    # that their pixels correlate by no more than 0.97; heads that weigh details tell the numbers apart.
    weights = exif.parent / "weights" / "resnet18_imagenet_layer3.safetensors"
    network = create_network(
        "resnet18", head, weights=str(weights), head_options=options, height=240, width=320
    )
    assert least_cosine(describe(orientations(exif, shape), network)) > 0.98


@pytest.mark.parametrize("name", ["netvlad", "densevlad"])
def test_eight_orientations_of_the_same_pixels_agree_to_rounding(
    exif: Path, name: str, tmp_path: Path
) -> None:
    photos = sorted(exif.glob("lund_*.jpg"))
    model: Model
    if name == "netvlad":
        model = create_network("resnet18", name, height=240, width=320, head_options={"clusters": 16})
        model.initialise(photos, seed=0)
    else:
        model = DenseVLAD.fit(photos, seed=0)
    upright = Image.open(photos[0]).convert("RGB")
    paths = []
    for number, stored in STORED_AS.items():
        tags = Image.Exif()
        tags[ExifTags.Base.Orientation] = number
        paths.append(tmp_path / f"{number}.png")
        (upright if stored is None else upright.transpose(stored)).save(paths[-1], exif=tags)
    assert least_cosine(describe(paths, model)) > 0.999


# How an upright photo must lie in the file so that its orientation turns it upright (EXIF 2.3, 4.6.4).
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def orientations(exif: Path, shape: str) -> list[Path]:
    return [exif / f"orientation__{shape}_{number}.jpg" for number in STORED_AS]


def least_cosine(vectors: NDArray[np.float32]) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return float((unit @ unit.T).min())
