"""Which queries the visual results show."""

from __future__ import annotations

import numpy as np

from landfall.experiments.paper.measured import NOTHING, Measured, Measurement
from landfall.experiments.paper.products.attention import SHOWN, chosen_queries


def answers(right: list[bool], first_match: list[int]) -> Measurement:
    measured = Measured(
        25.0, "p", (1, 5), np.array([1 if hit else 0 for hit in right]), np.arange(len(right)), 100.0
    )
    return Measurement((measured,), np.array(first_match), 256, 0, ())


def test_half_of_them_are_wrong_and_the_same_seed_shows_the_same() -> None:
    right = [number % 10 != 0 for number in range(50)]
    reference = answers(right, [3] * 50)
    shown = chosen_queries(reference, seed=4)
    assert len(shown) == SHOWN
    assert [right[row] for row in shown] == [False, False, True, True]
    assert chosen_queries(reference, seed=4).tolist() == shown.tolist()
    assert chosen_queries(reference, seed=5).tolist() != shown.tolist()


def test_queries_without_an_answer_are_left_out() -> None:
    reference = answers([False] * 6, [NOTHING, 1, NOTHING, 2, NOTHING, 3])
    assert chosen_queries(reference, seed=0).tolist() == [1, 3, 5]
