"""Model: what extraction, indexing and localization ask of anything that describes photos."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from landfall.models.card import ModelCard


@runtime_checkable
class Model(Protocol):
    """Describes photos that were read as its card says."""

    #: What the model takes, gives and comes from.
    card: ModelCard

    def describe(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return one descriptor a photo.

        Args:
            images: (B, H, W, 3) uint8, RGB.

        Returns:
            (B, D) float32.
        """
        ...

    def save(self, path: str | Path) -> None:
        """Write weights and card to one file."""
        ...
