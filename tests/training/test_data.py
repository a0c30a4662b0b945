"""Which photos are queries of a training, and what is near to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.street import small_recipe

from landfall.training import Machine, train
from landfall.training.data import TrainingData


def load(street: Path, *, database_queries: bool, radius_m: float = 10.0) -> TrainingData:
    data = {"database_queries": database_queries, "train_radius_m": radius_m}
    return TrainingData.load(str(street), small_recipe(data=data))


def test_queries_are_the_split_s_own_unless_the_database_plays_them_too(street: Path) -> None:
    plain, both = load(street, database_queries=False), load(street, database_queries=True)
    photos = plain.paths
    # 12 places of two database photos each, a query of each, and one query far from all.
    assert [photos[row] for row in plain.query_rows] == plain.train.queries.paths
    assert [photos[row] for row in both.query_rows] == both.train.queries.paths + both.train.database.paths
    assert (len(plain.usable), plain.unusable) == (12, 1)
    assert (len(both.usable), both.unusable) == (12 + 24, 1)
    for query in range(len(plain.query_rows)):
        np.testing.assert_array_equal(both.positives[query], plain.positives[query])
        np.testing.assert_array_equal(both.excluded[query], plain.excluded[query])


def test_a_database_photo_s_positives_are_near_and_of_another_spot(street: Path) -> None:
    data = load(street, database_queries=True)
    east = data.train.database.positions.east_m
    for row in range(len(east)):
        query = len(data.train.queries) + row
        apart_m = np.abs(east - east[row])
        # By the definition, photo by photo: the place's other photo stands 5 m away.
        np.testing.assert_array_equal(
            data.positives[query], np.flatnonzero((apart_m > 0.005) & (apart_m <= 10))
        )
        assert len(data.positives[query]) == 1
        np.testing.assert_array_equal(data.excluded[query], np.flatnonzero(apart_m <= 25))


def test_a_database_photo_alone_at_its_place_is_no_query(street: Path) -> None:
    assert (load(street, database_queries=True, radius_m=4.0).usable < 13).all()


def test_training_goes_through_the_database_s_photos(street: Path, tmp_path: Path) -> None:
    recipe = small_recipe(data={"database_queries": True}, mining={"queries_per_round": 50})
    result = train(recipe, street, tmp_path / "run", machine=Machine("cpu", workers=1))
    # 36 queries in steps of two.
    assert [record.step for record in result.state.epochs] == [0, 18, 36]


def test_validation_counts_the_database_s_photos_as_queries_too(street: Path, tmp_path: Path) -> None:
    def recall(name: str, *, database_queries: bool) -> dict[int, float]:
        recipe = small_recipe(data={"database_queries": database_queries}, schedule={"epochs": 1})
        result = train(recipe, street, tmp_path / name, machine=Machine("cpu", workers=1))
        return result.state.epochs[0].recall

    # Six of seven queries have a positive, and so have all twelve database photos: 6/7, and 18/19.
    # Of 12 database photos one is found among the first 20 in any case.
    assert recall("plain", database_queries=False)[20] == pytest.approx(100 * 6 / 7)
    assert recall("both", database_queries=True)[20] == pytest.approx(100 * 18 / 19)
