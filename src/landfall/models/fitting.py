"""Making a model ready for a collection: the size it takes, the fit of one that learns from its photos."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from landfall.models.card import ModelCard
from landfall.models.loading import load_model
from landfall.models.model import Model
from landfall.photos import InputSpec

if TYPE_CHECKING:
    from landfall.models.fit_sample import FitSample

# Families of models that `fit` (below) makes; a card tells this without the model being read.
_FITTED_FAMILIES = frozenset({"densevlad"})


@runtime_checkable
class FittedOnPhotos(Model, Protocol):
    """A model that learns from the photos it is to search before it can describe any (densevlad)."""

    @property
    def fitted(self) -> bool:
        """Whether it has seen its photos."""
        ...

    @property
    def fit_sample(self) -> FitSample | None:
        """What it learnt from; None where it has not, or where its file does not say."""
        ...

    def fit(self, photos: Sequence[Path], *, seed: int = 0, spec: InputSpec | None = None) -> Model:
        """Return a model fitted on ``photos``, read as ``spec`` says."""
        ...


def needs_fitting(model: Model) -> bool:
    """Tell whether a model can describe nothing before it has seen the photos that are to be searched."""
    return isinstance(model, FittedOnPhotos) and not model.fitted


def learnt_from_photos(card: ModelCard) -> bool:
    """Tell whether a model has learnt from photos that are to be searched, so that it knows them too well."""
    return card.family in _FITTED_FAMILIES


def fit_sample_of(model: Model) -> FitSample | None:
    """Return what a model learnt from; None for one that learns from no photos, or does not say."""
    return model.fit_sample if isinstance(model, FittedOnPhotos) else None


def fit_on(model: Model, photos: Sequence[Path], *, seed: int = 0, spec: InputSpec | None = None) -> Model:
    """Return a fitted model: this one, or one fitted on ``photos``, which must not hold the queries."""
    if isinstance(model, FittedOnPhotos) and not model.fitted:
        return model.fit(photos, seed=seed, spec=spec)
    return model


def fit_and_keep(model: Model, photos: Sequence[Path], kept: Path, *, seed: int = 0) -> Model:
    """Return a fitted model; one fitted here is saved as ``kept``, and read from there when this is repeated.

    Photos are read at the size that the model's card asks for.
    """
    if not needs_fitting(model):
        return model
    if not kept.exists():
        fit_on(model, photos, seed=seed, spec=model.card.input_spec).save(kept)
    return load_model(kept)


def with_input_spec(model: Model, spec: InputSpec) -> Model:
    """Return the same model with a card that asks for photos of another size; the weights are shared."""
    update = {"height": spec.height, "width": spec.width, "interpolation": spec.interpolation}
    resized = copy.copy(model)
    resized.card = model.card.model_copy(update=update)
    return resized
