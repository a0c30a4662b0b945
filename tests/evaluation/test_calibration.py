"""How honest a confidence is, against loops and cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.errors import UsageError
from landfall.evaluation.calibration import (
    measure_calibration,
    noise_floor,
    reliability,
    risk_coverage,
)


def test_bins_of_equal_counts_say_what_a_loop_says() -> None:
    rng = np.random.default_rng(5)
    confidence = rng.random(53)
    right = rng.random(53) < 0.6
    bins = reliability(confidence, right, bins=4)
    order = sorted(range(53), key=lambda i: confidence[i])
    # Edges at round(53 i / 4).
    for number, (start, stop) in enumerate([(0, 13), (13, 26), (26, 40), (40, 53)]):
        chosen = order[start:stop]
        assert bins.counts[number] == len(chosen)
        assert bins.said[number] == pytest.approx(np.mean([confidence[i] for i in chosen]))
        assert bins.held[number] == pytest.approx(np.mean([right[i] for i in chosen]))
    expected = sum(c * abs(s - h) for c, s, h in zip(bins.counts, bins.said, bins.held, strict=True)) / 53
    assert bins.error == pytest.approx(expected)


def test_a_constant_that_is_right_on_average_has_no_error_and_one_that_is_not_has_the_gap() -> None:
    right = np.tile([True, False], 50)
    assert reliability(np.full(100, 0.5), right).error == pytest.approx(0.0)
    assert reliability(np.full(100, 0.9), right).error == pytest.approx(0.4)


def test_fewer_answers_than_bins_are_a_bin_each() -> None:
    bins = reliability(np.array([0.2, 0.9]), np.array([False, True]))
    assert bins.counts.tolist() == [1, 1]


@pytest.mark.parametrize("wrong", [np.array([0.5, 1.5]), np.array([0.5, np.nan]), np.array([])])
def test_confidences_that_are_none_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(UsageError):
        reliability(wrong, np.ones(len(wrong), np.bool_))


def test_the_noise_floor_of_coins_is_that_of_a_binomial() -> None:
    # 400 answers at 0.5 in 10 bins of 40: the mean gap is E|X/40 - 1/2| of X ~ B(40, 1/2).
    from scipy.stats import binom

    x = np.arange(41)
    expected = float(np.sum(binom.pmf(x, 40, 0.5) * np.abs(x / 40 - 0.5)))
    assert noise_floor(np.full(400, 0.5), draws=2000) == pytest.approx(expected, rel=0.02)


def test_certain_answers_have_no_noise() -> None:
    assert noise_floor(np.array([0.0] * 30 + [1.0] * 30)) == 0.0


def test_risk_falls_to_zero_when_the_wrong_are_the_least_sure() -> None:
    curve = risk_coverage(np.array([0.9, 0.2, 0.8, 0.1]), np.array([True, False, True, False]))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0.0, 0.0, 1 / 3, 0.5])
    assert curve.risk_at(0.5) == 0.0
    assert curve.area == pytest.approx((1 / 3 + 0.5) / 4)


def test_answers_that_are_equally_sure_have_the_same_risk_at_every_coverage() -> None:
    right = np.array([True] * 30 + [False] * 10)
    curve = risk_coverage(np.full(40, 0.7), right)
    assert curve.risk == pytest.approx(np.full(40, 0.25))
    assert curve.area == pytest.approx(0.25)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.9]), st.booleans()), min_size=1, max_size=12))
def test_the_risk_of_all_is_the_share_of_wrong_and_order_does_not_matter(
    answers: list[tuple[float, bool]],
) -> None:
    confidence = np.array([said for said, _ in answers])
    right = np.array([held for _, held in answers])
    curve = risk_coverage(confidence, right)
    backwards = risk_coverage(confidence[::-1], right[::-1])
    assert curve.risk[-1] == pytest.approx(1 - right.mean())
    assert curve.risk == pytest.approx(backwards.risk)


def test_all_numbers_of_a_small_case() -> None:
    result = measure_calibration(
        confidence=np.array([0.9, 0.8, 0.3, 0.2]),
        radius_m=np.array([20.0, 20.0, 200.0, np.nan]),
        accepted=np.array([True, True, False, False]),
        errors_m=np.array([5.0, 22.0, 150.0, np.inf]),
        has_positive=np.array([True, True, True, False]),
        spots=np.arange(4),
    )
    assert (result.queries, result.right_share) == (4, 0.5)
    assert result.average_precision == 1.0
    # Within 20 m, not within 20 m, within 200 m; the last has no positive.
    assert result.radius_queries == 3
    assert result.radius_coverage == pytest.approx(2 / 3)
    assert result.median_radius_m == 20.0
    assert (result.accepted_share, result.accepted_right_share) == (0.5, 1.0)
    told = result.to_dict()
    assert told["risk_at_half"] == 0.0
    assert told["expected_calibration_error"] == pytest.approx((0.1 + 0.2 + 0.3 + 0.2) / 4)
    assert any("2 of" in line or "66.7 %" in line for line in result.to_lines())


def test_nothing_right_and_nothing_accepted_is_told_without_a_division_by_zero() -> None:
    result = measure_calibration(
        confidence=np.array([0.1, 0.1]),
        radius_m=np.array([np.nan, np.nan]),
        accepted=np.array([False, False]),
        errors_m=np.array([100.0, np.inf]),
        has_positive=np.array([False, False]),
        spots=np.zeros(2, np.int64),
    )
    assert result.average_precision is None
    assert result.radius_coverage is None
    assert result.accepted_right_share is None
    assert result.to_dict()["expected_calibration_error_ci95"] == [None, None]


def test_the_interval_draws_spots_and_so_is_wider_than_one_over_queries() -> None:
    # Ten spots of 30 queries that are right or wrong together.
    right = np.repeat(np.arange(10) % 2 == 0, 30)
    # All say much more than holds, so that the error is the gap of the means, which varies with the spots.
    confidence = np.random.default_rng(2).uniform(0.9, 1.0, 300)

    def width(spots: np.ndarray) -> float:
        low, high = measure_calibration(
            confidence,
            np.full(300, 10.0),
            np.ones(300, np.bool_),
            np.where(right, 0.0, 99.0),
            has_positive=np.ones(300, np.bool_),
            spots=spots,
        ).error_ci95
        return high - low

    assert width(np.repeat(np.arange(10), 30)) > 2 * width(np.arange(300))
