"""A model whose descriptors can be worked out by hand, and a folder of photos for it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.models import ModelCard

CELLS = 4


class GridModel:
    """Describes a photo by the mean colour of each cell of a 4 x 4 grid, 48 numbers in 0..1.

    Args:
        height, width: the size that its card asks for.
        seconds: how long a batch takes, for tests that need time to interrupt.
        gain: the descriptor is multiplied by it, for another model of the same card.
        sha256: of its weights, on the card.
    """

    def __init__(
        self,
        *,
        height: int | None = 32,
        width: int | None = 32,
        seconds: float = 0.0,
        gain: float = 1.0,
        sha256: str | None = None,
    ) -> None:
        self.card = ModelCard(
            name="grid",
            family="grid",
            descriptor_dim=3 * CELLS * CELLS,
            height=height,
            width=width,
            licence="MIT",
            source="tests",
            sha256=sha256,
            landfall_version="0",
        )
        self.seconds = seconds
        self.gain = gain
        self.shapes: list[tuple[int, ...]] = []

    def describe(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(self.seconds)
        self.shapes.append(images.shape)
        return np.stack([self.by_hand(image) for image in images])

    def by_hand(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The plain loop: one photo (H, W, 3), one cell at a time."""
        cells = [
            cell.mean(axis=(0, 1), dtype=np.float64)
            for band in np.array_split(image, CELLS, axis=0)
            for cell in np.array_split(band, CELLS, axis=1)
        ]
        return (np.concatenate(cells) / 255 * self.gain).astype(np.float32)

    def save(self, path: str | Path) -> None:
        Path(path).write_text(self.card.model_dump_json(), encoding="utf-8")


def write_photo(path: Path, seed: int, size: tuple[int, int] = (40, 32)) -> Path:
    """Write a PNG of coarse noise; ``size`` is (width, height)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size).save(path)
    return path


@pytest.fixture
def model() -> GridModel:
    return GridModel()


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Twenty-two photos, so that batches of four leave a short last one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return [write_photo(folder / f"{i:02}.png", seed=i) for i in range(22)]


@pytest.fixture
def broken_paths(paths: list[Path]) -> list[Path]:
    """The same photos, of which 5 is text, 6 is missing and 21 is empty."""
    paths[5].write_text("not a photo", encoding="utf-8")
    paths[6].unlink()
    paths[21].write_bytes(b"")
    return paths
