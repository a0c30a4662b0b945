from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.errors import DatasetError, UsageError
from landfall.evaluation.recall import ceiling, hits_at, hits_at_ks, recall_at
from landfall.geo import Neighbours, Positions, neighbours_within


def csr(rows: list[list[int]]) -> Neighbours:
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Neighbours(indptr, np.array([i for row in rows for i in sorted(row)], dtype=np.int64), 25.0)


def test_a_case_counted_by_hand() -> None:
    # Query 0 finds row 4 at once; 1 finds row 0 at rank 3; 2 has a positive that isn't retrieved; 3 has none.
    positives = csr([[4], [0, 7], [9], []])
    ranked = np.array([[4, 1, 2], [5, 6, 0], [1, 2, 3], [4, 0, 9]])
    hits = hits_at(ranked, positives)
    assert hits.tolist() == [[True] * 3, [False, False, True], [False] * 3, [False] * 3]
    assert recall_at(hits, (1, 3)) == {1: 25.0, 3: 50.0}
    assert ceiling(positives) == 75.0


@given(seed=st.integers(0, 2**32 - 1), queries=st.integers(1, 8), database=st.integers(1, 12))
def test_equals_a_plain_loop(seed: int, queries: int, database: int) -> None:
    rng = np.random.default_rng(seed)
    positives = [np.flatnonzero(rng.random(database) < 0.2).tolist() for _ in range(queries)]
    ranked = np.stack([rng.permutation(database) for _ in range(queries)])
    ranked[rng.random(ranked.shape) < 0.1] = -1
    ks = (1, 2, 5)
    right = dict.fromkeys(ks, 0)
    for query in range(queries):
        for k in ks:
            right[k] += any(row in positives[query] for row in ranked[query, :k] if row >= 0)
    recall = recall_at(hits_at(ranked, csr(positives)), ks)
    assert recall == pytest.approx({k: 100.0 * count / queries for k, count in right.items()})


def test_queries_without_a_positive_stay_in_the_denominator() -> None:
    # Limit case: the ranking is the best possible, so recall is the ceiling.
    positives = csr([[0], [], [1], []])
    hits = hits_at(np.array([[0], [0], [1], [1]]), positives)
    assert recall_at(hits, (1,)) == {1: 50.0}
    assert ceiling(positives) == 50.0


def test_a_rank_beyond_the_database_takes_all_of_it() -> None:
    hits = hits_at(np.array([[1, 0]]), csr([[0]]))
    assert recall_at(hits, (1, 2, 20)) == {1: 0.0, 2: 100.0, 20: 100.0}
    assert hits_at_ks(hits, (1, 20)).tolist() == [[False, True]]


def test_distances_are_right_across_a_zone_border() -> None:
    # 6 degrees east is the border of zones 31 and 32: the two points are some 14 m apart (0.0002 degrees of
    # longitude at the equator are 22.3 m, times cos 51 degrees), their eastings hundreds of kilometres.
    database = Positions.from_latlon(np.array([51.0, 51.0]), np.array([6.0001, 6.01]))
    query = Positions.from_latlon(np.array([51.0]), np.array([5.9999]))
    assert set(database.zone.tolist()) != set(query.zone.tolist())
    positives = neighbours_within(database, query, 25.0)
    assert hits_at(np.array([[1, 0]]), positives).tolist() == [[False, True]]


@pytest.mark.parametrize("ks", [(), (0, 1), (5, 1), (1, 1)])
def test_senseless_ranks_are_refused(ks: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="increase from 1"):
        recall_at(np.ones((2, 3), dtype=np.bool_), ks)


def test_no_queries_is_an_error_and_not_zero_percent() -> None:
    with pytest.raises(DatasetError, match="no queries"):
        recall_at(np.zeros((0, 3), dtype=np.bool_), (1,))
