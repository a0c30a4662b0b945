"""ModelCard: what a model needs to be used right, kept in the same file as its weights."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

if TYPE_CHECKING:
    from landfall.photos import InputSpec

#: Mean and standard deviation of ImageNet's training photos, RGB in 0..1 (paper, "Backbone").
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class ModelCard(BaseModel):
    """How a model was made, what it takes and what it gives.

    Attributes:
        name: what users call the model.
        family: which code reads the weights ("network", "densevlad"); checked when a checkpoint is loaded.
        backbone, head: registered names; None where the family has no such part.
        backbone_options, head_options: the options that rebuild them, defaults written out.
        descriptor_dim: D, the length of one descriptor.
        height, width: the size in pixels that photos are stretched to; both None for a photo's own size.
        interpolation: how photos are resized.
        mean, std: of each channel, RGB in 0..1, subtracted and divided before the backbone.
        licence: of the weights.
        source: where the weights come from, in words.
        sha256: of the tensors (`landfall.models.checkpoint.hash_tensors`); None until they are saved.
        trained_on: the dataset and split; None for weights that no place recognition was trained on.
        seed: of the initialisation or training; None where nothing was drawn.
        landfall_version: that made the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    family: str = Field(min_length=1)
    backbone: str | None = None
    head: str | None = None
    backbone_options: dict[str, JsonValue] = Field(default_factory=dict)
    head_options: dict[str, JsonValue] = Field(default_factory=dict)
    descriptor_dim: int = Field(ge=1)
    height: int | None = Field(default=480, ge=1)
    width: int | None = Field(default=640, ge=1)
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    mean: tuple[_Finite, _Finite, _Finite] = IMAGENET_MEAN
    std: tuple[_Positive, _Positive, _Positive] = IMAGENET_STD
    licence: str
    source: str
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    trained_on: str | None = None
    seed: int | None = None
    landfall_version: str = Field(default_factory=lambda: version("landfall"))

    @model_validator(mode="after")
    def _both_sides_or_neither(self) -> Self:
        if (self.height is None) != (self.width is None):
            raise ValueError(
                f"height is {self.height} and width is {self.width}; give both in pixels, or None for both"
            )
        return self

    @property
    def input_spec(self) -> InputSpec:
        """Return how photos are to be read for this model."""
        # A card is also read where no photo is, so the photo readers are loaded only here.
        from landfall.photos import InputSpec

        return InputSpec(height=self.height, width=self.width, interpolation=self.interpolation)
