"""What is measured of an index's honesty, on a made-up street with a database and strangers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.localization.calibration.conftest import make_world

from landfall.datasets import Dataset, PhotoSet
from landfall.evaluation import Evaluation, evaluate_descriptors
from landfall.experiments.certainty import measure_certainty
from landfall.geo import Positions
from landfall.localization.calibration import Calibration, NoCalibration

WORLD = make_world(300, step_m=8.0, views=2, noise=0.7)
INDEXED = np.flatnonzero(np.arange(600) // 2 % 3 != 0)


def photos(side: str, east_m: np.ndarray, *, known: np.ndarray | None = None) -> PhotoSet:
    east = east_m if known is None else np.where(known, east_m, np.nan)
    positions = Positions.planar(east, np.where(np.isnan(east), np.nan, 0.0))
    return PhotoSet.of(Path("/nowhere") / side, tuple(f"{i:04}.jpg" for i in range(len(east))), positions)


def split(known: np.ndarray | None = None) -> tuple[Dataset, np.ndarray, np.ndarray]:
    """Every third spot's photos are queries; returns the descriptors of both sides, too."""
    east = WORLD.positions.east_m
    asked = np.setdiff1d(np.arange(600), INDEXED)
    dataset = Dataset(
        name="street",
        split="test",
        layout="standard",
        root=Path("/nowhere"),
        database=photos("database", east[INDEXED], known=known),
        queries=photos("queries", east[asked]),
    )
    return dataset, WORLD.descriptors[INDEXED], WORLD.look(east[asked], 5)


def evaluated(dataset: Dataset, database: np.ndarray, queries: np.ndarray) -> Evaluation:
    return evaluate_descriptors(dataset, database, queries)


def test_it_is_learned_from_the_database_and_measured_on_the_queries() -> None:
    dataset, database, queries = split()
    got = measure_certainty(
        dataset, database, np.arange(len(database)), evaluated(dataset, database, queries)
    )
    assert isinstance(got.calibration, Calibration)
    assert got.result is not None
    assert got.result.queries == 200
    assert got.result.reliability.error <= got.result.floor + 0.05
    told = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert told["learned"]["photos"] == 400
    assert told["measured"]["queries"] == 200
    assert "Calibrated on" in got.to_lines()[0]


def test_the_queries_positions_change_what_is_measured_but_not_what_is_learned() -> None:
    dataset, database, queries = split()
    evaluation = evaluated(dataset, database, queries)
    rows = np.arange(len(database))
    got = measure_certainty(dataset, database, rows, evaluation)
    away = Dataset(
        name="street",
        split="test",
        layout="standard",
        root=Path("/nowhere"),
        database=dataset.database,
        queries=photos("queries", dataset.queries.positions.east_m + 40_000.0),
    )
    moved = measure_certainty(away, database, rows, evaluation)
    assert moved.calibration == got.calibration
    assert moved.result is not None
    assert moved.result.right_share == 0.0
    assert moved.result.radius_queries == 0


def test_photos_without_a_position_neither_teach_nor_vote() -> None:
    known = np.ones(400, np.bool_)
    known[::10] = False
    dataset, database, queries = split(known)
    evaluation = evaluated(dataset, database, queries)
    got = measure_certainty(dataset, database, np.arange(400), evaluation)
    assert isinstance(got.calibration, Calibration)
    assert got.calibration.photos == 360
    assert got.result is not None
    assert np.isfinite(got.result.reliability.said).all()


def test_a_database_that_teaches_nothing_says_why() -> None:
    dataset, database, queries = split()
    few = np.arange(40)
    small = Dataset(
        name="street",
        split="test",
        layout="standard",
        root=Path("/nowhere"),
        database=dataset.database.take(few),
        queries=dataset.queries,
    )
    got = measure_certainty(small, database[few], few, evaluated(small, database[few], queries))
    assert isinstance(got.calibration, NoCalibration)
    assert got.result is None
    assert got.to_dict() == {
        "learned": None,
        "reason": got.calibration.reason,
        "measured": None,
        "elsewhere": None,
    }
    assert got.to_lines()[0].startswith("No confidence is given")


def test_photos_of_another_town_are_seldom_accepted() -> None:
    dataset, database, queries = split()
    other = make_world(300, step_m=8.0, noise=0.7, seed=41)
    got = measure_certainty(
        dataset,
        database,
        np.arange(400),
        evaluated(dataset, database, queries),
        strangers=other.descriptors[:200],
    )
    assert got.strangers is not None
    assert got.strangers.photos == 200
    assert got.strangers.accepted_share <= 0.2
    assert got.result is not None
    assert got.result.accepted_share > 2 * got.strangers.accepted_share
    assert got.to_dict()["elsewhere"]["photos"] == 200
    assert "200 photos from elsewhere" in got.to_lines()[-1]


@pytest.mark.parametrize("seed", [0, 3])
def test_a_seed_gives_the_same_numbers_again(seed: int) -> None:
    dataset, database, queries = split()
    evaluation = evaluated(dataset, database, queries)
    once, again = (
        measure_certainty(dataset, database, np.arange(400), evaluation, seed=seed).to_dict()
        for _ in range(2)
    )
    assert once == again
