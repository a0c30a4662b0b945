"""Frozen features on disk: those of the network within half precision, whatever was killed in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from landfall.datasets import load_dataset
from landfall.errors import TrainingError
from landfall.models import Network, create_network
from landfall.training.feature_cache import FeatureCache, compute_frozen
from landfall.training.inputs import InputReader
from landfall.training.photo_cache import PhotoCache

HEIGHT, WIDTH = 32, 48
SHAPE = (4, 6, 128)  # layer2 of a ResNet-18: an eighth of the sides, 128 channels
PHOTO_BYTES = 4 * 6 * 128 * 2


class KilledError(Exception):
    """Stands for a kill between two batches."""


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return create_network("resnet18", "gem", height=HEIGHT, width=WIDTH).eval()


@pytest.fixture
def photos(street: Path) -> Iterator[PhotoCache]:
    paths = load_dataset(street, "train").database.paths * 2  # 48 photos: three batches
    opened = PhotoCache(paths, height=HEIGHT, width=WIDTH, budget_bytes=10**7, workers=1)
    yield opened
    opened.close()


def cache(folder: Path, *, photos: int = 48, fingerprint: str = "a") -> FeatureCache:
    return FeatureCache(folder, SHAPE, 48, budget_bytes=photos * PHOTO_BYTES, fingerprint=fingerprint)


def unheard(done: int, total: int) -> None:
    pass


def test_features_are_those_of_the_network_in_half_precision(
    tmp_path: Path, network: Network, photos: PhotoCache
) -> None:
    opened = cache(tmp_path)
    told: list[tuple[int, int]] = []
    opened.fill(network, photos, lambda done, total: told.append((done, total)))
    assert told == [(16, 48), (32, 48), (48, 48)]
    rows = np.array([3, 40, 0, 3])
    expected = compute_frozen(network, photos.read(rows))
    assert expected.shape == (4, 128, 4, 6)
    # Half precision keeps eleven bits.
    torch.testing.assert_close(opened.read(rows).float(), expected, rtol=2**-10, atol=1e-3)


def test_the_budget_bounds_the_file(tmp_path: Path, network: Network, photos: PhotoCache) -> None:
    opened = cache(tmp_path, photos=20)
    opened.fill(network, photos, unheard)
    assert opened.capacity == 20
    assert (tmp_path / "features.f16").stat().st_size == 20 * PHOTO_BYTES == opened.size_bytes


def test_a_fill_that_was_cut_off_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, network: Network, photos: PhotoCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache(tmp_path / "whole").fill(network, photos, unheard)

    def stop(done: int, total: int) -> None:
        if done == 32:
            raise KilledError

    monkeypatch.setattr("landfall.training.feature_cache._SYNC_EVERY", 1)
    with pytest.raises(KilledError):
        cache(tmp_path / "cut").fill(network, photos, stop)
    told: list[int] = []
    cache(tmp_path / "cut").fill(network, photos, lambda done, _: told.append(done))
    assert told == [32, 48], "the first batch was on the disk, the second not yet counted"
    whole, cut = (tmp_path / name / "features.f16" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()


def test_features_of_other_photos_or_weights_are_computed_anew(
    tmp_path: Path, network: Network, photos: PhotoCache
) -> None:
    cache(tmp_path).fill(network, photos, unheard)
    told: list[int] = []
    cache(tmp_path).fill(network, photos, lambda done, _: told.append(done))
    assert told == []
    cache(tmp_path, fingerprint="b").fill(network, photos, lambda done, _: told.append(done))
    assert told == [16, 32, 48]


def test_two_trainings_don_t_fill_one_cache_at_once(
    tmp_path: Path, network: Network, photos: PhotoCache
) -> None:
    def tell(_done: int, _total: int) -> None:
        with pytest.raises(TrainingError, match="Another training computes"):
            cache(tmp_path).fill(network, photos, unheard)

    cache(tmp_path).fill(network, photos, tell)


def test_inputs_are_the_same_from_pixels_from_features_and_mixed(
    tmp_path: Path, network: Network, photos: PhotoCache
) -> None:
    opened = cache(tmp_path, photos=20)
    opened.fill(network, photos, unheard)
    parts = [np.array([25, 3, 30, 19, 20]), np.array([1, 2]), np.array([47])]
    from_pixels = [part.frozen_features(network) for part in InputReader(photos, None).stream(parts)]
    for as_pixels in (False, True):
        stream = InputReader(photos, opened).stream(parts, as_pixels=as_pixels)
        for inputs, rows, expected in zip(stream, parts, from_pixels, strict=True):
            assert len(inputs) == len(rows)
            assert (inputs.features is None) == as_pixels
            torch.testing.assert_close(inputs.frozen_features(network), expected, rtol=2**-10, atol=1e-3)


def test_reading_an_unfilled_cache_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="before it was filled"):
        cache(tmp_path).read(np.array([0]))
