from __future__ import annotations

import numpy as np
import pytest

from landfall.errors import UsageError
from landfall.evaluation import intervals
from landfall.evaluation.intervals import (
    bootstrap_interval,
    paired_difference,
    resampled_means,
    resampled_queries,
)


def plain_bootstrap(values: np.ndarray, spots: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """The definition, written out: draw spots, gather all their queries, take the mean."""
    rng = np.random.default_rng(seed)
    names = np.unique(spots)
    means = []
    for _ in range(resamples):
        drawn = names[rng.integers(0, len(names), size=len(names))]
        gathered = np.concatenate([values[spots == name] for name in drawn])
        means.append(gathered.mean(axis=0))
    return np.array(means)


def uneven_spots(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.repeat(rng.permutation(count) * 7 - 3, rng.integers(1, 6, size=count))


def test_equals_a_plain_loop_with_the_same_draws() -> None:
    rng = np.random.default_rng(0)
    spots = uneven_spots(rng, 13)
    hits = rng.random((len(spots), 3)) < [0.3, 0.6, 0.9]
    means = resampled_means(hits, spots, resamples=50, seed=5)
    np.testing.assert_allclose(means, plain_bootstrap(hits, spots, 50, 5), rtol=0, atol=1e-12)
    expected = np.quantile(plain_bootstrap(hits, spots, 50, 5), [0.025, 0.975], axis=0).T
    np.testing.assert_allclose(bootstrap_interval(hits, spots, resamples=50, seed=5), expected, atol=1e-12)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # 13 spots and room for 40 draws: three resamples a block, the last one cut short.
    rng = np.random.default_rng(1)
    spots = uneven_spots(rng, 13)
    hits = rng.random(len(spots)) < 0.5
    whole = resampled_means(hits, spots, resamples=50, seed=2)
    monkeypatch.setattr(intervals, "_BLOCK_CELLS", 40)
    np.testing.assert_array_equal(resampled_means(hits, spots, resamples=50, seed=2), whole)


def test_one_photo_a_spot_is_the_ordinary_bootstrap() -> None:
    rng = np.random.default_rng(3)
    hits = rng.random(40) < 0.7
    draws = np.random.default_rng(9).integers(0, 40, size=(200, 40))
    ordinary = np.quantile(hits[draws].mean(axis=1), [0.025, 0.975])
    np.testing.assert_allclose(bootstrap_interval(hits, np.arange(40), resamples=200, seed=9), ordinary)


def test_all_right_and_all_wrong_are_points() -> None:
    spots = np.array([0, 0, 1, 2, 2, 2])
    assert bootstrap_interval(np.full(6, 100.0), spots).tolist() == [100.0, 100.0]
    assert bootstrap_interval(np.zeros(6), spots).tolist() == [0.0, 0.0]


def test_a_single_spot_gives_no_interval() -> None:
    assert np.isnan(bootstrap_interval(np.array([True, False]), np.array([4, 4]))).all()


def test_photos_of_a_spot_going_together_widens_the_interval() -> None:
    # Theory: four equal photos a spot leave a quarter of the independent observations, so twice the width.
    spots = np.repeat(np.arange(100), 4)
    hits = np.repeat(np.random.default_rng(0).random(100) < 0.5, 4)
    low, high = bootstrap_interval(hits, spots)
    alone_low, alone_high = bootstrap_interval(hits, np.arange(400))
    assert (high - low) / (alone_high - alone_low) == pytest.approx(2.0, rel=0.1)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    # 60 spots of 1-5 photos that share the spot's own chance of success (mean 0.6). Over 300 data sets the
    # share of 95 % intervals that hold 0.6 has a standard error of 1.3 points; percentile intervals fall
    # a little short with few spots, so 90-98 is expected, while photo-wise resampling gets some 82.
    rng = np.random.default_rng(11)
    held, held_photowise = 0, 0
    for trial in range(300):
        sizes = rng.integers(1, 6, size=60)
        spots = np.repeat(np.arange(60), sizes)
        hits = rng.random(len(spots)) < rng.beta(0.6, 0.4, size=60)[spots]
        low, high = bootstrap_interval(hits, spots, resamples=300, seed=trial)
        held += low <= 0.6 <= high
        low, high = bootstrap_interval(hits, np.arange(len(hits)), resamples=300, seed=trial)
        held_photowise += low <= 0.6 <= high
    assert 0.90 <= held / 300 <= 0.98
    assert held_photowise / 300 < 0.90


def test_a_model_against_itself_differs_by_nothing() -> None:
    rng = np.random.default_rng(2)
    hits = rng.random((30, 4)) < 0.5
    difference, interval = paired_difference(hits, hits, np.repeat(np.arange(10), 3))
    assert (difference == 0).all()
    assert (interval == 0).all()


def test_pairing_keeps_the_difference_and_narrows_its_interval() -> None:
    rng = np.random.default_rng(4)
    spots = np.repeat(np.arange(80), 3)
    worse = rng.random(240) < 0.5
    better = worse | (rng.random(240) < 0.1)
    difference, interval = paired_difference(better, worse, spots, seed=1)
    assert float(difference) == pytest.approx(better.mean() - worse.mean())
    # By hand: where both are one sample, resampled differences are those of the resampled means.
    loop = plain_bootstrap(better, spots, 2000, 1) - plain_bootstrap(worse, spots, 2000, 1)
    np.testing.assert_allclose(interval, np.quantile(loop, [0.025, 0.975]), atol=1e-12)
    low, high = bootstrap_interval(better, spots, seed=1)
    # Theory for independent queries: sqrt(0.05 * 0.95) against sqrt(0.5 * 0.5), 0.44 of the width.
    assert interval[1] - interval[0] < 0.6 * (high - low)


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="one spot for each"):
        bootstrap_interval(np.ones(3), np.arange(4))
    with pytest.raises(UsageError, match="one spot for each"):
        bootstrap_interval(np.ones(0), np.arange(0))
    with pytest.raises(UsageError, match="the same queries in both"):
        paired_difference(np.ones(3), np.ones(4), np.arange(3))
    with pytest.raises(UsageError, match="between 0 and 1"):
        bootstrap_interval(np.ones(3), np.arange(3), level=95.0)


def test_resampled_queries_are_those_whose_mean_the_bootstrap_takes() -> None:
    rng = np.random.default_rng(4)
    spots = uneven_spots(rng, 9)
    values = rng.random(len(spots))
    drawn = list(resampled_queries(spots, resamples=30, seed=2))
    means = resampled_means(values, spots, resamples=30, seed=2)
    np.testing.assert_allclose([values[rows].mean() for rows in drawn], means)
    for rows in drawn:
        # A spot comes whole, as often as it was drawn.
        times = {name: np.unique(np.bincount(rows, minlength=len(spots))[spots == name]) for name in spots}
        assert all(len(counts) == 1 for counts in times.values())


def test_one_spot_gives_no_resamples_of_queries() -> None:
    assert list(resampled_queries(np.zeros(4, np.int64), resamples=3)) == []
