"""A variant's recall over its seeds, and whether two variants differ, query by query.

Seeds are averaged per query first: a query found by two of three trainings counts two thirds. Intervals then
resample the spots of the test set (`landfall.evaluation.intervals`). They say how sure a number is of these
places; how much a training differs from the next one is the standard deviation over seeds, beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.evaluation.intervals import bootstrap_interval, paired_difference
from landfall.experiments.paper.measured import Measured

Interval = tuple[float, float]

#: How minus is written: a hyphen would be read as a dash.
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, eq=False)
class Score:
    """Recall of one variant on one test set.

    Attributes:
        seeds: whose runs it is of, ascending.
        recall: percent of all queries by rank, the mean over seeds.
        ci95: its interval by rank; NaN where the test set has one spot only.
        std: sample standard deviation over seeds by rank; None with a single seed.
    """

    seeds: tuple[int, ...]
    recall: dict[int, float]
    ci95: dict[int, Interval]
    std: dict[int, float] | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """One variant minus another, on the same queries.

    Attributes:
        label, reference: the two.
        seeds: the seeds that both have.
        difference: in points of recall by rank.
        ci95: its interval by rank; NaN where the test set has one spot only.
    """

    label: str
    reference: str
    seeds: tuple[int, ...]
    difference: dict[int, float]
    ci95: dict[int, Interval]

    def distinguishable(self, rank: int) -> bool:
        """Tell whether the interval leaves 0 out; without an interval nothing is told apart."""
        low, high = self.ci95[rank]
        return low > 0.0 or high < 0.0

    def to_text(self, rank: int = 1) -> str:
        """Return it as a sentence: "CRN2 against NetVLAD: +2.1 points, 95 % interval 0.4 to 3.8."."""
        low, high = self.ci95[rank]
        said = f"{self.label} against {self.reference}: {points(self.difference[rank])} points"
        if np.isnan(low):
            return f"{said}; one spot gives no interval."
        doubt = "" if self.distinguishable(rank) else ", not distinguishable from 0"
        return f"{said}, 95 % interval {number(low)} to {number(high)}{doubt}."


def score(measured: Mapping[int, Measured]) -> Score:
    """Return the recall of a variant's runs.

    Args:
        measured: what each seed's run gave, at least one, all on the same queries.
    """
    seeds = tuple(sorted(measured))
    first = measured[seeds[0]]
    each = np.stack([measured[seed].hits for seed in seeds])  # (S, Q, K)
    per_query = 100.0 * each.mean(axis=0)
    intervals = bootstrap_interval(per_query, first.spots)
    by_seed = 100.0 * each.mean(axis=1)
    spread = by_seed.std(axis=0, ddof=1).tolist() if len(seeds) > 1 else None
    return Score(
        seeds,
        _by_rank(first.ks, per_query.mean(axis=0)),
        _intervals(first.ks, intervals),
        None if spread is None else dict(zip(first.ks, spread, strict=True)),
    )


def compare(
    label: str, measured: Mapping[int, Measured], reference: str, others: Mapping[int, Measured]
) -> Comparison | None:
    """Return a variant minus another one, over the seeds that both have; None where they share none.

    Args:
        label, reference: what the two are called.
        measured, others: what each seed's run gave.

    Raises:
        UsageError: the two were measured on other queries or within another distance.
    """
    seeds = tuple(sorted(measured.keys() & others.keys()))
    if not seeds:
        return None
    first, second = measured[seeds[0]], others[seeds[0]]
    if first.protocol != second.protocol:
        raise UsageError(
            f"{label} was measured under protocol {first.protocol} and {reference} under {second.protocol}: "
            "they don't compare. Run the experiment again."
        )
    difference, intervals = paired_difference(
        _mean_hits(measured, seeds), _mean_hits(others, seeds), first.spots
    )
    return Comparison(
        label, reference, seeds, _by_rank(first.ks, difference), _intervals(first.ks, intervals)
    )


def number(value: float) -> str:
    """Return a number with one decimal and a minus sign; what rounds to zero has no sign."""
    text = f"{abs(value):.1f}"
    return f"{MINUS}{text}" if value < 0 and text != "0.0" else text


def points(value: float) -> str:
    """Return a difference with its sign."""
    text = number(value)
    return text if text.startswith(MINUS) else f"+{text}"


def _mean_hits(measured: Mapping[int, Measured], seeds: Sequence[int]) -> NDArray[np.float64]:
    """Return (Q, K) percent: how many of the seeds have each query right."""
    mean: NDArray[np.float64] = 100.0 * np.stack([measured[seed].hits for seed in seeds]).mean(axis=0)
    return mean


def _by_rank(ks: Sequence[int], values: NDArray[np.float64]) -> dict[int, float]:
    return dict(zip(ks, values.tolist(), strict=True))


def _intervals(ks: Sequence[int], intervals: NDArray[np.float64]) -> dict[int, Interval]:
    return {k: (float(low), float(high)) for k, (low, high) in zip(ks, intervals, strict=True)}
