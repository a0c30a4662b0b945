from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.extraction.conftest import GridModel, write_photo

from landfall import photos
from landfall.errors import ModelError, PhotoError, UsageError
from landfall.extraction import Timing, describe, stream
from landfall.extraction.stream import batches_ahead
from landfall.photos import InputSpec, load_photo


def test_descriptors_are_the_plain_loops_photo_by_photo(model: GridModel, paths: list[Path]) -> None:
    described = describe(paths, model, batch_size=4)
    expected = [model.by_hand(load_photo(path, model.card.input_spec).pixels) for path in paths]
    np.testing.assert_array_equal(described, np.stack(expected))
    assert described.dtype == np.float32


def test_batches_are_fixed_runs_of_rows_in_order(model: GridModel, paths: list[Path]) -> None:
    batches = list(stream(paths, model, batch_size=4, workers=3))
    assert [batch.rows.tolist() for batch in batches] == [
        list(range(start, min(start + 4, 22))) for start in range(0, 22, 4)
    ]
    hashes = [hash_ for batch in batches for hash_ in batch.content_hashes]
    assert hashes == [photos.content_hash(path) for path in paths]


def test_a_broken_photo_is_told_of_and_the_rest_of_its_batch_goes_on(
    model: GridModel, broken_paths: list[Path]
) -> None:
    batches = list(stream(broken_paths, model, batch_size=4))
    failed = dict(failure for batch in batches for failure in batch.failed)
    assert sorted(failed) == [5, 6, 21]
    assert "no such file" in failed[6]
    assert batches[1].rows.tolist() == [4, 7]
    assert batches[1].descriptors.shape == (2, 48)
    assert len(batches[1].content_hashes) == 2
    # Photos beside broken ones are described as they are alone.
    np.testing.assert_array_equal(batches[1].descriptors[1:], describe([broken_paths[7]], model))


def test_a_batch_of_broken_photos_alone_never_reaches_the_model(model: GridModel, tmp_path: Path) -> None:
    (batch,) = stream([tmp_path / "a.jpg", tmp_path / "b.jpg"], model)
    assert batch.descriptors.shape == (0, 48)
    assert [row for row, _ in batch.failed] == [0, 1]
    assert model.shapes == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error"), "Input/output error"),
        (MemoryError(), "memory"),
        (RuntimeError("odd"), "RuntimeError: odd"),
    ],
)
def test_whatever_reading_raises_fails_that_photo_alone(
    model: GridModel, paths: list[Path], monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def load(path: Path, spec: InputSpec) -> photos.LoadedPhoto:
        if path == paths[2]:
            raise error
        return load_photo(path, spec)

    monkeypatch.setattr(photos, "load_photo", load)
    batch = next(iter(stream(paths[:4], model)))
    ((row, told),) = batch.failed
    assert row == 2
    assert reason in told
    assert batch.rows.tolist() == [0, 1, 3]


def test_describe_raises_for_a_broken_photo_by_its_path(model: GridModel, broken_paths: list[Path]) -> None:
    with pytest.raises(PhotoError) as caught:
        describe(broken_paths, model)
    assert caught.value.photo == str(broken_paths[5])


def test_describing_nothing_gives_no_rows(model: GridModel) -> None:
    assert describe([], model).shape == (0, 48)


def test_no_more_batches_are_decoded_than_promised_while_the_network_is_busy(
    model: GridModel, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = 0
    lock = threading.Lock()

    def load(path: Path, spec: InputSpec) -> photos.LoadedPhoto:
        nonlocal decoded
        with lock:
            decoded += 1
        return load_photo(path, spec)

    monkeypatch.setattr(photos, "load_photo", load)
    workers, batch_size = 4, 2
    taken = 0
    for batch in stream(paths, model, batch_size=batch_size, workers=workers):
        taken += len(batch.rows)
        time.sleep(0.02)  # the decoders could run far ahead meanwhile
        assert decoded - taken <= batches_ahead(workers, batch_size) * batch_size
    assert taken == decoded == len(paths)


def test_stopping_early_leaves_no_thread_behind(model: GridModel, paths: list[Path]) -> None:
    before = threading.active_count()
    batches = stream(paths, model, batch_size=2)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_photos_keep_their_own_size_in_batches_of_one_size(tmp_path: Path) -> None:
    sizes = [(40, 32), (64, 48), (40, 32), (32, 40), (64, 48), (40, 32)]
    paths = [write_photo(tmp_path / f"{i}.png", i, size) for i, size in enumerate(sizes)]
    (tmp_path / "0b.png").write_text("text", encoding="utf-8")
    paths.insert(1, tmp_path / "0b.png")
    model = GridModel(height=None, width=None)
    batches = list(stream(paths, model, batch_size=2))
    assert [batch.rows.tolist() for batch in batches] == [[0, 3], [6], [2, 5], [4], []]
    assert [row for row, _ in batches[-1].failed] == [1]
    assert model.shapes == [(2, 32, 40, 3), (1, 32, 40, 3), (2, 48, 64, 3), (1, 40, 32, 3)]


def test_a_photo_of_another_size_than_its_header_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_photo(tmp_path / f"{i}.png", i) for i in range(3)]

    def load(path: Path, spec: InputSpec) -> photos.LoadedPhoto:
        return load_photo(path, InputSpec(10, 10) if path == paths[1] else spec)

    monkeypatch.setattr(photos, "load_photo", load)
    (batch,) = stream(paths, GridModel(height=None, width=None))
    assert batch.rows.tolist() == [0, 2]
    assert batch.failed == ((1, "is 10x10, not the size that its header gave"),)


def test_a_descriptor_that_is_not_finite_fails_its_photo(paths: list[Path]) -> None:
    class Odd(GridModel):
        def describe(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            described = super().describe(images)
            described[1, 3] = np.nan
            return described

    batch = next(iter(stream(paths[:3], Odd())))
    assert batch.rows.tolist() == [0, 2]
    assert len(batch.content_hashes) == 2
    assert [row for row, _ in batch.failed] == [1]


def test_a_model_that_belies_its_card_is_refused(paths: list[Path]) -> None:
    class Short(GridModel):
        def describe(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().describe(images)[:, :7]

    with pytest.raises(ModelError, match=r"\(3, 7\).*\(3, 48\)"):
        list(stream(paths[:3], Short()))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"workers": 0}])
def test_counts_below_one_are_refused(model: GridModel, paths: list[Path], options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        stream(paths, model, **options)


def test_the_time_in_the_network_is_told(paths: list[Path]) -> None:
    timing = Timing()
    list(stream(paths[:4], GridModel(seconds=0.02), batch_size=2, timing=timing))
    assert timing.network_s >= 0.04  # two batches that sleep 0.02 s each
    assert sum(timing.shares().values()) == pytest.approx(1)
