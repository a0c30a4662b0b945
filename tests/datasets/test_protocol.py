from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landfall.datasets import Dataset, PhotoSet, Protocol
from landfall.errors import UsageError
from landfall.geo import Positions


def dataset(
    root: str = "here", names: tuple[str, ...] = ("a.jpg", "b.jpg"), east: tuple[float, ...] = (0.0, 40.0)
) -> Dataset:
    database = PhotoSet.of(Path(root), names, Positions.planar(east, np.zeros(len(east))))
    queries = PhotoSet.of(Path(root), ("q.jpg",), Positions.planar([1.0], [0.0]))
    return Dataset("town", "test", "standard", Path(root), database, queries)


def test_the_name_says_what_and_how() -> None:
    assert Protocol.of(dataset()).name == "town/test 25 m, all queries"
    assert Protocol.of(replace(dataset(), split=None), [50, 10.5]).name == "town 10.5, 50 m, all queries"


@pytest.mark.parametrize(
    "same",
    [
        dataset(root="elsewhere"),
        dataset(names=("b.jpg", "a.jpg"), east=(40.0, 0.0)),
        dataset(east=(0.0, 40.0 + 1e-5)),
        replace(dataset(), name="another name", layout="table"),
    ],
    ids=["root", "order", "below a millimetre", "name"],
)
def test_the_hash_stays(same: Dataset) -> None:
    assert Protocol.of(same).hash == Protocol.of(dataset()).hash


def test_the_hash_changes_with_all_that_changes_a_recall() -> None:
    others: list[tuple[Dataset, dict[str, Any]]] = [
        (dataset(), {}),
        (dataset(names=("a.jpg", "c.jpg")), {}),
        (dataset(east=(0.0, 40.001)), {}),
        (dataset(east=(0.0, float("nan"))), {}),
        (dataset(names=("a.jpg",), east=(0.0,)), {}),
        (replace(dataset(), queries=dataset().database, database=dataset().queries), {}),
        (dataset(), {"thresholds_m": (10.0,)}),
        (dataset(), {"thresholds_m": (10.0, 25.0)}),
        (dataset(), {"denominator": "queries with a positive"}),
    ]
    hashes = [Protocol.of(each, **options).hash for each, options in others]
    assert len(set(hashes)) == len(hashes)


def test_zones_are_part_of_a_position() -> None:
    def in_zone(zone: int, south: bool) -> str:
        positions = Positions.from_utm([500_000.0], [5_000_000.0], zone, south)
        return Protocol.of(replace(dataset(), database=PhotoSet.of(Path(), ("a.jpg",), positions))).hash

    assert len({in_zone(31, False), in_zone(32, False), in_zone(31, True)}) == 3


@pytest.mark.parametrize("thresholds", [(), (0.0,), (-1.0,), (float("nan"),)])
def test_thresholds_must_be_distances(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="positive numbers of metres"):
        Protocol.of(dataset(), thresholds)


def test_an_unknown_denominator_is_refused() -> None:
    with pytest.raises(UsageError, match="'some'"):
        Protocol.of(dataset(), denominator="some")  # type: ignore[arg-type]
