"""Decoded photos: right however small the budget, and decoded once where it is large enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import PhotoError
from landfall.photos import InputSpec, load_photo
from landfall.training.photo_cache import PhotoCache

HEIGHT, WIDTH = 12, 16
PHOTO_BYTES = HEIGHT * WIDTH * 3


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    files = [tmp_path / f"{number:02}.png" for number in range(10)]
    for path in files:
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return files


@contextmanager
def cache(paths: list[Path], photos: int) -> Iterator[PhotoCache]:
    opened = PhotoCache(paths, height=HEIGHT, width=WIDTH, budget_bytes=photos * PHOTO_BYTES, workers=2)
    yield opened
    opened.close()


def rows(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def expected(paths: list[Path], numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The plain loop."""
    spec = InputSpec(height=HEIGHT, width=WIDTH)
    return np.stack([load_photo(paths[number], spec).pixels for number in numbers])


@pytest.mark.parametrize("photos", [0, 1, 3, 10])
def test_pixels_are_those_of_the_files_whatever_the_budget(paths: list[Path], photos: int) -> None:
    rng = np.random.default_rng(photos)
    parts = [rng.integers(0, 10, size) for size in (4, 1, 6, 3, 3, 5, 2, 8)]
    with cache(paths, photos) as opened:
        assert opened.capacity == photos
        opened.hold(rows(1, 2, 3))
        for part, pixels in zip(parts, opened.stream(parts), strict=True):
            np.testing.assert_array_equal(pixels, expected(paths, part))


def test_with_room_for_all_each_is_decoded_once(paths: list[Path]) -> None:
    with cache(paths, 10) as opened:
        for _ in range(3):
            assert sum(len(part) for part in opened.stream([rows(0, 1, 2), rows(2, 3, 0), rows(9)])) == 7
        assert opened.decoded == 5


def test_what_is_needed_next_takes_the_place_of_what_is_not(paths: list[Path]) -> None:
    with cache(paths, 4) as opened:
        opened.read(rows(0, 1, 2, 3))
        opened.hold(rows(2, 6, 7))
        opened.read(rows(6, 7))
        before = opened.decoded
        opened.read(rows(2, 6, 7))
        assert opened.decoded == before
        opened.read(rows(0, 1))
        assert opened.decoded > before


def test_a_budget_too_small_for_the_round_keeps_its_first_photos(paths: list[Path]) -> None:
    with cache(paths, 2) as opened:
        opened.hold(rows(0, 1, 2, 3))
        opened.read(rows(0, 1, 2, 3))
        opened.read(rows(0, 1, 2, 3))
        assert opened.decoded == 6


def test_a_broken_photo_is_named(paths: list[Path]) -> None:
    paths[4].write_bytes(b"no photo")
    with cache(paths, 10) as opened:
        with pytest.raises(PhotoError, match=r"04\.png"):
            list(opened.stream([rows(0), rows(4), rows(1)]))
        np.testing.assert_array_equal(opened.read(rows(0, 1)), expected(paths, rows(0, 1)))


def test_a_consumer_may_stop(paths: list[Path]) -> None:
    with cache(paths, 10) as opened:
        stream = opened.stream([rows(number) for number in range(10)])
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        np.testing.assert_array_equal(opened.read(rows(8, 9)), expected(paths, rows(8, 9)))
