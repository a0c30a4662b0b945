from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.geo import Neighbours
from landfall.mining import Round, Triplets, distances, mine, nearest, plan_round, usable_queries

MakeStreet = Callable[..., Any]
Descriptors = NDArray[np.float32]
METRES = np.arange(0.0, 400.0, 4.0)


def described(street: Any, planned: Round) -> tuple[Descriptors, Descriptors]:
    """The descriptors of a round's queries and database photos."""
    queries, database = street.of(planned)
    return queries, database


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def distance(a: Descriptors, b: Descriptors) -> float:
    return float(np.sqrt(((a.astype(np.float64) - b.astype(np.float64)) ** 2).sum()))


def candidates(street: Any, planned: Round, place: int) -> list[int]:
    """The rows that may be a query's negatives, by plain loops over metres."""
    at_m = street.queries_m[planned.queries[place]]
    rows = {*planned.sample.tolist(), *(row for row in planned.hardest[place].tolist() if row >= 0)}
    radius_m = max(street.excluded.radius_m, street.positives.radius_m)
    return [row for row in sorted(rows) if abs(street.database_m[row] - at_m) > radius_m]


def check_against_loops(street: Any, planned: Round, triplets: Triplets, count: int) -> None:
    """Every triplet against plain loops; of equal distances any photo may be taken."""
    assert triplets.queries.tolist() == planned.queries.tolist()
    assert triplets.negatives.shape == (len(triplets), count)
    for place, query in enumerate(planned.queries):
        described = street.queries[query]
        at_m = street.queries_m[query]
        near = [r for r, x in enumerate(street.database_m) if abs(x - at_m) <= street.positives.radius_m]
        assert triplets.positives[place] in near
        least = min(distance(described, street.database[row]) for row in near)
        found = distance(described, street.database[triplets.positives[place]])
        assert found == pytest.approx(least, rel=1e-6)
        far = candidates(street, planned, place)
        taken = triplets.negatives[place].tolist()
        assert set(taken) <= set(far)
        assert len(set(taken)) == count
        expected = sorted(distance(described, street.database[row]) for row in far)[:count]
        away = [distance(described, street.database[row]) for row in taken]
        np.testing.assert_allclose(away, expected, rtol=1e-5, atol=1e-6)


