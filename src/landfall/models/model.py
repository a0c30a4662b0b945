"""Model: what extraction, indexing and localization ask of anything that describes photos."""

from __future__ import annotations

from collections.abc import Sequence
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


@runtime_checkable
class FittedOnPhotos(Model, Protocol):
    """A model without weights, which learns what it needs from the photos it is to tell apart."""

    @property
    def fitted(self) -> bool:
        """Whether it can describe yet."""
        ...

    def fit(self, photos: Sequence[Path], *, seed: int = 0) -> Model:
        """Return a model that has learned from photos; the same photos and seed give the same model."""
        ...
