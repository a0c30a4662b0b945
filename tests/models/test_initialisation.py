"""Sampling features from photos, and the start of a network's clusters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch import Tensor

from landfall.errors import ModelError
from landfall.models.creation import create_network
from landfall.models.initialisation import sample_features
from landfall.photos import InputSpec

SPEC = InputSpec(height=32, width=48)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Twelve photos of one colour each: red is the photo's number."""
    paths = [tmp_path / f"{number:02}.png" for number in range(12)]
    for number, path in enumerate(paths):
        Image.new("RGB", (48, 32), (10 * number, 0, 0)).save(path)
    return paths


def red_and_location(images: npt.NDArray[np.uint8]) -> Tensor:
    """A stand-in for a backbone: 2 x 3 locations, of which each tells its photo and its own number."""
    red = torch.from_numpy(images[:, 0, 0, 0].astype(np.float32))[:, None].expand(-1, 6)
    location = torch.arange(6.0)[None].expand(len(images), -1)
    return torch.stack([red / 10, location], dim=1).view(len(images), 2, 2, 3)


def test_draws_photos_and_locations_without_repetition(photos: list[Path]) -> None:
    features, report = sample_features(
        red_and_location, photos, SPEC, seed=1, max_photos=5, locations_per_photo=4
    )
    assert features.shape == (20, 2)
    assert (report.photos, report.features, report.problems) == (5, 20, ())
    assert len({tuple(row.tolist()) for row in features}) == 20
    assert len({float(row[0]) for row in features}) == 5


def test_takes_all_where_there_are_fewer(photos: list[Path]) -> None:
    features, report = sample_features(red_and_location, photos, SPEC)
    assert (report.photos, report.features) == (12, 72)
    expected = {(float(photo), float(location)) for photo in range(12) for location in range(6)}
    assert {(row[0].item(), row[1].item()) for row in features} == expected


def test_seed_decides(photos: list[Path]) -> None:
    def draw(seed: int) -> Tensor:
        return sample_features(
            red_and_location, photos, SPEC, seed=seed, max_photos=6, locations_per_photo=3
        )[0]

    assert torch.equal(draw(4), draw(4))
    assert not torch.equal(draw(4), draw(5))


def test_broken_photos_are_reported_and_replaced(photos: list[Path]) -> None:
    for path in photos[:4]:
        path.write_bytes(b"not a photo")
    _, report = sample_features(red_and_location, photos, SPEC, max_photos=8)
    assert report.photos == 8
    assert {problem.photo for problem in report.problems} <= {str(path) for path in photos[:4]}
    _, report = sample_features(red_and_location, photos, SPEC, max_photos=12)
    assert {problem.photo for problem in report.problems} == {str(path) for path in photos[:4]}
    assert report.photos == 8


def test_no_photo_is_an_error(photos: list[Path]) -> None:
    with pytest.raises(ModelError, match="no photo was given"):
        sample_features(red_and_location, [], SPEC)
    for path in photos:
        path.unlink()
    with pytest.raises(ModelError, match="None of 12 photos could be read"):
        sample_features(red_and_location, photos, SPEC)
    with pytest.raises(ModelError, match="sample of 0 photos"):
        sample_features(red_and_location, photos, SPEC, max_photos=0)


def test_photos_of_many_sizes(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(4)]
    for number, path in enumerate(paths):
        Image.new("RGB", (20 + number // 2, 32), (10 * number, 0, 0)).save(path)
    _, report = sample_features(red_and_location, paths, InputSpec(height=None, width=None))
    assert report.photos == 4


def test_network_starts_from_photos(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{n}.png" for n in range(6)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    paths[2].write_bytes(b"")
    torch.manual_seed(0)
    network = create_network("resnet18", "netvlad", head_options={"clusters": 4}, height=64, width=64)
    network.train()
    backbone = {key: value.clone() for key, value in network.backbone.state_dict().items()}
    first = network.head.state_dict()["centroids"].clone()
    assert network.initialise(paths, seed=3) is network
    assert network.training
    assert network.sample is not None
    assert (network.sample.photos, network.sample.features) == (5, 5 * 16)
    assert [problem.photo for problem in network.sample.problems] == [str(paths[2])]
    assert network.card.seed == 3
    started = {key: value.clone() for key, value in network.head.state_dict().items()}
    assert not torch.equal(started["centroids"], first)
    network.initialise(paths, seed=3)
    assert all(torch.equal(started[key], value) for key, value in network.head.state_dict().items())
    assert all(torch.equal(backbone[key], value) for key, value in network.backbone.state_dict().items())


def test_heads_without_clusters_stay_as_they_are() -> None:
    network = create_network("resnet18", "gem")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert network.initialise([]) is network
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert network.card.seed is None


def test_too_few_locations_name_the_numbers(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    network = create_network("resnet18", "netvlad", height=16, width=16)
    with pytest.raises(ModelError, match=r"64 clusters need .* and the sample holds 1"):
        network.initialise([tmp_path / "a.png"])
