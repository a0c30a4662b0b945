"""What models attend to on photos. What ``landfall explain`` does; ``attention_pictures`` draws it.

The paper's visual results show, for each head, the map of what it attends to. A location's number is what the
head itself says of it (`Head.attention`): the mask of CRN and CRN2, the residual energy of NetVLAD, the share
of the descriptor of GeM and Base.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import PhotoError, UsageError
from landfall.index import Index
from landfall.localization import localize
from landfall.models import Model
from landfall.models.attention import attention_maps
from landfall.photos import InputSpec, PhotoProblem, load_photo, read_metadata

# Pixels of a photo's longest side on a picture.
SHOWN_PX = 640


@dataclass(frozen=True, eq=False)
class LabelledModel:
    """A model, and what to call it beside others.

    Args:
        label: unlike the others'.
        model: a network, or a fitted densevlad.
        spec: the size photos are brought to; the model card's by default.
    """

    label: str
    model: Model
    spec: InputSpec | None = None

    @property
    def input_spec(self) -> InputSpec:
        """How photos are read for it."""
        return self.model.card.input_spec if self.spec is None else self.spec


@dataclass(frozen=True, eq=False)
class ModelMap:
    """A map of what a model attends to on a photo.

    Args:
        model: its label.
        name: of the map, such as "mask"; no two of a model are alike.
        meaning: what the numbers are.
        values: (h, w) float32, finite; its outer edges are the photo's.
    """

    model: str
    name: str
    meaning: str
    values: NDArray[np.float32]

    @property
    def greatest_at(self) -> tuple[float, float]:
        """The middle of the location of the greatest number, as shares of the photo's width and height."""
        height, width = self.values.shape
        row, column = divmod(int(self.values.argmax()), width)
        return (column + 0.5) / width, (row + 0.5) / height

    def to_text(self) -> str:
        """Return its range, and where the greatest number is, in words."""
        x, y = self.greatest_at
        low, high = float(self.values.min()), float(self.values.max())
        return (
            f"{low:.4g} to {high:.4g}, greatest {100 * x:.0f} % from the left, {100 * y:.0f} % from the top"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the map in numbers; the place of the greatest as shares of width and height."""
        x, y = self.greatest_at
        return {
            "map": self.name,
            "meaning": self.meaning,
            "shape": list(self.values.shape),
            "min": float(self.values.min()),
            "max": float(self.values.max()),
            "mean": float(self.values.mean(dtype=np.float64)),
            "max_at": {"x": x, "y": y},
        }


@dataclass(frozen=True, eq=False)
class ExplainedPhoto:
    """A photo with the maps of every model, in the models' order.

    Args:
        photo: as the user knows it.
        pixels: (H, W, 3) uint8 RGB, upright, small.
        maps: at least one a model.
        retrieved_for: the photo that it was found for, where it is one of an index.
        distance: in descriptor space, from that photo.
    """

    photo: str
    pixels: NDArray[np.uint8]
    maps: tuple[ModelMap, ...]
    retrieved_for: str | None = None
    distance: float | None = None

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return an object for each model, as ``landfall explain --json`` has them."""
        return [
            {
                "photo": self.photo,
                "retrieved_for": self.retrieved_for,
                "distance": self.distance,
                "model": model,
                "maps": [one.to_dict() for one in self.maps if one.model == model],
            }
            for model in dict.fromkeys(one.model for one in self.maps)
        ]


@dataclass(frozen=True, eq=False)
class Explanation:
    """What became of the photos.

    Args:
        photos: those that could be read, in order; a retrieved one follows the photo it was found for.
        failed: the others, by name.
    """

    photos: tuple[ExplainedPhoto, ...]
    failed: tuple[PhotoProblem, ...]

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return an object for each photo and model, then one with its ``error`` for each that failed."""
        told = [one for photo in self.photos for one in photo.to_dicts()]
        return told + [{"photo": problem.photo, "error": problem.reason} for problem in self.failed]

    def to_text(self) -> str:
        """Return, under each photo, a line for each map: its range, and where its greatest number is."""
        lines = []
        for photo in self.photos:
            lines.append(photo.photo)
            lines += [f"  {one.model}, {one.name}: {one.to_text()}" for one in photo.maps]
        return "\n".join(lines)


def label_models(models: Sequence[tuple[str, Model]]) -> list[LabelledModel]:
    """Return models with the shortest labels that tell them apart.

    Args:
        models: each with the path or name that it was loaded by.
    """
    choices = (
        [model.card.name for _, model in models],
        [Path(given).stem for given, _ in models],
        [given for given, _ in models],
    )
    labels = next((some for some in choices if len(set(some)) == len(some)), choices[-1])
    return [LabelledModel(label, model) for label, (_, model) in zip(labels, models, strict=True)]


def explain_photo(path: Path, models: Sequence[LabelledModel], *, name: str | None = None) -> ExplainedPhoto:
    """Return what models attend to on a photo.

    Args:
        path: the photo.
        models: each reads the photo at its own size.
        name: what to call it; its path by default.

    Raises:
        PhotoError: it can't be read, or a model gives numbers for it that are not finite.
        ModelError: a model can't tell what it attends to.
    """
    called = path.as_posix() if name is None else name
    pixels = _thumbnail(path)
    maps: list[ModelMap] = []
    for labelled in models:
        images = load_photo(path, labelled.input_spec).pixels[None]
        for one in attention_maps(labelled.model, images):
            values = one.values[0].numpy()
            if not np.isfinite(values).all():
                raise PhotoError(called, f"{labelled.label} gives no finite {one.name} for it")
            maps.append(ModelMap(labelled.label, one.name, one.meaning, values))
    return ExplainedPhoto(called, pixels, tuple(maps))


def explain_photos(
    paths: Sequence[Path],
    models: Sequence[LabelledModel],
    *,
    names: Sequence[str] | None = None,
    index: Index | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> Explanation:
    """Return what models attend to on photos, and on what an index finds first for each.

    Args:
        paths: the photos. One that can't be read is named, and the others go on.
        models: at least one, with different labels.
        names: what to call the photos; their paths by default.
        index: after each photo comes the one that it finds first, read from the folder that was indexed. Its
            own model must be among the models: what others attend to explains nothing of what it found.
        progress: called with the counts of photos done, failed and in all, before the first and after each.

    Raises:
        UsageError: no model, two of one label, or an index whose model is not among them or that does not
            say where its photos are.
        ModelError: a model can't tell what it attends to.
    """
    labels = [labelled.label for labelled in models]
    if not labels or len(set(labels)) < len(labels):
        raise UsageError(f"Models are told apart by their labels, and these are {labels}: give unlike ones.")
    wanted = [_Wanted(path, path.as_posix()) for path in paths]
    if names is not None:
        wanted = [replace(one, name=name) for one, name in zip(wanted, names, strict=True)]
    if index is not None:
        _check_retrieves(index, models)
        wanted = _with_first_matches(wanted, index)
    shown: list[ExplainedPhoto] = []
    failed: list[PhotoProblem] = []
    for done, one in enumerate(wanted):
        if progress is not None:
            progress(done, len(failed), len(wanted))
        try:
            explained = explain_photo(one.path, models, name=one.name)
        except PhotoError as error:
            failed.append(PhotoProblem(one.name, error.reason))
            continue
        shown.append(replace(explained, retrieved_for=one.retrieved_for, distance=one.distance))
    if progress is not None:
        progress(len(wanted), len(failed), len(wanted))
    return Explanation(tuple(shown), tuple(failed))


@dataclass(frozen=True)
class _Wanted:
    path: Path
    name: str
    retrieved_for: str | None = None
    distance: float | None = None


def _check_retrieves(index: Index, models: Sequence[LabelledModel]) -> None:
    own = index.manifest.model
    if all(labelled.model.card.sha256 != own.sha256 for labelled in models):
        raise UsageError(
            f"{index.path} was described by {own.name}, which is none of the models given. Leave the models "
            "out to explain the index's own, or leave out the index."
        )
    if any(folder.root is None for folder in index.folders().values()):
        raise UsageError(
            f"{index.path} does not say where its photos are, so the one retrieved can't be shown. Leave the "
            "index out."
        )


def _with_first_matches(queries: Sequence[_Wanted], index: Index) -> list[_Wanted]:
    """Return the photos, each followed by what the index finds first for it."""
    fixes = localize([one.path for one in queries], index, k=1, names=[one.name for one in queries])
    wanted = []
    for query, fix in zip(queries, fixes, strict=True):
        wanted.append(query)
        wanted += [
            _Wanted(path, match.photo, query.name, match.distance)
            for match in fix.matches
            if (path := index.path_of(match.id)) is not None
        ]
    return wanted


def _thumbnail(path: Path) -> NDArray[np.uint8]:
    """Return a photo's pixels (H, W, 3), upright, its longest side at most SHOWN_PX."""
    header = read_metadata(path)
    shrink = min(1.0, SHOWN_PX / max(header.width, header.height))
    height, width = max(1, round(header.height * shrink)), max(1, round(header.width * shrink))
    return load_photo(path, InputSpec(height=height, width=width)).pixels
