"""Pictures of what models attend to: on any photos, and the paper's visual results for one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from landfall.errors import UsageError
from landfall.experiments.explain import (
    ExplainedPhoto,
    Explanation,
    LabelledModel,
    ModelMap,
    explain_photo,
)
from landfall.rendering import (
    AttentionCell,
    AttentionColumn,
    AttentionRow,
    SheetPhoto,
    draw_attention,
)
from landfall.rendering.contact_sheet import headline
from landfall.rendering.style import ImageFormat

_SCALES = "All photos of a column share its scale of colours."


@dataclass(frozen=True)
class Retrieved:
    """The photo that a model found first for a query.

    Args:
        path: the photo.
        right: whether it shows the query's place; None where that is unknown.
        error_m: how far from the query it was taken, in metres; None where that is unknown.
    """

    path: Path
    right: bool | None = None
    error_m: float | None = None


@dataclass(frozen=True, eq=False)
class ModelAnswer:
    """A model and what it retrieved; None where it retrieved nothing, or nothing was searched."""

    model: LabelledModel
    retrieved: Retrieved | None = None


def draw_explanation(
    explanation: Explanation, *, title: str = "", image_format: ImageFormat = "png"
) -> bytes:
    """Draw photos in rows, and beside each what every model attends to on it.

    Args:
        explanation: of `explain_photos`.
        title: the heading; by default it names the models, or counts them.

    Returns:
        a PNG or SVG file.

    Raises:
        UsageError: none of the photos could be read.
    """
    photos = explanation.photos
    if not photos:
        raise UsageError("There is nothing to draw: none of the photos could be read.")
    labels = list(dict.fromkeys(one.model for one in photos[0].maps))
    attend = f"{labels[0]} attends" if len(labels) == 1 else f"{len(labels)} models attend"
    return draw_attention(
        [AttentionColumn("Photo"), *_columns(photos[0].maps)],
        [_photo_row(photo) for photo in photos],
        title=title or f"What {attend} to",
        legend=_SCALES,
        image_format=image_format,
    )


def draw_visual(
    query: Path,
    answers: Sequence[ModelAnswer],
    *,
    title: str,
    legend: str = "",
    every_map: bool = False,
    image_format: ImageFormat = "png",
) -> bytes:
    """Draw, for each model, what it attends to on a query, what it retrieved, and what it attends to there.

    Retrieved photos are framed green with a tick where they are right, red with a cross where they are wrong.

    Args:
        query: the photo.
        answers: the models, one column each, with different labels.
        title: the heading.
        legend: a line under it, such as what counts as right.
        every_map: show all maps of a model and not just the most telling one.

    Returns:
        a PNG or SVG file.

    Raises:
        PhotoError: the query or a retrieved photo can't be read.
        ModelError: a model can't tell what it attends to.
    """
    asked = explain_photo(query, [answer.model for answer in answers])
    columns = [AttentionColumn("Query")]
    overlays: list[AttentionCell | None] = [AttentionCell(asked.pixels, caption=query.name)]
    plain: list[AttentionCell | None] = [None]
    attended: list[AttentionCell | None] = [None]
    for answer in answers:
        maps = [one for one in asked.maps if one.model == answer.model.label]
        count = len(maps) if every_map else 1
        columns += _columns(maps[:count])
        overlays += _overlays(asked, maps[:count])
        shown, there = _retrieved_cells(answer, count)
        plain += shown
        attended += there
    rows = [AttentionRow(overlays)]
    if any(answer.retrieved for answer in answers):
        rows.append(AttentionRow(plain, label="Photo retrieved first"))
        rows.append(AttentionRow(attended, label="What the model attends to there"))
    return draw_attention(
        columns, rows, title=title, legend=f"{legend} {_SCALES}".lstrip(), image_format=image_format
    )


def _retrieved_cells(
    answer: ModelAnswer, count: int
) -> tuple[list[AttentionCell | None], list[AttentionCell | None]]:
    """Return the cells of a model's ``count`` columns: the retrieved photo in the first, its maps in each."""
    retrieved = answer.retrieved
    if retrieved is None:
        return [None] * count, [None] * count
    found = explain_photo(retrieved.path, [answer.model])
    told = SheetPhoto(retrieved.path.name, None, error_m=retrieved.error_m, right=retrieved.right)
    photo = AttentionCell(found.pixels, caption=headline(told, ""), right=retrieved.right)
    rest: list[AttentionCell | None] = [None] * (count - 1)
    return [photo, *rest], [*_overlays(found, found.maps[:count], right=retrieved.right)]


def _columns(maps: Iterable[ModelMap]) -> list[AttentionColumn]:
    return [AttentionColumn(one.model, one.name, one.meaning) for one in maps]


def _overlays(
    photo: ExplainedPhoto, maps: Iterable[ModelMap], *, right: bool | None = None
) -> list[AttentionCell]:
    return [AttentionCell(photo.pixels, one.values, right=right) for one in maps]


def _photo_row(photo: ExplainedPhoto) -> AttentionRow:
    first, *others = _overlays(photo, photo.maps)
    if photo.distance is not None:
        first = replace(first, caption=f"first match, distance {photo.distance:.3f}")
    name = PurePosixPath(photo.photo).name
    return AttentionRow([AttentionCell(photo.pixels, caption=name), first, *others])
