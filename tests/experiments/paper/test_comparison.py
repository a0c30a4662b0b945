"""Means and spreads over seeds, intervals over spots, paired differences: limit cases and plain loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.evaluation.intervals import bootstrap_interval
from landfall.experiments.paper.comparison import Comparison, compare, number, points, score
from landfall.experiments.paper.measured import Measured, first_right

KS = (1, 5)


def measured(
    hits: Sequence[Sequence[int]] | NDArray[np.bool_],
    spots: Sequence[int] | None = None,
    *,
    protocol: str = "p",
) -> Measured:
    """Return what hits (Q, 2) at ranks 1 and 5 are kept as."""
    right = np.array(hits, dtype=bool)
    return Measured(
        25.0,
        protocol,
        KS,
        first_right(right, KS),
        np.arange(len(right)) if spots is None else np.array(spots),
        100.0,
    )


def random_hits(seed: int, queries: int, share: float) -> NDArray[np.bool_]:
    first = np.random.default_rng(seed).random(queries) < share
    return np.stack([first, first | (np.random.default_rng(seed + 99).random(queries) < 0.5)], axis=1)


def test_recall_is_the_mean_over_seeds_and_its_spread_the_sample_deviation() -> None:
    told = score(
        {0: measured([[1, 1], [0, 1], [0, 0], [0, 0]]), 4: measured([[1, 1], [1, 1], [1, 1], [0, 0]])}
    )
    assert told.seeds == (0, 4)
    # At 1: 25 % and 75 %. Their mean is 50, and sqrt((25^2 + 25^2) / (2 - 1)) their sample deviation.
    assert told.recall == {1: 50.0, 5: 62.5}
    assert told.std == pytest.approx({1: math.sqrt(1250), 5: math.sqrt(2 * 12.5**2)})


def test_a_single_seed_has_no_spread_and_the_interval_that_evaluate_gives() -> None:
    spots = np.repeat(np.arange(10), 3)
    one = measured(random_hits(1, 30, 0.6), spots.tolist())
    told = score({0: one})
    assert told.std is None
    assert told.recall == pytest.approx(one.recall)
    # `landfall evaluate` resamples the same spots of the same hits.
    expected = bootstrap_interval(100.0 * one.hits, spots)
    assert told.ci95 == {1: pytest.approx(tuple(expected[0])), 5: pytest.approx(tuple(expected[1]))}


def test_equal_seeds_say_no_more_than_one() -> None:
    one = measured(random_hits(2, 40, 0.5))
    told = score({0: one, 1: one, 2: one})
    assert told.std == {1: 0.0, 5: 0.0}
    assert told.recall == pytest.approx(score({0: one}).recall)
    assert told.ci95[1] == pytest.approx(score({0: one}).ci95[1])


def test_an_interval_of_three_spots_is_that_of_every_possible_draw() -> None:
    # 27 draws of three spots with hits 0, 1 and 1: the share of draws below x is known exactly.
    told = score({0: measured([[0, 0], [1, 1], [1, 1]])})
    means = np.sort([100.0 * sum(draw) / 3 for draw in product((0, 1, 1), repeat=3)])
    assert told.ci95[1] == (means[0], means[-1])  # 1/27 and 8/27 of the draws: both beyond 2.5 %
    # One spot of all queries: nothing is known of others.
    assert all(math.isnan(end) for end in score({0: measured([[0, 0], [1, 1]], [0, 0])}).ci95[1])


def test_a_variant_does_not_differ_from_itself() -> None:
    runs = {seed: measured(random_hits(seed, 50, 0.6)) for seed in (0, 1)}
    told = compare("A", runs, "B", runs)
    assert told is not None
    assert told.difference == {1: 0.0, 5: 0.0}
    assert told.ci95 == {1: (0.0, 0.0), 5: (0.0, 0.0)}
    assert not told.distinguishable(1)


def test_always_right_beats_always_wrong_by_all_points() -> None:
    right, wrong = measured([[1, 1]] * 6), measured([[0, 0]] * 6)
    told = compare("A", {0: right}, "B", {0: wrong})
    assert told is not None
    assert told.difference[1] == 100.0
    assert told.ci95[1] == (100.0, 100.0)
    assert told.distinguishable(1)


def test_the_other_way_round_the_sign_turns() -> None:
    first = {seed: measured(random_hits(seed, 60, 0.7)) for seed in (0, 1)}
    second = {seed: measured(random_hits(seed + 7, 60, 0.5)) for seed in (0, 1)}
    one, other = compare("A", first, "B", second), compare("B", second, "A", first)
    assert one is not None
    assert other is not None
    assert one.difference[1] == pytest.approx(-other.difference[1])
    # An interval's ends are interpolated between draws, the same from both sides.
    assert one.ci95[1] == pytest.approx((-other.ci95[1][1], -other.ci95[1][0]))


def test_pairing_resamples_both_by_the_same_spots() -> None:
    """A plain loop: draw spots, take all their queries, and average the differences of both seeds."""
    spots = np.repeat(np.arange(8), 4)
    first = {seed: measured(random_hits(seed, 32, 0.8), spots.tolist()) for seed in (0, 1)}
    second = {seed: measured(random_hits(seed + 5, 32, 0.6), spots.tolist()) for seed in (0, 1)}
    told = compare("A", first, "B", second)
    assert told is not None
    gain = np.mean([first[s].hits[:, 0].astype(float) - second[s].hits[:, 0] for s in (0, 1)], axis=0)
    rng = np.random.default_rng(12)
    means = []
    for _ in range(4000):
        drawn = rng.integers(0, 8, 8)
        taken = np.concatenate([gain[spots == spot] for spot in drawn])
        means.append(100.0 * taken.mean())
    assert told.difference[1] == pytest.approx(100.0 * gain.mean())
    # Other draws: the ends of 2000 and 4000 resamples differ by sampling alone.
    assert told.ci95[1] == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=2.0)


def test_only_seeds_that_both_have_are_compared() -> None:
    one, other = measured([[1, 1], [0, 0]]), measured([[0, 0], [0, 0]])
    told = compare("A", {0: one, 1: other}, "B", {1: other, 2: one})
    assert told is not None
    assert told.seeds == (1,)
    assert told.difference[1] == 0.0
    assert compare("A", {0: one}, "B", {1: one}) is None


def test_other_queries_are_not_compared() -> None:
    with pytest.raises(UsageError, match="don't compare"):
        compare("A", {0: measured([[1, 1]])}, "B", {0: measured([[1, 1]], protocol="q")})


def comparison(difference: float, low: float, high: float) -> Comparison:
    return Comparison("CRN2", "NetVLAD", (0,), {1: difference}, {1: (low, high)})


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (comparison(2.1, 0.4, 3.8), "CRN2 against NetVLAD: +2.1 points, 95 % interval 0.4 to 3.8."),
        (
            comparison(0.3, -1.0, 1.7),
            "CRN2 against NetVLAD: +0.3 points, 95 % interval −1.0 to 1.7, not distinguishable from 0.",
        ),
        (comparison(-5.0, -9.2, -0.8), "CRN2 against NetVLAD: −5.0 points, 95 % interval −9.2 to −0.8."),
        (
            comparison(1.0, 0.0, 2.0),
            "CRN2 against NetVLAD: +1.0 points, 95 % interval 0.0 to 2.0, not distinguishable from 0.",
        ),
        (
            comparison(1.0, math.nan, math.nan),
            "CRN2 against NetVLAD: +1.0 points; one spot gives no interval.",
        ),
    ],
)
def test_it_is_told_in_a_sentence(told: Comparison, text: str) -> None:
    assert told.to_text() == text


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [(2.14, "2.1", "+2.1"), (-2.14, "−2.1", "−2.1"), (-0.04, "0.0", "+0.0"), (0.0, "0.0", "+0.0")],
)
def test_numbers_have_one_decimal_and_a_minus_sign(value: float, plain: str, signed: str) -> None:
    assert number(value) == plain
    assert points(value) == signed
