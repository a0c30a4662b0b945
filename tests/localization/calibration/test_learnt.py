"""Who plays the queries of a model that has learnt from the indexed photos."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.localization.calibration.conftest import make_world

from landfall.datasets import spots
from landfall.localization.calibration import Calibration, LearntFrom, calibrate
from landfall.localization.calibration.learnt import ENOUGH_STRANGERS
from landfall.models.fit_sample import FitSample

COUNT = 8
COPIES = 400  # photos of a world of 200 places


def hashes(count: int) -> list[str]:
    return [f"{number:032x}" for number in range(count)]


def sample_of(vectors: np.ndarray, names: list[str]) -> FitSample:
    return FitSample.of(torch.from_numpy(vectors.astype(np.float32)), names, dim=1000, shrinkage=1.0)


@pytest.fixture
def vectors() -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(COUNT, 20))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def test_photos_of_the_fit_are_found_by_their_content(vectors: np.ndarray) -> None:
    names = hashes(COUNT)
    shuffled = ["f" * 32, names[5], names[2], "e" * 32, names[2]]
    learnt = LearntFrom.of(sample_of(vectors, names), shuffled, np.arange(5))
    assert learnt.rows.tolist() == [1, 2]  # the second photo of the same content is not of the fit
    assert learnt.members.tolist() == [5, 2]
    assert learnt.strangers.tolist() == [0, 3, 4]
    kept = learnt.among(np.array([False, True, False, True, True]))
    assert (kept.rows.tolist(), kept.members.tolist(), len(kept.spots)) == ([0], [5], 3)


def test_a_photo_held_out_finds_those_of_other_folds_nearest_first(vectors: np.ndarray) -> None:
    names = hashes(COUNT)
    where = np.array([9, 0, 0, 1, 2, 3, 4, 5, 6])
    learnt = LearntFrom.of(sample_of(vectors, names), ["f" * 32, *names], where)
    distances, rows = learnt.search(np.array([1, 4]), COUNT)
    assert (np.sort(distances, axis=1) == distances).all()
    assert not np.isin(0, rows)  # was not of the fit
    found = rows[0][np.isfinite(distances[0])]
    assert not np.isin(found, [1, 2]).any()  # its own spot is held out with it
    assert set(found.tolist()) == {3, 4, 5, 6, 7, 8}


@pytest.mark.parametrize(
    ("fitted", "others", "play"),
    [(400, 0, False), (400, ENOUGH_STRANGERS - 1, False), (400, ENOUGH_STRANGERS, True), (50, 60, True)],
)
def test_strangers_play_where_there_are_enough(fitted: int, others: int, play: bool) -> None:
    sample = FitSample(np.zeros((fitted, 16), np.uint8), np.zeros((fitted, fitted), np.float32), 5, 1.0)
    learnt = LearntFrom(sample, np.arange(fitted), np.arange(fitted), np.arange(fitted + others))
    assert learnt.strangers_play is play


def test_an_index_of_the_fit_alone_is_calibrated_by_photos_that_are_held_out() -> None:
    world = make_world(200)
    vectors = world.descriptors.astype(np.float64)
    where = spots(world.positions)
    learnt = LearntFrom.of(sample_of(vectors, hashes(COPIES)), hashes(COPIES), where)
    places = world.positions, world.taken_s, world.heading_deg
    plain = calibrate(world.descriptors, *places)
    told = calibrate(world.descriptors, *places, learnt=learnt, known_too_well=True)
    assert isinstance(plain, Calibration)
    assert isinstance(told, Calibration)
    # A whitening of 20 numbers by 400 photos is next to the same without a tenth of them.
    assert told.sample == plain.sample == COPIES
    assert told.right_share == pytest.approx(plain.right_share, abs=0.1)