@given(
    database=st.integers(8, 70),
    queries=st.integers(1, 25),
    dim=st.integers(1, 12),
    sample=st.integers(4, 80),
    count=st.integers(1, 4),
    block_rows=st.integers(1, 80),
    values=st.sampled_from([0, 2]),
    strategy=st.sampled_from(["partial", "full"]),
    with_hardest=st.booleans(),
    train_radius_m=st.sampled_from([10.0, 40.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_plain_loops(
    street: MakeStreet,
    database: int,
    queries: int,
    dim: int,
    sample: int,
    count: int,
    block_rows: int,
    values: int,
    strategy: str,
    with_hardest: bool,
    train_radius_m: float,
    seed: int,
) -> None:
    # Values of 0 and 1 lie at few distances, so that nearly every photo is tied with many. A train radius
    # beyond the excluded one must not make negatives of positives.
    chance = rng(seed)
    metres = chance.uniform(0, 600, database), chance.uniform(0, 600, queries)
    made = street(*metres, dim=dim, seed=seed, values=values, train_radius_m=train_radius_m)
    hardest = chance.integers(-1, database, (queries, 3)) if with_hardest else None
    usable = chance.permutation(np.flatnonzero(made.positives.counts))
    planned = plan_round(
        strategy, usable, made.positives, database, rng=chance, sample=sample, hardest=hardest
    )
    enough = [place for place in range(len(usable)) if len(candidates(made, planned, place)) >= count]
    planned = dataclasses.replace(planned, queries=usable[enough], hardest=planned.hardest[enough])
    triplets = mine(
        planned,
        *described(made, planned),
        made.positives,
        made.excluded,
        negatives=count,
        device="cpu",
        block_rows=block_rows,
    )
    check_against_loops(made, planned, triplets, count)


def test_blocks_of_any_size_give_the_same_triplets(
    street: MakeStreet, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = street(METRES, METRES[::2] + 1)
    planned = plan_round("full", np.arange(50), made.positives, 100, rng=rng())

    def mined(block_rows: int | None) -> Triplets:
        return mine(planned, *described(made, planned), made.positives, made.excluded, block_rows=block_rows)

    whole = mined(None)
    check_against_loops(made, planned, whole, 10)
    monkeypatch.setattr(nearest, "QUERY_CHUNK", 7)
    monkeypatch.setattr(distances, "CACHED_BYTES", 1000)
    for block_rows in (1, 9, 1000):
        again = mined(block_rows)
        np.testing.assert_array_equal(again.negatives, whole.negatives)
        np.testing.assert_array_equal(again.positives, whole.positives)


def test_dropped_queries_do_not_shift_the_others(street: MakeStreet) -> None:
    # Planted: queries 0, 2 and 5 stand where no database photo is, and every other query's descriptor is that
    # of exactly one database photo at its place. If rows were counted anew after the three are dropped, query
    # 1 would take query 0's positives, of which there are none, and its own positive would be no positive.
    queries_m = np.array([5000.0, 100.0, 6000.0, 200.0, 300.0, 7000.0, 380.0])
    made = street(METRES, queries_m)
    rows = {1: 25, 3: 50, 4: 75, 6: 95}
    for query, row in rows.items():
        assert made.database_m[row] == queries_m[query]
        made.queries[query] = made.database[row]
    usable = usable_queries(made.positives)
    assert usable.tolist() == [1, 3, 4, 6]
    planned = plan_round("full", usable, made.positives, 100, rng=rng())
    triplets = mine(planned, *described(made, planned), made.positives, made.excluded)
    assert triplets.queries.tolist() == list(rows)
    assert triplets.positives.tolist() == list(rows.values())
    check_against_loops(made, planned, triplets, 10)


@pytest.mark.parametrize("strategy", ["partial", "full", "random"])
def test_negatives_are_never_near_though_they_look_the_same(street: MakeStreet, strategy: str) -> None:
    # Everything within 25 m of a query looks exactly as the query does, so it would be mined first.
    queries_m = np.array([40.0, 200.0, 399.0])
    made = street(METRES, queries_m)
    for query, near in enumerate(made.excluded):
        made.database[near] = made.queries[query]
    hardest = np.array([near[:3] for near in made.excluded])
    planned = plan_round(strategy, np.arange(3), made.positives, 100, rng=rng(), sample=80, hardest=hardest)
    triplets = mine(planned, *described(made, planned), made.positives, made.excluded, negatives=30)
    away_m = np.abs(METRES[triplets.negatives] - queries_m[:, None])
    assert away_m.min() > 25
    assert np.abs(METRES[triplets.positives] - queries_m).max() <= 10


def test_one_positive_for_every_query(street: MakeStreet) -> None:
    metres = np.arange(0.0, 3000.0, 30.0)
    made = street(metres, metres + 4)
    assert (made.positives.counts == 1).all()
    planned = plan_round("full", np.arange(100), made.positives, 100, rng=rng())
    triplets = mine(planned, *described(made, planned), made.positives, made.excluded)
    assert triplets.positives.tolist() == list(range(100))


def test_hardest_of_the_last_time_are_looked_at_beside_the_sample(street: MakeStreet) -> None:
    made = street(METRES, np.array([0.0, 200.0]))
    made.database[90] = made.queries[0]
    made.database[10] = made.queries[1]
    chance = rng(3)
    hardest = np.array([[90, 1, -1, 90], [10, 50, -1, -1]])
    planned = plan_round("partial", np.arange(2), made.positives, 100, rng=chance, sample=20, hardest=hardest)
    assert not {90, 10} & set(planned.sample.tolist())
    assert {90, 10} <= set(planned.database.tolist())
    triplets = mine(planned, *described(made, planned), made.positives, made.excluded, negatives=5)
    assert triplets.negatives[:, 0].tolist() == [90, 10]
    check_against_loops(made, planned, triplets, 5)


@pytest.mark.parametrize("kind", ["mapped", "read-only", "tensor", "half", "half tensor"])
def test_descriptors_of_any_kind_give_the_same(street: MakeStreet, kind: str, tmp_path: Path) -> None:
    # Whole numbers below 100 are exact in float16, and so are all distances in float32.
    made = street(METRES, METRES + 1, dim=16, values=100)
    planned = plan_round("full", np.arange(100), made.positives, 100, rng=rng())
    queries, database = described(made, planned)
    expected = mine(planned, queries, database, made.positives, made.excluded)

    def turned(array: NDArray[np.float32], name: str) -> Any:
        if kind == "mapped":
            np.save(tmp_path / name, array)
            return np.load(tmp_path / name, mmap_mode="r")
        if kind == "read-only":
            array.flags.writeable = False
            return array
        if kind == "tensor":
            return torch.from_numpy(array)
        return array.astype(np.float16) if kind == "half" else torch.from_numpy(array).half()

    kinds = turned(queries, "q.npy"), turned(database, "d.npy")
    found = mine(planned, *kinds, made.positives, made.excluded)
    np.testing.assert_array_equal(found.positives, expected.positives)
    np.testing.assert_array_equal(found.negatives, expected.negatives)


def test_near_duplicates_far_from_the_origin_keep_their_order(street: MakeStreet) -> None:
    # Squared lengths near 10 000 leave the expanded square an error of about 1e-3; these differ by far less.
    made = street(METRES, np.array([0.0]), dim=64)
    made.queries[:] = 12.0
    made.database[:] = 13.0
    # Sixteen, of which ten are asked for: the expanded square alone would take any of them.
    order = np.arange(20, 36)
    made.database[order] = 12.0
    made.database[order, 0] += 1e-3 * np.arange(1, 17)[::-1]
    planned = plan_round("full", np.arange(1), made.positives, 100, rng=rng())
    triplets = mine(planned, *described(made, planned), made.positives, made.excluded)
    assert triplets.negatives[0].tolist() == order[::-1][:10].tolist()


def test_too_few_negatives_are_refused_and_counted(street: MakeStreet) -> None:
    made = street(np.array([0.0, 50.0, 60.0, 200.0]), np.array([0.0, 55.0]))
    planned = plan_round("full", np.arange(2), made.positives, 4, rng=rng())
    message = "2 of 2 queries have fewer than 4 negatives in the round's 4 candidates; query 1 has 2"
    with pytest.raises(UsageError, match=message):
        mine(planned, *described(made, planned), made.positives, made.excluded, negatives=4)


@pytest.mark.parametrize("strategy", ["full", "random"])
def test_too_few_negatives_may_be_repeated(street: MakeStreet, strategy: str) -> None:
    made = street(np.array([0.0, 50.0, 60.0, 200.0]), np.array([0.0, 55.0]))
    planned = plan_round(strategy, np.arange(2), made.positives, 4, rng=rng())
    inputs = described(made, planned)
    once = mine(planned, *inputs, made.positives, made.excluded, negatives=2)
    twice = mine(planned, *inputs, made.positives, made.excluded, negatives=5, shortage="repeat")
    assert set(twice.negatives[0].tolist()) == {1, 2, 3}
    assert twice.negatives[0].tolist()[3:] == twice.negatives[0].tolist()[:2]
    assert set(twice.negatives[1].tolist()) == {0, 3}
    assert twice.negatives[1].tolist() == [*twice.negatives[1, :2].tolist() * 2, twice.negatives[1, 0]]
    if strategy == "full":
        assert twice.negatives[1, :2].tolist() == once.negatives[1].tolist()
    # What is handed back as the last hardest may hold one photo more than once.
    again = plan_round("partial", np.arange(2), made.positives, 4, rng=rng(), hardest=twice.negatives)
    mined = mine(again, *described(made, again), made.positives, made.excluded, negatives=2)
    assert all(len(set(row)) == 2 for row in mined.negatives.tolist())


def test_a_query_with_no_negative_at_all_is_refused_even_where_others_are_repeated(
    street: MakeStreet,
) -> None:
    made = street(np.array([0.0, 10.0]), np.array([0.0]))
    planned = plan_round("full", np.arange(1), made.positives, 2, rng=rng())
    with pytest.raises(UsageError, match="1 of 1 queries have fewer than 1 negatives"):
        mine(planned, *described(made, planned), made.positives, made.excluded, shortage="repeat")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["queries", "sample", "positives"])
def test_descriptors_gone_astray_are_named(street: MakeStreet, where: str, value: float) -> None:
    made = street(METRES, np.array([0.0, 200.0]))
    planned = plan_round("partial", np.arange(2), made.positives, 100, rng=rng(1), sample=40)
    positive = next(r for r in made.positives[1].tolist() if r not in set(planned.sample.tolist()))
    query, row = {"queries": (1, None), "sample": (None, 97), "positives": (None, positive)}[where]
    if query is not None:
        made.queries[query, 3] = value
    else:
        row = int(planned.sample[-1]) if where == "sample" else row
        made.database[row, 3] = value
    name = "Query 1" if query is not None else f"[Dd]atabase photo {row}"
    with pytest.raises(UsageError, match=f"{name} has a descriptor that holds NaN.*learning rate"):
        mine(planned, *described(made, planned), made.positives, made.excluded)


def test_descriptors_of_another_round_are_refused(street: MakeStreet) -> None:
    made = street(METRES, METRES)
    planned = plan_round("partial", np.arange(9), made.positives, 100, rng=rng(), sample=40)
    queries, database = described(made, planned)
    for wrong in ((queries[1:], database), (queries, database[1:]), (queries[:, 1:], database)):
        with pytest.raises(UsageError, match="came for a round of 9 queries"):
            mine(planned, *wrong, made.positives, made.excluded)
    with pytest.raises(UsageError, match="negatives is 0"):
        mine(planned, queries, database, made.positives, made.excluded, negatives=0)


def test_parts_of_a_round_give_what_the_whole_gives(street: MakeStreet) -> None:
    made = street(METRES, METRES + 2)
    for strategy in ("partial", "full", "random"):
        planned = plan_round(strategy, rng(5).permutation(100), made.positives, 100, rng=rng(6), sample=60)
        queries, database = described(made, planned)
        whole = mine(planned, queries, database, made.positives, made.excluded)
        for part in (slice(0, 37), slice(37, 100), slice(100, 100)):
            piece = dataclasses.replace(planned, queries=planned.queries[part], hardest=planned.hardest[part])
            mined = mine(piece, queries[part], database, made.positives, made.excluded)
            np.testing.assert_array_equal(mined.negatives, whole.negatives[part])
            np.testing.assert_array_equal(mined.positives, whole.positives[part])


def test_excluded_radius_of_nothing_still_keeps_positives_out(street: MakeStreet) -> None:
    made = street(METRES, METRES + 1)
    none = Neighbours(np.zeros(101, np.int64), np.zeros(0, np.int64), 0.0)
    planned = plan_round("full", np.arange(100), made.positives, 100, rng=rng())
    triplets = mine(planned, *described(made, planned), made.positives, none, negatives=90)
    assert not made.positives.contains(triplets.negatives).any()
