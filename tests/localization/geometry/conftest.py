"""Drawn photos with structure at every place, and views of them from elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.localization.geometry import Features

Pixels = NDArray[np.uint8]
Draw = Callable[..., Pixels]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Draw a photo (H, W, 3) that only its seed has: overlapping rectangles and sensor noise."""

    def drawn(seed: int, height: int = 240, width: int = 320) -> Pixels:
        rng = np.random.default_rng(seed)
        photo = np.full((height, width, 3), 128, np.int16)
        for _ in range(150):
            top, left = rng.integers(0, height - 8), rng.integers(0, width - 8)
            bottom, right = top + rng.integers(4, 60), left + rng.integers(4, 60)
            photo[top:bottom, left:right] = rng.integers(0, 256, 3)
        return (photo + rng.integers(-6, 7, photo.shape)).clip(0, 255).astype(np.uint8)

    return drawn


@pytest.fixture(scope="session")
def warp() -> Callable[[Pixels, NDArray[np.float64]], Pixels]:
    """Show a photo through a homography (3, 3) of pixels, on grey ground of the same size."""

    def warped(photo: Pixels, homography: NDArray[np.float64]) -> Pixels:
        height, width = photo.shape[:2]
        seen = cv2.warpPerspective(
            photo, homography, (width, height), flags=cv2.INTER_CUBIC, borderValue=(128, 128, 128)
        )
        return np.asarray(seen, np.uint8)

    return warped


@pytest.fixture(scope="session")
def at() -> Callable[..., Features]:
    """Features at given places (n, 2) of a photo, with descriptors that nobody asks for."""

    def placed(xy: NDArray[np.floating], height: int = 480, width: int = 640) -> Features:
        return Features(xy.astype(np.float32), np.zeros((len(xy), 128), np.float32), height, width)

    return placed
