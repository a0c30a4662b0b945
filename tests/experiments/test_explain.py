"""What models attend to on photos, by models whose attention can be read off the photo."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import ModelError, PhotoError, UsageError
from landfall.experiments import (
    LabelledModel,
    ModelAnswer,
    Retrieved,
    draw_explanation,
    draw_visual,
    explain_photo,
    explain_photos,
    label_models,
)
from landfall.index import Index
from landfall.localization import build_index
from landfall.models import DenseVLAD, Model
from landfall.models.card import ModelCard
from landfall.models.heads import AttentionMap
from landfall.photos import InputSpec, write_jpeg
from landfall.rendering import RIGHT_COLOR, WRONG_COLOR


class BrightnessModel:
    """Attends to bright cells of 8 x 8 pixels, and to the dark ones in a second map."""

    def __init__(self, name: str = "bright", height: int = 48) -> None:
        self.card = ModelCard(
            name=name,
            family="bright",
            descriptor_dim=3,
            height=height,
            width=64,
            licence="MIT",
            source="tests",
            landfall_version="0",
        )

    def describe(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(images.mean(axis=(1, 2)), dtype=np.float32)

    def attention(self, images: NDArray[np.uint8]) -> tuple[AttentionMap, ...]:
        count, height, width, _ = images.shape
        cells = images.reshape(count, height // 8, 8, width // 8, 8, 3).mean(axis=(2, 4, 5)) / 255
        bright = torch.from_numpy(cells.astype(np.float32))
        return AttentionMap("light", "brightness", bright), AttentionMap("shade", "darkness", 1 - bright)

    def save(self, path: str | Path) -> None:
        Path(path).write_text(self.card.model_dump_json())


class BrokenModel(BrightnessModel):
    def attention(self, images: NDArray[np.uint8]) -> tuple[AttentionMap, ...]:
        return (AttentionMap("light", "brightness", torch.full((1, 2, 2), float("nan"))),)


def photo(folder: Path, name: str, *, row: int = 4, column: int = 6) -> Path:
    """A grey photo, 96 x 128, with one bright block where the model's cell of that row and column lies."""
    pixels = np.full((96, 128, 3), 60, np.uint8)
    pixels[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = 230
    path = folder / name
    write_jpeg(path, pixels, quality=95)
    return path


def size_of(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return picture.size


def has(png: bytes, color: str) -> bool:
    with Image.open(io.BytesIO(png)) as picture:
        image = np.asarray(picture.convert("RGB"))
    return bool((image == [int(color[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2).sum() > 500)


BRIGHT = LabelledModel("bright", BrightnessModel())


def test_maps_are_told_in_numbers(tmp_path: Path) -> None:
    explained = explain_photo(photo(tmp_path, "a.jpg"), [BRIGHT], name="a")
    [told] = explained.to_dicts()
    assert (told["photo"], told["model"], told["retrieved_for"]) == ("a", "bright", None)
    assert [one["map"] for one in told["maps"]] == ["light", "shade"]
    light = told["maps"][0]
    # 48 x 64 pixels in cells of 8; the bright one is in row 4, column 6.
    assert light["shape"] == [6, 8]
    assert light["max_at"] == {"x": 6.5 / 8, "y": 4.5 / 6}
    assert light["max"] == pytest.approx(230 / 255, abs=0.05)
    assert light["min"] == pytest.approx(60 / 255, abs=0.05)
    assert light["mean"] == pytest.approx((230 + 47 * 60) / 48 / 255, abs=0.01)
    # The photo is shown in its own shape, not in the model's.
    assert explained.pixels.shape == (96, 128, 3)


def test_large_photos_are_shown_small(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "large.jpg", np.zeros((900, 1500, 3), np.uint8))
    assert explain_photo(tmp_path / "large.jpg", [BRIGHT]).pixels.shape == (384, 640, 3)


def test_each_model_reads_photos_at_its_own_size_or_as_it_is_told(tmp_path: Path) -> None:
    tall = LabelledModel("tall", BrightnessModel(height=96))
    resized = LabelledModel("resized", BrightnessModel(), spec=InputSpec(height=16, width=24))
    explained = explain_photo(photo(tmp_path, "a.jpg"), [BRIGHT, tall, resized])
    shapes = {one.model: one.values.shape for one in explained.maps}
    assert shapes == {"bright": (6, 8), "tall": (12, 8), "resized": (2, 3)}


def test_a_broken_photo_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    good = [photo(tmp_path, "a.jpg"), photo(tmp_path, "b.jpg")]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(good[0].read_bytes()[:200])
    told: list[tuple[int, int, int]] = []
    explanation = explain_photos(
        [good[0], broken, good[1]],
        [BRIGHT],
        names=["a", "x", "b"],
        progress=lambda *counts: told.append(counts),
    )
    assert [one.photo for one in explanation.photos] == ["a", "b"]
    assert [problem.photo for problem in explanation.failed] == ["x"]
    assert explanation.failed[0].reason
    assert told == [(0, 0, 3), (1, 0, 3), (2, 1, 3), (3, 1, 3)]
    listed = explanation.to_dicts()
    assert [set(one) == {"photo", "error"} for one in listed] == [False, False, True]
    assert explanation.to_text().splitlines()[0] == "a"


def test_numbers_that_are_not_finite_are_a_problem_of_the_photo(tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg")
    with pytest.raises(PhotoError, match="broken gives no finite light"):
        explain_photo(path, [LabelledModel("broken", BrokenModel())])
    with pytest.raises(UsageError, match="nothing to draw"):
        draw_explanation(explain_photos([path], [LabelledModel("broken", BrokenModel())]))


def test_a_model_that_can_not_tell_is_wrong_usage(tmp_path: Path, colours: Model) -> None:
    with pytest.raises(ModelError, match="colours"):
        explain_photos([photo(tmp_path, "a.jpg")], [LabelledModel("c", colours)])


@pytest.mark.parametrize("models", [[], [BRIGHT, BRIGHT]])
def test_models_need_labels_that_tell_them_apart(tmp_path: Path, models: list[LabelledModel]) -> None:
    with pytest.raises(UsageError, match="told apart"):
        explain_photos([photo(tmp_path, "a.jpg")], models)


def test_labels_are_as_short_as_they_can_be() -> None:
    one, two = BrightnessModel("one"), BrightnessModel("two")

    def labels(*models: tuple[str, Model]) -> list[str]:
        return [labelled.label for labelled in label_models(models)]

    assert labels(("x/a.safetensors", one), ("y/b.safetensors", two)) == ["one", "two"]
    assert labels(("x/a.safetensors", one), ("y/b.safetensors", one)) == ["a", "b"]
    assert labels(("x/best.safetensors", one), ("y/best.safetensors", one)) == [
        "x/best.safetensors",
        "y/best.safetensors",
    ]


def test_the_picture_has_a_row_a_photo_and_a_column_a_map(tmp_path: Path) -> None:
    paths = [photo(tmp_path, "a.jpg"), photo(tmp_path, "b.jpg", row=1)]
    one = size_of(draw_explanation(explain_photos(paths[:1], [BRIGHT])))
    both = size_of(draw_explanation(explain_photos(paths, [BRIGHT])))
    models = [BRIGHT, LabelledModel("other", BrightnessModel())]
    wide = size_of(draw_explanation(explain_photos(paths, models)))
    assert both[0] == one[0]
    assert both[1] > one[1] + 300
    assert wide[0] > both[0]
    assert draw_explanation(explain_photos(paths, [BRIGHT]), image_format="svg").startswith(b"<?xml")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Four geotagged photos of noise, described by densevlad."""
    from landfall.geo import LatLon

    root = tmp_path_factory.mktemp("indexed")
    (root / "photos").mkdir()
    for place in range(4):
        pixels = np.random.default_rng(place).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        large = pixels.repeat(10, axis=0).repeat(10, axis=1)
        write_jpeg(root / "photos" / f"{place}.jpg", large, location=LatLon(52 + place / 100, 0.5))
    build_index(str(root / "photos"), root / "i.lf", model=DenseVLAD(), spec=InputSpec(height=120, width=160))
    return Index.open(root / "i.lf", device="cpu")


def test_the_photo_that_an_index_finds_first_is_explained_after_its_query(
    index: Index, tmp_path: Path
) -> None:
    root = Path(str(index.manifest.root))
    paths = []
    for place in (2, 0):
        paths.append(tmp_path / f"query {place}.jpg")
        paths[-1].write_bytes((root / f"{place}.jpg").read_bytes())
    explanation = explain_photos(paths, [LabelledModel("densevlad", index.model)], index=index)
    # A query with an indexed photo's very bytes finds that photo.
    assert [one.photo for one in explanation.photos] == [str(paths[0]), "2.jpg", str(paths[1]), "0.jpg"]
    assert [one.retrieved_for for one in explanation.photos] == [None, str(paths[0]), None, str(paths[1])]
    assert explanation.photos[1].distance == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(explanation.photos[0].maps[0].values, explanation.photos[1].maps[0].values)
    assert size_of(draw_explanation(explanation))[1] > 1500


def test_a_retrieved_photo_that_has_gone_is_named(index: Index, tmp_path: Path) -> None:
    root = Path(str(index.manifest.root))
    query = tmp_path / "q.jpg"
    query.write_bytes((root / "3.jpg").read_bytes())
    hidden = (root / "3.jpg").rename(root / "gone")
    try:
        explanation = explain_photos([query], [LabelledModel("densevlad", index.model)], index=index)
    finally:
        hidden.rename(root / "3.jpg")
    assert [one.photo for one in explanation.photos] == [str(query)]
    assert [problem.photo for problem in explanation.failed] == ["3.jpg"]


def test_an_index_of_another_model_is_refused(index: Index, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="densevlad, which is none of the models"):
        explain_photos([photo(tmp_path, "a.jpg")], [BRIGHT], index=index)


def test_visual_results_frame_what_was_retrieved(tmp_path: Path) -> None:
    query, found = photo(tmp_path, "q.jpg"), photo(tmp_path, "f.jpg", row=1)
    other = LabelledModel("other", BrightnessModel())

    def draw(*retrieved: Retrieved | None, every_map: bool = False) -> bytes:
        answers = [ModelAnswer(m, one) for m, one in zip((BRIGHT, other), retrieved, strict=True)]
        return draw_visual(query, answers, title="t", legend="Green: within 25 m.", every_map=every_map)

    right, wrong = Retrieved(found, right=True, error_m=3.2), Retrieved(found, right=False, error_m=740.0)
    unknown = Retrieved(found)
    for pair, green, red in (
        ((right, wrong), True, True),
        ((right, None), True, False),
        ((unknown, wrong), False, True),
        ((unknown, unknown), False, False),
    ):
        png = draw(*pair)
        assert (has(png, RIGHT_COLOR), has(png, WRONG_COLOR)) == (green, red)
    # Nothing was searched: the query's row alone.
    assert size_of(draw(None, None))[1] < size_of(draw(right, wrong))[1] / 2
    assert size_of(draw(right, wrong, every_map=True))[0] > size_of(draw(right, wrong))[0]


def test_visual_results_of_a_broken_query_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"missing\.jpg"):
        draw_visual(tmp_path / "missing.jpg", [ModelAnswer(BRIGHT)], title="t")
