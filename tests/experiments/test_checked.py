"""The geometric check measured on a split whose retrieval is planted, with one query led astray."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.experiments.conftest import save
from tests.localization.geometry.conftest import draw  # noqa: F401 - a fixture

from landfall.datasets import Dataset, load_dataset
from landfall.evaluation import Evaluation, evaluate_descriptors
from landfall.experiments.checked import measure_checked
from landfall.localization.calibration import NoCalibration

PLACES = 6
DESCRIPTORS = np.eye(PLACES, dtype=np.float32)


@pytest.fixture
def street(tmp_path: Path, draw: Callable[..., NDArray[np.uint8]]) -> Dataset:  # noqa: F811
    """Six places 100 m apart, each seen once in the database and once, from a little aside, by a query."""
    from PIL import Image

    for place in range(PLACES):
        seen = draw(place)
        save(tmp_path / "database", Image.fromarray(seen), 100.0 * place, "database")
        aside = np.roll(seen, (2, 4), axis=(0, 1))
        save(tmp_path / "queries", Image.fromarray(aside), 100.0 * place + 3.0, "query")
    return load_dataset(tmp_path)


@pytest.fixture
def evaluation(street: Dataset) -> Evaluation:
    """All queries find their place first, but query 0: it finds place 3 first and its own second."""
    queries = DESCRIPTORS.copy()
    queries[0, [0, 3]] = 0.6, 0.8
    return evaluate_descriptors(street, DESCRIPTORS, queries)


def test_the_check_puts_the_photo_of_the_same_place_first(street: Dataset, evaluation: Evaluation) -> None:
    assert evaluation.recall[1] == pytest.approx(100 * 5 / 6)
    told: list[tuple[int, int]] = []
    got = measure_checked(
        street, DESCRIPTORS, np.arange(PLACES), evaluation, advance=lambda *counts: told.append(counts)
    )
    assert got.evaluation.recall[1] == 100.0
    assert got.gain == pytest.approx(100 / 6)
    assert got.evaluation.ranked[0, :2].tolist() == [0, 3]
    assert got.evaluation.errors_m.max() == pytest.approx(3.0, abs=0.01)
    assert told[-1] == (6, 0)
    # Six photos calibrate nothing.
    assert got.certainty is not None
    assert isinstance(got.certainty.calibration, NoCalibration)
    written = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert written["recall"]["1"] == 100.0
    assert written["seconds_per_query"] > 0
    assert "R@1 +16.7 points" in got.to_lines()[0]


def test_photos_that_are_gone_change_nothing(street: Dataset, evaluation: Evaluation) -> None:
    for path in street.database.paths:
        path.unlink()
    got = measure_checked(street, DESCRIPTORS, np.arange(PLACES), evaluation)
    assert got.gain == 0.0
    np.testing.assert_array_equal(got.evaluation.ranked, evaluation.ranked)
