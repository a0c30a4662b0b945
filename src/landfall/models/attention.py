"""What a model attends to on photos, whatever kind of model it is.

A model that can tell offers ``attention`` beside ``describe``: a network asks its head (`Head.attention`),
and DenseVLAD measures the residuals of its local descriptors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from landfall.errors import ModelError
from landfall.models.model import Model

if TYPE_CHECKING:
    from landfall.models.heads.attention import AttentionMap


@runtime_checkable
class Explainable(Protocol):
    """A model that tells how much each location of a photo counts."""

    def attention(self, images: npt.NDArray[np.uint8]) -> tuple[AttentionMap, ...]:
        """Return maps (B, h, w) float32, on the CPU, of photos (B, H, W, 3) uint8, the most telling first."""
        ...


def attention_maps(model: Model, images: npt.NDArray[np.uint8]) -> tuple[AttentionMap, ...]:
    """Return what a model attends to on photos, as its head says.

    Args:
        model: a network, or a fitted DenseVLAD.
        images: (B, H, W, 3) uint8, RGB, of the size that the model's card asks for.

    Returns:
        one map or more; values (B, h, w) float32, whose corners are the photo's.

    Raises:
        ModelError: this kind of model can't tell, isn't fitted yet, or takes no such photos.
    """
    if not isinstance(model, Explainable):
        raise ModelError(
            f"{model.card.name} is of model family {model.card.family!r}, which can't tell what it attends "
            "to; networks and fitted densevlad models can."
        )
    return model.attention(images)
