"""What a model gave on a test set, kept and read again, in the order of the photos' names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.datasets import Dataset, PhotoSet
from landfall.evaluation import Evaluation, evaluate_descriptors
from landfall.experiments.paper.measured import (
    NOTHING,
    Measurement,
    distances_measured,
    first_right,
    name_order,
)
from landfall.geo import Positions

KS = (1, 5, 10, 20)
ROOT = Path("nowhere")
DATABASE, QUERIES = 40, 12


def photos(prefix: str, east_m: NDArray[np.float64], order: NDArray[np.int64]) -> PhotoSet:
    names = tuple(f"{prefix}{row:02}.jpg" for row in order)
    return PhotoSet.of(ROOT, names, Positions.planar(east_m[order], np.zeros(len(order))))


def street(shuffled: bool) -> tuple[Dataset, Evaluation]:
    """Return the same street of the same descriptors, its photos listed by name or in any order."""
    rng = np.random.default_rng(3)
    east = rng.uniform(0, 400, DATABASE), rng.uniform(0, 400, QUERIES)
    descriptors = [rng.normal(size=(count, 4)).astype(np.float32) for count in (DATABASE, QUERIES)]
    orders = [rng.permutation(count) if shuffled else np.arange(count) for count in (DATABASE, QUERIES)]
    database, queries = (
        photos(prefix, each, order) for prefix, each, order in zip("dq", east, orders, strict=True)
    )
    dataset = Dataset("street", "test", "standard", ROOT, database, queries)
    described = [each[order] for each, order in zip(descriptors, orders, strict=True)]
    return dataset, evaluate_descriptors(dataset, *described, thresholds_m=(25.0, 10.0), ks=KS)


def test_the_first_right_rank_says_all_that_hits_say() -> None:
    hits = np.array([[0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 1]], dtype=bool)
    assert first_right(hits, KS).tolist() == [10, 1, 0, 20]
    dataset, evaluation = street(shuffled=False)
    measured = Measurement.of(evaluation, dataset).within(25.0)
    np.testing.assert_array_equal(measured.hits, evaluation.thresholds[0].hits)
    assert measured.recall == pytest.approx(evaluation.thresholds[0].recall)


def test_it_comes_back_from_its_file() -> None:
    dataset, evaluation = street(shuffled=False)
    measurement = Measurement.of(evaluation, dataset)
    read = Measurement.from_dict(json.loads(json.dumps(measurement.to_dict())))
    assert read.to_dict() == measurement.to_dict()
    assert [each.threshold_m for each in read.at] == [25.0, 10.0]
    assert read.within(10.0).protocol == evaluation.thresholds[1].protocol.hash
    with pytest.raises(KeyError):
        read.within(50.0)


def test_the_order_in_which_photos_are_listed_does_not_matter() -> None:
    dataset, evaluation = street(shuffled=False)
    plain = Measurement.of(evaluation, dataset)
    other_dataset, other_evaluation = street(shuffled=True)
    assert other_dataset.queries.names != dataset.queries.names
    shuffled = Measurement.of(other_evaluation, other_dataset)
    for first, second in zip(plain.at, shuffled.at, strict=True):
        assert first.protocol == second.protocol
        np.testing.assert_array_equal(first.first_right, second.first_right)
        # Spots are numbered by their first photo; which queries share one is the same.
        np.testing.assert_array_equal(
            first.spots[:, None] == first.spots, second.spots[:, None] == second.spots
        )
    np.testing.assert_array_equal(plain.first_match, shuffled.first_match)
    order = name_order(other_dataset.database)
    assert [other_dataset.database.names[row] for row in order] == sorted(other_dataset.database.names)


def test_a_query_without_a_match_has_none() -> None:
    dataset, evaluation = street(shuffled=False)
    ranked = evaluation.ranked.copy()
    ranked[4] = -1
    measurement = Measurement.of(replace(evaluation, ranked=ranked), dataset)
    assert measurement.first_match[4] == NOTHING
    assert (np.delete(measurement.first_match, 4) == np.delete(evaluation.ranked[:, 0], 4)).all()


def test_every_distance_of_every_experiment_is_measured_at_once() -> None:
    assert distances_measured() == (25.0, 10.0, 50.0)
