"""Recipe: everything that decides what a training gives. Paper, section "Training".

The defaults are the paper's. A recipe is frozen and typed; what a run was made with is written beside it in
full, so that a default that changes later changes no old run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=1)]

MIB = 2**20


class Section(BaseModel):
    """A part of a recipe: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class ModelSection(Section):
    """The network that is trained.

    Attributes:
        backbone, head: registered names.
        weights: the backbone's: "imagenet", the path of a file, or None for random ones.
        backbone_options, head_options: for example ``train_batch_norm: true``, ``clusters: 32``.
        height, width: pixels that photos are stretched to.
        init_photos, init_locations: what the start of clustered heads is sampled from (section 3.3).
        init_normalise: L2-normalise that sample, as every pass does; False is the mistake worth measuring.
    """

    backbone: str = "resnet18"
    head: str = "netvlad"
    weights: str | None = "imagenet"
    backbone_options: dict[str, JsonValue] = Field(default_factory=dict)
    head_options: dict[str, JsonValue] = Field(default_factory=dict)
    height: _Count = 480
    width: _Count = 640
    init_photos: _Count = 500
    init_locations: _Count = 100
    init_normalise: bool = True


class DataSection(Section):
    """Which photos, and what is near.

    Attributes:
        train_split, val_split: splits of the dataset.
        train_radius_m: within it a database photo shows the query's place.
        far_m: negatives are at least this far from the query; also what validation counts as right.
        database_queries: let database photos be queries, too, for a dataset with few of them (off in the
            paper). Photos of a database photo's own spot are neither its positives nor its negatives.
            Validation counts them, too.
    """

    train_split: str = "train"
    val_split: str = "val"
    train_radius_m: _Positive = 10.0
    far_m: _Positive = 25.0
    database_queries: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.train_radius_m > self.far_m:
            raise ValueError(
                f"train_radius_m is {self.train_radius_m:g} and far_m {self.far_m:g}: "
                "a photo would be positive and negative at once"
            )
        return self


class MiningSection(Section):
    """How triplets are found.

    Attributes:
        strategy: "partial" (a sample of negatives shared by a round), "full" or "random".
        sample: S, negatives sampled for a round.
        negatives: of a query.
        repeat: give a query with fewer candidates than that its own again, instead of stopping.
        queries_per_epoch: at most; each usable query at most once.
        queries_per_round: queries mined with the same weights.
        batch_size: photos described at once.
        half: keep descriptors in half precision.
    """

    strategy: Literal["partial", "full", "random"] = "partial"
    sample: _Count = 1000
    negatives: _Count = 10
    repeat: bool = False
    queries_per_epoch: _Count = 5000
    queries_per_round: _Count = 1000
    batch_size: _Count = 16
    half: bool = True


class LossSection(Section):
    """A registered loss and its options; "triplet" is the paper's eq. 5."""

    name: str = "triplet"
    options: dict[str, JsonValue] = Field(default_factory=dict)


class OptimizerSection(Section):
    """How weights follow gradients.

    Attributes:
        lr: the learning rate.
        head_lr: of the head; None takes ``lr``. A head's weights are few and larger than the backbone's.
        mask_lr: of the mask branch of CRN and CRN2; None takes the head's.
        momentum: of SGD.
    """

    name: Literal["adam", "sgd"] = "adam"
    lr: _Positive = 1e-5
    head_lr: _Positive | None = None
    mask_lr: _Positive | None = None
    momentum: _Share = 0.9
    weight_decay: _NotNegative = 0.0


class ScheduleSection(Section):
    """How long, and in which steps.

    Attributes:
        epochs: at most.
        patience: epochs without a better validation before training stops.
        batch_queries: triplets of a step, in all processes together.
        accumulate: steps whose gradients are added up before the weights change.
        decay: of the learning rates from the first step to the last of all epochs: "none", as in the paper,
            or "cosine", down to zero.
        precision: "32", "bf16", or "auto", which is bf16 on a GPU that has it.
    """

    epochs: _Count = 50
    patience: _Count = 3
    batch_queries: _Count = 4
    accumulate: _Count = 1
    decay: Literal["none", "cosine"] = "none"
    precision: Literal["auto", "32", "bf16"] = "auto"


class MemorySection(Section):
    """What may be kept instead of being computed again.

    Attributes:
        photos_mb: decoded photos in memory, in MiB; what does not fit is decoded again.
        descriptors_mb: descriptors in memory, in MiB; more than that is mapped from a file.
        features_mb: outputs of the frozen stages on disk, in MiB; 0 keeps none.
    """

    photos_mb: _NotNegative = 4096.0
    descriptors_mb: _NotNegative = 2048.0
    features_mb: _NotNegative = 0.0


class AugmentationSection(Section):
    """What is done to the photos of a step; all off, as in the paper's main results.

    Mirroring and moving are drawn once for a triplet, colours and erasing for each photo.

    Attributes:
        brightness, contrast, saturation: factors are drawn from 1 - x to 1 + x (paper: 0.7, 0.5, 0.5).
        hue: turned by up to x of the circle (paper: 0.5).
        flip: probability of mirroring left and right (paper: 0.5).
        rotation_deg: turned by up to x degrees (paper: 30).
        erasing: probability of erasing a rectangle (paper: 0.5).
        crop: the least share of the area that a random crop keeps; 1 is no crop.
        perspective: how far corners move towards the middle, as a share of half a side.
    """

    brightness: _Share = 0.0
    contrast: _Share = 0.0
    saturation: _Share = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    flip: _Share = 0.0
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    erasing: _Share = 0.0
    crop: Annotated[float, Field(gt=0, le=1)] = 1.0
    perspective: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @property
    def geometric(self) -> bool:
        """Whether any of it moves or mirrors the scene."""
        return bool(self.flip or self.rotation_deg or self.perspective or self.crop < 1)

    @property
    def photometric(self) -> bool:
        """Whether any of it changes colours or erases."""
        return bool(self.brightness or self.contrast or self.saturation or self.hue or self.erasing)

    @property
    def active(self) -> bool:
        """Whether photos change at all."""
        return self.geometric or self.photometric


class Recipe(Section):
    """A whole recipe; `landfall.training.recipe_file` reads, overrides and writes it."""

    name: str = Field(min_length=1)
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    mining: MiningSection = MiningSection()
    loss: LossSection = LossSection()
    optimizer: OptimizerSection = OptimizerSection()
    schedule: ScheduleSection = ScheduleSection()
    augmentation: AugmentationSection = AugmentationSection()
    memory: MemorySection = MemorySection()

    @model_validator(mode="after")
    def _cacheable(self) -> Self:
        if self.memory.features_mb and self.augmentation.geometric:
            raise ValueError(
                "memory.features_mb keeps the frozen stages' outputs, and geometric augmentation changes "
                "them in every step: set memory.features_mb to 0, or flip, rotation_deg and perspective to 0 "
                "and crop to 1"
            )
        return self

    @classmethod
    def load(cls, path_or_name: str, overrides: tuple[str, ...] | list[str] = ()) -> Recipe:
        """Return a recipe from a YAML file or by name; see `landfall.training.recipe_file.load_recipe`."""
        from landfall.training.recipe_file import load_recipe

        return load_recipe(path_or_name, overrides)

    def to_dict(self) -> dict[str, Any]:
        """Return every key with its value, defaults included."""
        return self.model_dump(mode="json")
