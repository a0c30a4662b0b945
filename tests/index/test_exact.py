from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index import exact, search_exact

Matrix = NDArray[np.floating]


def oracle(database: Matrix, queries: Matrix, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Brute force: every difference in float32, its length in float64; a stable sort leaves ties by row."""
    difference = database.astype(np.float32)[None] - queries.astype(np.float32)[:, None]
    squared = (difference.astype(np.float64) ** 2).sum(axis=2)
    distances = np.sqrt(squared).astype(np.float32)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


def check(database: Matrix, queries: Matrix, k: int, block_rows: int | None = None) -> None:
    distances, rows = search_exact(database, queries, k, device="cpu", block_rows=block_rows)
    expected, expected_rows = oracle(database, queries, k)
    assert distances.dtype == np.float32
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=2e-7, atol=0)


sizes = st.tuples(st.integers(1, 90), st.integers(1, 12), st.integers(1, 20))


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 120), st.integers(1, 100), st.integers(0, 2**32 - 1))
def test_equals_brute_force(size: tuple[int, int, int], k: int, block_rows: int, seed: int) -> None:
    count, asked, dim = size
    rng = np.random.default_rng(seed)
    check(rng.normal(size=(count, dim)), rng.normal(size=(asked, dim)), k, block_rows)


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 30), st.integers(1, 100), st.integers(0, 2**32 - 1))
def test_ties_come_by_row(size: tuple[int, int, int], k: int, block_rows: int, seed: int) -> None:
    # Zeros and ones lie at few distances, so nearly every row is tied with many.
    count, asked, dim = size
    rng = np.random.default_rng(seed)
    database, queries = (rng.integers(0, 2, (rows, dim)).astype(np.float32) for rows in (count, asked))
    check(database, queries, k, block_rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("spread", [0.0, 1e-6, 1e-4])
def test_near_duplicates_far_from_the_origin_are_told_apart(dtype: type[np.floating], spread: float) -> None:
    # Their squared lengths near 400 leave the expansion an error far beyond their distances.
    rng = np.random.default_rng(1)
    same = rng.normal(size=(1, 256)) + 1
    database = (same + spread * rng.normal(size=(200, 256))).astype(dtype)
    check(database, database[:20], 10, block_rows=33)


def test_a_descriptor_is_at_exactly_zero_from_itself() -> None:
    database = np.random.default_rng(2).normal(size=(300, 128)).astype(np.float32) * 50
    distances, rows = search_exact(database, database, 1, device="cpu")
    assert (distances == 0).all()
    assert rows[:, 0].tolist() == list(range(300))


def test_distances_are_euclidean_for_lengths_that_differ() -> None:
    # By hand: the 3-4-5 triangle; cosine would call the second row nearest.
    database = np.array([[3.0, 4.0], [0.0, 100.0]], np.float32)
    distances, rows = search_exact(database, np.array([[0.0, 0.5]], np.float32) * 0, 2, device="cpu")
    assert distances.tolist() == [[5.0, 100.0]]
    assert rows.tolist() == [[0, 1]]


@pytest.mark.parametrize("setting", ["highest", "high", "medium"])
def test_the_answer_does_not_depend_on_the_precision_of_products(setting: str) -> None:
    rng = np.random.default_rng(3)
    earlier = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(setting)
    try:
        check(rng.normal(size=(400, 64)), rng.normal(size=(30, 64)), 10, block_rows=100)
    finally:
        torch.set_float32_matmul_precision(earlier)


@pytest.mark.parametrize("mode", ["r", "c"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_mapped_file_is_searched_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Literal["r", "c"], dtype: type[np.floating]
) -> None:
    rng = np.random.default_rng(4)
    np.save(tmp_path / "d.npy", rng.normal(size=(500, 32)).astype(dtype))
    database = np.load(tmp_path / "d.npy", mmap_mode=mode)
    monkeypatch.setattr(exact, "BUDGET_BYTES", 40_000)
    seen: list[int] = []
    check_finite = exact.check_finite

    def count(norms: torch.Tensor, start: int, noun: str) -> None:
        seen.append(len(norms))
        check_finite(norms, start, noun)

    monkeypatch.setattr(exact, "check_finite", count)
    check(database, rng.normal(size=(5, 32)), 7)
    # A block of rows with its distances: 32 numbers and 5 x 3 a row; 40 000 bytes hold 212.
    assert max(seen[1:]) == 212
    assert np.load(tmp_path / "d.npy").tobytes() == np.array(database).tobytes()


def test_nothing_asked_or_nothing_there_gives_empty_arrays() -> None:
    some, none = np.ones((3, 4), np.float32), np.ones((0, 4), np.float32)
    assert [array.shape for array in search_exact(some, none, 2)] == [(0, 2), (0, 2)]
    assert [array.shape for array in search_exact(none, some, 2)] == [(3, 0), (3, 0)]


def test_what_cannot_be_searched_is_refused() -> None:
    some = np.ones((3, 4), np.float32)
    with pytest.raises(UsageError, match="same model"):
        search_exact(some, np.ones((3, 5), np.float32), 1)
    with pytest.raises(UsageError, match="k is 0"):
        search_exact(some, some, 0)
    for strange in (np.nan, np.inf, 1e30):
        broken = some.copy()
        broken[2, 1] = strange
        with pytest.raises(UsageError, match="Database descriptor 2"):
            search_exact(broken, some, 1, device="cpu", block_rows=2)
        with pytest.raises(UsageError, match="Query descriptor 2"):
            search_exact(some, broken, 1, device="cpu")
