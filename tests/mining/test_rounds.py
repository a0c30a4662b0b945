from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from landfall.errors import UnknownNameError, UsageError
from landfall.geo import Neighbours
from landfall.mining import Round, check_negatives, mine, plan_round, usable_queries

MakeStreet = Callable[..., Any]
Descriptors = NDArray[np.float32]
METRES = np.arange(0.0, 400.0, 4.0)


def described(street: Any, planned: Round) -> tuple[Descriptors, Descriptors]:
    """The descriptors of a round's queries and database photos."""
    queries, database = street.of(planned)
    return queries, database


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def chi_square_bound(cells: int) -> float:
    """What a fair draw exceeds once in a thousand seeds; the seed here is fixed, so this never flickers."""
    return float(chi2.ppf(0.999, cells - 1))


def test_partial_describes_the_sample_and_the_positives_and_nothing_else(street: MakeStreet) -> None:
    made = street(METRES, np.array([0.0, 200.0, 900.0]))
    planned = plan_round("partial", [1, 0], made.positives, 100, rng=rng(), sample=30)
    assert planned.queries.tolist() == [1, 0]
    assert len(set(planned.sample.tolist())) == 30
    wanted = {*planned.sample.tolist(), *made.positives[0].tolist(), *made.positives[1].tolist()}
    assert planned.database.tolist() == sorted(wanted)
    assert planned.ranked


def test_full_describes_all_and_random_only_positives(street: MakeStreet) -> None:
    made = street(METRES, np.array([0.0, 200.0]))
    full = plan_round("full", [0, 1], made.positives, 100, rng=rng(), sample=5)
    assert full.database.tolist() == full.sample.tolist() == list(range(100))
    blind = plan_round("random", [0, 1], made.positives, 100, rng=rng(), sample=5)
    assert blind.database.tolist() == sorted({*made.positives[0].tolist(), *made.positives[1].tolist()})
    assert blind.sample.tolist() == list(range(100))
    assert not blind.ranked


def test_a_sample_larger_than_the_database_is_all_of_it(street: MakeStreet) -> None:
    made = street(METRES, METRES)
    planned = plan_round("partial", [3], made.positives, 100, rng=rng(), sample=1000)
    assert planned.sample.tolist() == list(range(100))


def test_the_same_chance_plans_the_same_round(street: MakeStreet) -> None:
    made = street(METRES, METRES)
    plans = [
        plan_round("partial", [3, 9], made.positives, 100, rng=rng(seed), sample=9) for seed in (1, 1, 2)
    ]
    assert plans[0].sample.tolist() == plans[1].sample.tolist() != plans[2].sample.tolist()
    assert plans[0].seed == plans[1].seed != plans[2].seed


def test_cache_bytes_counts_queries_and_database(street: MakeStreet) -> None:
    # By hand: 2 queries and 100 photos of 7 numbers of 2 bytes.
    made = street(METRES, METRES)
    planned = plan_round("full", [3, 9], made.positives, 100, rng=rng())
    assert planned.cache_bytes(7, bytes_each=2) == 102 * 7 * 2


def test_every_database_photo_is_sampled_equally_often(street: MakeStreet) -> None:
    made = street(METRES, METRES)
    chance, rounds, sample = rng(7), 2000, 30
    times = np.zeros(100)
    for _ in range(rounds):
        times[plan_round("partial", [3], made.positives, 100, rng=chance, sample=sample).sample] += 1
    expected = rounds * sample / 100
    # Draws without replacement vary less than a chi-square's, by the share that is left out.
    statistic = float(((times - expected) ** 2 / expected).sum()) / (1 - sample / 100)
    assert statistic < chi_square_bound(100)
    assert statistic > float(chi2.ppf(0.001, 99))


def test_random_negatives_are_drawn_equally_often_from_all_that_are_far_enough(street: MakeStreet) -> None:
    # Queries at the start, in the middle and with holes at the end: what is skipped must not shift the rest.
    queries_m = np.array([0.0, 201.0, 396.0])
    made = street(METRES, queries_m)
    chance, rounds, count = rng(8), 2000, 10
    times = np.zeros((3, 100))
    for _ in range(rounds):
        planned = plan_round("random", [0, 1, 2], made.positives, 100, rng=chance)
        drawn = mine(
            planned, *described(made, planned), made.positives, made.excluded, negatives=count
        ).negatives
        assert all(len(set(row)) == count for row in drawn.tolist())
        times[np.arange(3)[:, None], drawn] += 1
    for query, at_m in enumerate(queries_m):
        far = np.abs(METRES - at_m) > 25
        assert times[query, ~far].sum() == 0
        left = int(far.sum())
        expected = rounds * count / left
        statistic = float(((times[query, far] - expected) ** 2 / expected).sum()) / (1 - count / left)
        assert statistic < chi_square_bound(left)


def test_usable_queries_keep_their_rows(street: MakeStreet) -> None:
    made = street(METRES, np.array([5000.0, 0.0, 6000.0, 8.0, 10.0]))
    assert usable_queries(made.positives).tolist() == [1, 3, 4]


@pytest.mark.parametrize("count", [0, 3])
def test_no_positives_at_all_are_said(street: MakeStreet, count: int) -> None:
    made = street(METRES, np.full(count, 9000.0))
    with pytest.raises(UsageError, match=f"None of the {count} queries has a database photo within 10 m"):
        usable_queries(made.positives)


def test_a_query_without_positives_is_not_planned(street: MakeStreet) -> None:
    made = street(METRES, np.array([0.0, 9000.0, 9001.0]))
    with pytest.raises(UsageError, match="2 of 3 queries have no database photo within 10 m, query 1 first"):
        plan_round("partial", [0, 1, 2], made.positives, 100, rng=rng())


@pytest.mark.parametrize("rows", [[0, 7], [-1]])
def test_queries_that_are_not_there_are_refused(street: MakeStreet, rows: list[int]) -> None:
    made = street(METRES, METRES[:7])
    with pytest.raises(UsageError, match="there are 7"):
        plan_round("full", rows, made.positives, 100, rng=rng())


def test_positives_of_another_database_are_refused() -> None:
    positives = Neighbours(np.array([0, 1]), np.array([12]), 10.0)
    with pytest.raises(UsageError, match="database photo 12, and the database has 10"):
        plan_round("full", [0], positives, 10, rng=rng())


def test_names_and_samples_that_make_no_sense_are_refused(street: MakeStreet) -> None:
    made = street(METRES, METRES)
    with pytest.raises(UnknownNameError, match="Did you mean partial"):
        plan_round("partiall", [0], made.positives, 100, rng=rng())
    with pytest.raises(UsageError, match="sample of 0"):
        plan_round("partial", [0], made.positives, 100, rng=rng(), sample=0)


def test_negatives_can_be_counted_before_anything_is_described(street: MakeStreet) -> None:
    # By hand: within 25 m of the first query lie 7 of 100 photos, of the second 13.
    made = street(METRES, np.array([0.0, 200.0]))
    check_negatives(made.excluded, np.array([0, 1]), 100, 87)
    with pytest.raises(UsageError, match=r"1 of 2 queries have fewer than 88 negatives.*query 1 has 87"):
        check_negatives(made.excluded, np.array([0, 1]), 100, 88)
    check_negatives(made.excluded, np.array([0]), 100, 93)
