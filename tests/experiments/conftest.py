"""A street of coloured places and a model that sees colours, so that every match can be told beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.datasets import Dataset, load_dataset
from landfall.datasets.names import NameFields, format_name
from landfall.models.card import ModelCard
from landfall.photos import InputSpec

PLACES = 12
EAST_M, NORTH_M = 300_000.0, 5_790_000.0


class ColourModel:
    """Describes a photo by the mean colours of a 4 x 4 grid, normalised."""

    def __init__(self) -> None:
        self.card = ModelCard(
            name="colours",
            family="colours",
            descriptor_dim=48,
            height=32,
            width=32,
            licence="MIT",
            source="tests",
            landfall_version="0",
        )

    def describe(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        count, height, width, _ = images.shape
        cells = images.reshape(count, 4, height // 4, 4, width // 4, 3)
        grid = cells.mean(axis=(2, 4)).reshape(count, -1) - 127.5
        return np.asarray(grid / np.linalg.norm(grid, axis=1, keepdims=True), dtype=np.float32)

    def save(self, path: str | Path) -> None:
        Path(path).write_text(self.card.model_dump_json())


class UnfittedColourModel(ColourModel):
    """Can describe nothing until it is fitted; remembers what it was fitted on."""

    def __init__(
        self, photos: Sequence[Path] = (), seed: int | None = None, spec: InputSpec | None = None
    ) -> None:
        super().__init__()
        self.photos = list(photos)
        self.seed = seed
        self.spec = spec
        self.fit_sample = None

    @property
    def fitted(self) -> bool:
        return bool(self.photos)

    def fit(
        self, photos: Sequence[Path], *, seed: int = 0, spec: InputSpec | None = None
    ) -> UnfittedColourModel:
        return UnfittedColourModel(photos, seed, spec)

    def describe(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert self.fitted
        return super().describe(images)


def picture_of(place: int, rng: np.random.Generator) -> Image.Image:
    colours = np.random.default_rng(place).integers(20, 236, size=(4, 4, 3))
    noisy = np.clip(np.kron(colours, np.ones((12, 12, 1))) + rng.normal(0, 6, (48, 48, 3)), 0, 255)
    return Image.fromarray(noisy.astype(np.uint8))


def save(folder: Path, picture: Image.Image, east_m: float, note: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    fields = NameFields(east_m=EAST_M + east_m, north_m=NORTH_M, zone=31, letter="U", note=note)
    path = folder / format_name(fields)
    picture.save(path, quality=92)
    return path


@pytest.fixture
def street(tmp_path: Path) -> Dataset:
    """Twelve places 100 m apart: two database photos each (0 and 5 m), one query each (3 m).

    Query 0 shows place 5, so its first match is 500 m off; all other queries are right.
    """
    root = tmp_path / "street"
    rng = np.random.default_rng(0)
    for place in range(PLACES):
        for offset_m in (0, 5):
            save(root / "database", picture_of(place, rng), 100 * place + offset_m, f"p{place}")
        shown = 5 if place == 0 else place
        save(root / "queries", picture_of(shown, rng), 100 * place + 3, f"q{place}")
    return load_dataset(root)


@pytest.fixture
def colours() -> ColourModel:
    return ColourModel()


@pytest.fixture
def unfitted_colours() -> UnfittedColourModel:
    return UnfittedColourModel()
