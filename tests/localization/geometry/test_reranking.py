"""Re-ranking: a permutation that moves forward what is confirmed and leaves the rest in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.errors import UsageError
from landfall.localization.geometry import rerank

counts = st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=30)


@given(counts, st.integers(1, 40))
def test_confirmed_matches_come_first_and_the_others_keep_their_order(
    inliers: list[int | None], least: int
) -> None:
    order = rerank(inliers, least)
    assert sorted(order) == list(range(len(inliers)))
    enough = [count is not None and count >= least for count in inliers]
    ahead, behind = order[: sum(enough)], order[sum(enough) :]
    assert all(enough[place] for place in ahead)
    assert behind == [place for place in range(len(inliers)) if not enough[place]]
    # Most inliers first; equals by retrieval.
    assert ahead == sorted(ahead, key=lambda place: (-(inliers[place] or 0), place))


@given(counts)
def test_without_a_confirmed_match_nothing_moves(inliers: list[int | None]) -> None:
    assert rerank(inliers, 61) == list(range(len(inliers)))


def test_an_example() -> None:
    assert rerank([5, None, 30, 19, 40, 30], 20) == [4, 2, 5, 0, 1, 3]


def test_a_limit_that_confirms_everything_is_refused() -> None:
    with pytest.raises(UsageError, match="1 or more"):
        rerank([1], 0)
