"""Mutual nearest neighbours with the ratio test, against a plain double loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.localization.geometry import Features, match_features


def features(descriptors: NDArray[np.floating]) -> Features:
    rows = descriptors.astype(np.float32)
    return Features(np.zeros((len(rows), 2), np.float32), rows, 100, 100)


def random_features(count: int, rng: np.random.Generator) -> Features:
    rows = rng.random((count, 128)) ** 4
    return features(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def disturbed(of: Features, noise: float, rng: np.random.Generator) -> Features:
    rows = np.abs(of.descriptors + rng.normal(0, noise, of.descriptors.shape))
    return features(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def written_out(a: Features, b: Features, ratio: float) -> list[list[int]]:
    """Mutual neighbours and their ratio with plain loops over distances in float64."""
    distance = [[math.dist(one.tolist(), two.tolist()) for two in b.descriptors] for one in a.descriptors]
    found = []
    for i, row in enumerate(distance):
        ranked = sorted(range(len(b)), key=row.__getitem__)
        if len(ranked) < 2:
            continue
        back = min(range(len(a)), key=lambda k, j=ranked[0]: distance[k][j])  # type: ignore[misc]
        if back == i and row[ranked[0]] < ratio * row[ranked[1]]:
            found.append([i, ranked[0]])
    return found


@given(
    st.integers(0, 12), st.integers(0, 12), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 0.8, 0.95, 1.0])
)
def test_matches_are_those_of_a_double_loop(count_a: int, count_b: int, seed: int, ratio: float) -> None:
    rng = np.random.default_rng(seed)
    a = random_features(count_a, rng)
    b = random_features(count_b, rng)
    # Half of the smaller set has a partner in the other, near enough to pass and far enough to fail at times.
    shared = min(count_a, count_b) // 2
    b.descriptors[:shared] = disturbed(a, 0.03, rng).descriptors[:shared]
    assert match_features(a, b, ratio).tolist() == written_out(a, b, ratio)


def test_a_photo_matches_itself_row_by_row() -> None:
    a = random_features(40, np.random.default_rng(0))
    assert match_features(a, a).tolist() == [[i, i] for i in range(40)]


def test_shuffled_rows_find_their_partners() -> None:
    rng = np.random.default_rng(1)
    a, order = random_features(40, rng), rng.permutation(40)
    b = features(disturbed(a, 0.01, rng).descriptors[order])
    assert match_features(a, b).tolist() == [[i, int(np.flatnonzero(order == i)[0])] for i in range(40)]


def test_one_of_several_alike_never_matches() -> None:
    a = random_features(10, np.random.default_rng(2))
    twice = features(np.concatenate([a.descriptors, a.descriptors[:4]]))
    # Rows 0 to 3 have two equal neighbours: no ratio tells which is meant, not even one of 1.
    assert match_features(a, twice, 1.0).tolist() == [[i, i] for i in range(4, 10)]


def test_of_rows_that_tie_the_first_has_the_match() -> None:
    b = random_features(10, np.random.default_rng(5))
    twice = features(np.concatenate([b.descriptors[:3], b.descriptors[:3]]))
    assert match_features(twice, b).tolist() == written_out(twice, b, 0.8) == [[0, 0], [1, 1], [2, 2]]


@pytest.mark.parametrize(("count_a", "count_b"), [(0, 0), (0, 5), (5, 0), (5, 1)])
def test_too_few_to_compare_match_nothing(count_a: int, count_b: int) -> None:
    rng = np.random.default_rng(3)
    found = match_features(random_features(count_a, rng), random_features(count_b, rng))
    assert found.shape == (0, 2)
    assert found.dtype == np.int64


@pytest.mark.parametrize("ratio", [0.0, -1.0, 1.5, math.nan])
def test_a_ratio_that_means_nothing_is_refused(ratio: float) -> None:
    a = random_features(2, np.random.default_rng(4))
    with pytest.raises(UsageError, match="up to 1"):
        match_features(a, a, ratio)
