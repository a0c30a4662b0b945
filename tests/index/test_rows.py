from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.index import search_exact
from landfall.index.rows import DescriptorRows


@st.composite
def matrices(draw: st.DrawFn) -> tuple[DescriptorRows, NDArray[np.floating]]:
    """Return descriptors in some segments with dead rows, and the same as one array of the live ones."""
    lengths = draw(st.lists(st.integers(0, 6), min_size=1, max_size=5))
    count = sum(lengths)
    whole = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    segments = np.split(whole, np.cumsum(lengths)[:-1])
    flags = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    alive = np.array(flags, np.bool_)
    live = None if all(flags) and draw(st.booleans()) else np.flatnonzero(alive)
    return DescriptorRows(segments, live), whole if live is None else whole[alive]


@settings(max_examples=150)
@given(matrices(), st.data())
def test_it_is_read_as_one_array(
    pair: tuple[DescriptorRows, NDArray[np.floating]], data: st.DataObject
) -> None:
    rows, expected = pair
    assert (rows.shape, rows.ndim, rows.dtype, len(rows)) == (
        expected.shape,
        2,
        expected.dtype,
        len(expected),
    )
    np.testing.assert_array_equal(np.asarray(rows), expected)
    part = data.draw(st.slices(len(expected)))
    np.testing.assert_array_equal(rows[part], expected[part])
    if len(expected):
        chosen = np.array(data.draw(st.lists(st.integers(-len(expected), len(expected) - 1))), np.int64)
        np.testing.assert_array_equal(rows[chosen], expected[chosen])
        np.testing.assert_array_equal(
            rows[int(chosen[0])] if len(chosen) else expected[0], expected[chosen[0] if len(chosen) else 0]
        )
        only = np.unique(chosen % len(expected))
        np.testing.assert_array_equal(np.asarray(rows.only(only)), expected[only])
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), np.bool_)
    np.testing.assert_array_equal(rows[mask], expected[mask])


def test_rows_that_are_not_there_are_refused() -> None:
    rows = DescriptorRows([np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32)], np.array([0, 2, 3]))
    for strange in (3, -4):
        with pytest.raises(IndexError, match="there are 3"):
            rows[strange]
    with pytest.raises(IndexError, match="mask"):
        rows[np.ones(4, np.bool_)]


def test_a_run_within_a_segment_is_not_copied() -> None:
    first, second = np.zeros((4, 3), np.float32), np.ones((5, 3), np.float32)
    rows = DescriptorRows([first, second], np.array([0, 1, 2, 4, 5, 7, 8]))
    for part, segment, copied in (
        (slice(0, 3), first, False),
        (slice(3, 5), second, False),  # stored rows 4 and 5
        (slice(5, 7), second, False),
        (slice(4, 6), second, True),  # stored row 6 is dead
        (slice(2, 4), second, True),  # of two segments
    ):
        assert np.shares_memory(rows[part], segment) is not copied


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 9))
def test_a_search_among_segments_is_that_of_one_array(seed: int, block_rows: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    whole = rng.normal(size=(60, 8)).astype(np.float16)
    live = np.sort(rng.choice(60, 40, replace=False))
    rows = DescriptorRows(np.split(whole, [7, 7, 30]), live)
    queries = rng.normal(size=(5, 8))
    found = search_exact(rows, queries, k, device="cpu", block_rows=block_rows)
    expected = search_exact(whole[live], queries, k, device="cpu")
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_allclose(found[0], expected[0], rtol=2e-7)
