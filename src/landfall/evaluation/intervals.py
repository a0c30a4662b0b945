"""Bootstrap intervals that resample spots, not photos.

Photos taken at one position (the headings of a panorama, the frames of a stop) succeed and fail together, so
resampling photos one by one claims more certainty than there is. The unit that is drawn here is the *spot*:
all the queries of one position. This is the cluster bootstrap with percentile intervals (Davison and Hinkley,
"Bootstrap Methods and their Application", 1997, sections 3.8 and 5.3).

Where every query is right (or wrong) the interval shrinks to a point: a percentile interval can't show the
doubt that remains there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError

RESAMPLES = 2000
LEVEL = 0.95
_BLOCK_CELLS = 4_000_000
"""Draws held at once (32 MB): bounds the memory whatever the number of spots."""


def bootstrap_interval(
    values: NDArray[np.generic],
    spots: NDArray[np.integer],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the interval of the mean of ``values`` over queries, resampling spots.

    Args:
        values: (Q,) or (Q, K): hits (bool) or any number per query.
        spots: (Q,) which spot each query belongs to; any integers.
        resamples: how many times the spots are drawn anew.
        level: the share of resampled means inside the interval.
        seed: of the draws; equal seeds give equal intervals.

    Returns:
        (2,) or (K, 2): low and high, in the unit of ``values``. NaN where there are fewer than two spots:
        a single spot says nothing about others.

    Raises:
        UsageError: the lengths differ or ``resamples`` or ``level`` make no sense.
    """
    means = resampled_means(values, spots, resamples=resamples, seed=seed)
    if not 0.0 < level < 1.0:
        raise UsageError(f"The level of an interval lies between 0 and 1, such as 0.95; got {level}.")
    tail = (1.0 - level) / 2.0
    interval: NDArray[np.float64] = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return np.moveaxis(interval, 0, -1)


def paired_difference(
    values: NDArray[np.generic],
    others: NDArray[np.generic],
    spots: NDArray[np.integer],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compare two models on the same queries: the mean of ``values`` minus the mean of ``others``.

    Both models see the same draws, so what makes a spot hard for both cancels out and the interval is
    narrower than two separate ones suggest.

    Args:
        values, others: (Q,) or (Q, K) per query, row by row the same queries.
        spots: (Q,) which spot each query belongs to.

    Returns:
        The difference, () or (K,), and its interval, (2,) or (K, 2).

    Raises:
        UsageError: the shapes differ.
    """
    first = np.asarray(values, dtype=np.float64)
    second = np.asarray(others, dtype=np.float64)
    if first.shape != second.shape:
        raise UsageError(
            f"A paired comparison needs the same queries in both, got {first.shape} and {second.shape}; "
            "evaluate both models on one split with the same ranks."
        )
    difference = first - second
    interval = bootstrap_interval(difference, spots, resamples=resamples, level=level, seed=seed)
    return np.asarray(difference.mean(axis=0)), interval


def resampled_means(
    values: NDArray[np.generic],
    spots: NDArray[np.integer],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the mean over queries in every resample of the spots: (R,) or (R, K).

    Each resample draws as many spots as there are, with replacement, and takes all the queries of a drawn
    spot as often as it was drawn. The mean stays one over queries, so large spots weigh more, as they do in
    recall itself.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) != len(spots) or len(numbers) == 0:
        raise UsageError(
            f"Expected one spot for each of at least one query; got {len(numbers)} queries "
            f"and {len(spots)} spots."
        )
    if resamples < 1:
        raise UsageError(f"A bootstrap needs at least one resample, got {resamples}.")
    _, spot_of_query = np.unique(spots, return_inverse=True)
    counts = np.bincount(spot_of_query).astype(np.float64)
    sums = np.zeros((len(counts), *numbers.shape[1:]))
    np.add.at(sums, spot_of_query, numbers)
    if len(counts) < 2:
        return np.full((resamples, *numbers.shape[1:]), np.nan)
    blocks = []
    for times_drawn in _times_drawn(len(counts), resamples, seed):
        totals = times_drawn @ sums.reshape(len(counts), -1)
        blocks.append(totals / (times_drawn @ counts)[:, None])
    return np.concatenate(blocks).reshape(resamples, *numbers.shape[1:])


def resampled_queries(
    spots: NDArray[np.integer], *, resamples: int = RESAMPLES, seed: int = 0
) -> Iterator[NDArray[np.int64]]:
    """Yield the queries of each resample of the spots, for a number that is no mean; none for one spot."""
    _, spot_of_query = np.unique(spots, return_inverse=True)
    counts = np.bincount(spot_of_query)
    if len(counts) < 2:
        return
    by_spot = np.argsort(spot_of_query, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    for times_drawn in _times_drawn(len(counts), resamples, seed):
        for times in times_drawn.astype(np.int64):
            drawn = np.repeat(np.arange(len(counts)), times)
            lengths = counts[drawn]
            within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            yield by_spot[np.repeat(starts[drawn], lengths) + within]


def _times_drawn(spots: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield blocks (r, S): how often each of S spots is drawn in each of r resamples."""
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK_CELLS // spots)
    for start in range(0, resamples, rows):
        block = min(rows, resamples - start)
        drawn = rng.integers(0, spots, size=(block, spots))
        cells = (drawn + spots * np.arange(block)[:, None]).ravel()
        yield np.bincount(cells, minlength=block * spots).reshape(block, spots).astype(np.float64)
