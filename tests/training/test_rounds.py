"""Epochs and rounds: each usable query once, no index shifted, triplets as a plain loop finds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.training.street import small_recipe

from landfall.models import Network, create_network
from landfall.training.data import TrainingData
from landfall.training.describing import Describer, DescriptorSpace
from landfall.training.inputs import InputReader
from landfall.training.photo_cache import PhotoCache
from landfall.training.rounds import Rounds


@pytest.fixture
def data(street: Path) -> TrainingData:
    return TrainingData.load(str(street), small_recipe())


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return create_network("resnet18", "netvlad", head_options={"clusters": 4}, height=48, width=64)


@pytest.fixture
def describer(data: TrainingData, network: Network) -> Iterator[Describer]:
    photos = PhotoCache(data.paths, height=48, width=64, budget_bytes=10**7, workers=1)
    yield Describer(network, InputReader(photos, None), batch_size=5, bf16=False)
    photos.close()


def unheard(done: int, total: int) -> None:
    pass


def test_the_planted_query_without_a_positive_is_left_out_and_shifts_nothing(data: TrainingData) -> None:
    # Its name sorts first, so that row 0 is the one that has no positive.
    assert len(data.positives[0]) == 0
    assert data.usable.tolist() == list(range(1, 13))
    assert data.unusable == 1
    for query in data.usable.tolist():
        north = data.train.queries.positions.east_m[query]
        found = data.train.database.positions.east_m[data.positives[query]]
        assert np.abs(found - north).max() <= 10.0


def test_an_epoch_shows_each_usable_query_once_in_a_new_order(data: TrainingData) -> None:
    rounds = Rounds(small_recipe(mining={"queries_per_round": 5}), data)
    assert (rounds.per_epoch, rounds.total) == (3, 6)
    epochs = [
        np.concatenate([rounds.queries(number) for number in range(first, first + 3)]) for first in (0, 3)
    ]
    assert [len(rounds.queries(number)) for number in range(3)] == [5, 5, 2]
    # In steps of two: 3 + 3 + 1.
    assert rounds.steps_per_epoch == 7
    for queries in epochs:
        assert sorted(queries.tolist()) == data.usable.tolist()
    assert epochs[0].tolist() != epochs[1].tolist()


def test_an_epoch_is_no_longer_than_asked(data: TrainingData) -> None:
    rounds = Rounds(small_recipe(mining={"queries_per_epoch": 7, "queries_per_round": 5}), data)
    shown = np.concatenate([rounds.queries(0), rounds.queries(1)])
    assert len(shown) == len(set(shown.tolist())) == 7


def test_a_round_is_the_same_whatever_was_asked_before(data: TrainingData) -> None:
    recipe = small_recipe()
    first = Rounds(recipe, data).plan(3)
    Rounds(recipe, data).plan(0)
    again = Rounds(recipe, data).plan(3)
    assert first.queries.tolist() == again.queries.tolist()
    assert first.sample.tolist() == again.sample.tolist()


def plain_descriptors(network: Network, describer: Describer, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """One photo at a time, by the network's own describe."""
    return np.concatenate(
        [network.describe(describer.reader.photos.read(rows[[i]])) for i in range(len(rows))]
    )


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("in_memory", [True, False])
def test_triplets_are_those_of_a_plain_loop(
    data: TrainingData, network: Network, describer: Describer, tmp_path: Path, half: bool, in_memory: bool
) -> None:
    rounds = Rounds(small_recipe(), data)
    space = DescriptorSpace(tmp_path, network.card.descriptor_dim, half, 10**8 if in_memory else 0)
    assert space.in_memory(5) == in_memory
    told: list[tuple[int, int]] = []
    found = rounds.mine(1, describer, space, lambda done, total: told.append((done, total)))
    assert list(tmp_path.iterdir()) == [], "a round's descriptors are let go after it"
    planned = rounds.plan(1)
    assert told[-1] == (len(planned.queries) + len(planned.database),) * 2

    assert found.queries.tolist() == planned.queries.tolist()
    database = plain_descriptors(network, describer, np.arange(len(data.train.database)))
    for query, positive, negatives in zip(
        found.queries.tolist(), found.positives.tolist(), found.negatives, strict=True
    ):
        own = plain_descriptors(network, describer, data.query_rows[[query]])[0]
        distances = np.linalg.norm(database - own, axis=1)
        assert positive == min(data.positives[query], key=lambda row: distances[row])
        allowed = [row for row in planned.sample.tolist() if row not in data.excluded[query]]
        assert negatives.tolist() == sorted(allowed, key=lambda row: distances[row])[:3]


def test_describing_leaves_the_network_as_it_was(
    data: TrainingData, network: Network, describer: Describer
) -> None:
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    into = np.empty((7, network.card.descriptor_dim), np.float32)
    describer.describe(np.arange(7), into)
    assert modes == [module.training for module in network.modules()]
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    np.testing.assert_allclose(into, plain_descriptors(network, describer, np.arange(7)), atol=1e-5)
