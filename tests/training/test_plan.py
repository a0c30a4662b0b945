"""What is told before a training starts bounds what it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.street import small_recipe

from landfall.models import create_network
from landfall.training import Machine, train
from landfall.training.data import TrainingData
from landfall.training.plan import Plan
from landfall.training.rounds import Rounds

SHAPE = (6, 8, 128)  # layer2 at 48 x 64


def plan(street: Path, **changes: object) -> Plan:
    recipe = small_recipe(**changes)
    network = create_network("resnet18", "netvlad", head_options={"clusters": 4})
    return Plan(recipe, TrainingData.load(str(street), recipe), network, SHAPE)


@pytest.mark.parametrize("strategy", ["partial", "full", "random"])
def test_no_round_describes_more_photos_than_told(street: Path, strategy: str) -> None:
    reckoned = plan(street, mining={"strategy": strategy})
    rounds = Rounds(reckoned.recipe, reckoned.data)
    planned = [rounds.plan(number) for number in range(rounds.total)]
    most = max(len(each.queries) + len(each.database) for each in planned)
    assert most <= reckoned.round_photos <= 6 + 24
    assert reckoned.round_bytes == reckoned.round_photos * 4 * 256 * 2


def test_budgets_bound_what_is_kept(street: Path) -> None:
    reckoned = plan(street, memory={"photos_mb": 0.1, "features_mb": 0.1})
    assert reckoned.kept_photos == int(0.1 * 2**20) // (48 * 64 * 3)
    assert reckoned.cached_features == int(0.1 * 2**20) // (6 * 8 * 128 * 2)
    assert reckoned.features_bytes <= 0.1 * 2**20
    everything = plan(street, memory={"features_mb": 100.0})
    assert everything.cached_features == everything.kept_photos == 56


def test_the_disk_asked_for_holds_what_is_written(street: Path, tmp_path: Path) -> None:
    changes = {"memory": {"features_mb": 8.0, "descriptors_mb": 0.0}, "schedule": {"epochs": 1}}
    train(small_recipe(**changes), street, tmp_path / "run", machine=Machine("cpu", workers=1))
    written = sum(path.stat().st_size for path in (tmp_path / "run").rglob("*") if path.is_file())
    reckoned = plan(street, **changes)
    assert written <= reckoned.disk_bytes <= written + 2**20 * 140


def test_it_is_told_in_words(street: Path) -> None:
    text = "\n".join(plan(street).lines())
    assert "24 database photos, 13 queries, of which 1 have no positive" in text
    assert "in memory" in text
    poor = "\n".join(plan(street, memory={"descriptors_mb": 0.0, "features_mb": 1.0}).lines())
    assert "mapped from a file" in poor
    assert "Frozen features: 56 of 56" in poor
