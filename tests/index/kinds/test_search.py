from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index import search_exact
from landfall.index.kinds import build_structure, default_shortlist, search_with
from landfall.index.kinds import search as search_module
from landfall.index.kinds.interface import SearchStructure
from landfall.index.kinds.reading import allowed_rows, draw_sample, fingerprint
from landfall.index.kinds.sq8 import Sq8Structure

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(900, 16)).astype(np.float16)
QUERIES = RNG.normal(size=(7, 16)).astype(np.float32)


@settings(max_examples=60)
@given(st.integers(1, 200), st.integers(1, 3_000_000))
def test_a_shortlist_is_2_percent_at_most_and_enough_for_k(k: int, count: int) -> None:
    length = default_shortlist(k, count)
    assert min(k, count) <= length <= max(k, count // 50)
    if length > k and count >= 20_000:
        assert length >= 400


class _Some(SearchStructure):  # type: ignore[type-arg]
    """Names the rows it was given, to see what is made of them."""

    def __init__(self, named: NDArray[np.int64], covered: int) -> None:
        super().__init__(None, 16)
        self.named, self.covered = named, covered
        self.asked: list[int] = []

    def shortlist(self, queries, count, *, allowed=None):  # type: ignore[no-untyped-def]
        self.asked.append(len(queries))
        return np.tile(self.named, (len(queries), 1))

    estimated_bytes = resident_bytes = _train = _extend = _nearest = _write = _read = None  # type: ignore[assignment]


def test_what_was_named_and_the_rows_beyond_are_measured_and_merged() -> None:
    named = np.array([5, 3, 800, -1])
    some = _Some(named, 880)
    distances, rows = search_with(some, ROWS, QUERIES, 3, shortlist=4, device="cpu")
    among = np.sort(np.concatenate([named[:3], np.arange(880, 900)]))
    expected, places = search_exact(ROWS[among], QUERIES, 3, device="cpu")
    np.testing.assert_array_equal(rows, among[places])
    np.testing.assert_array_equal(distances, expected)


def test_a_query_with_too_few_candidates_is_searched_exactly() -> None:
    some = _Some(np.array([5, -1, -1, -1]), 900)
    found = search_with(some, ROWS, QUERIES, 3, shortlist=4, device="cpu")
    for mine, theirs in zip(found, search_exact(ROWS, QUERIES, 3, device="cpu"), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_queries_go_in_parts_of_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    some = _Some(np.arange(20), 900)
    monkeypatch.setattr(search_module, "_PAIRS_AT_ONCE", 60)
    search_with(some, ROWS, QUERIES, 3, shortlist=20, device="cpu")
    assert some.asked == [3, 3, 1]


def test_few_allowed_rows_are_searched_exactly_without_the_structure() -> None:
    some = _Some(np.arange(20), 900)
    allowed = np.arange(0, 900, 3)
    found = search_with(some, ROWS, QUERIES, 3, allowed=allowed, device="cpu")
    assert some.asked == []
    assert (found[1] % 3 == 0).all()


def test_what_does_not_go_together_is_refused() -> None:
    structure = build_structure("sq8", ROWS)
    assert isinstance(structure, Sq8Structure)
    with pytest.raises(UsageError, match="same model"):
        search_with(structure, ROWS, QUERIES[:, :5], 3)
    with pytest.raises(UsageError, match="k is 0"):
        search_with(structure, ROWS, QUERIES, 0)
    with pytest.raises(UsageError, match="shortlist 2"):
        search_with(structure, ROWS, QUERIES, 3, shortlist=2)
    with pytest.raises(UsageError, match="another index"):
        search_with(structure, ROWS[:100], QUERIES, 3)
    with pytest.raises(UsageError, match="one bool a row"):
        search_with(structure, ROWS, QUERIES, 3, allowed=np.ones(5, bool))
    for rows in ([3, 1], [1, 1], [-1, 2], [5, 900]):
        with pytest.raises(UsageError, match="must ascend"):
            allowed_rows(np.array(rows), 900)


@settings(max_examples=40)
@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 99))
def test_a_sample_is_drawn_without_repetition(count: int, most: int, seed: int) -> None:
    drawn = draw_sample(count, most, seed)
    assert len(drawn) == min(count, most)
    assert drawn.dtype == np.int64
    assert (np.diff(drawn) > 0).all()
    assert drawn.min() >= 0
    assert drawn.max() < count


def test_a_fingerprint_tells_rows_counts_and_types_apart() -> None:
    one = fingerprint(ROWS, 900)
    assert one == fingerprint(ROWS.copy(), 900)
    changed = ROWS.copy()
    changed[-1, 0] += 1
    others = [fingerprint(changed, 900), fingerprint(ROWS, 899), fingerprint(ROWS.astype(np.float32), 900)]
    assert len({one, *others}) == 4
    assert fingerprint(ROWS, 0) == fingerprint(changed, 0)
