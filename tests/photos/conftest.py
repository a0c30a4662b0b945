from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Draw = Callable[[int, int], NDArray[np.uint8]]
Save = Callable[..., Path]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Draw a picture without symmetry: smooth blotches, a bright corner, edges; ``draw(height, width)``."""

    def drawn(height: int, width: int) -> NDArray[np.uint8]:
        coarse = np.random.default_rng(7).integers(40, 200, (6, 8, 3), dtype=np.uint8)
        pixels = np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
        pixels[: height // 4, : width // 4] = (250, 30, 30)
        pixels[height // 2 : height // 2 + max(2, height // 16)] //= 2
        return pixels

    return drawn


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save pixels or an image under a name in the test's folder, with Pillow's options."""

    def saved(name: str, picture: NDArray[np.uint8] | Image.Image, **options: Any) -> Path:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **options)
        return path

    return saved
