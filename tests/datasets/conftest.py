"""Small photos, drawn where a test wants them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from landfall.geo import LatLon
from landfall.photos import write_jpeg

Draw = Callable[..., Path]


@pytest.fixture
def draw() -> Draw:
    """Return a function that writes a photo of its own content, with a position in EXIF if one is given."""
    drawn = 0

    def write(path: Path, *, at: tuple[float, float] | None = None, size: tuple[int, int] = (80, 64)) -> Path:
        nonlocal drawn
        drawn += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(drawn).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        if at is not None:
            write_jpeg(path, pixels, location=LatLon(*at))
        else:
            Image.fromarray(pixels).save(path)
        return path

    return write
