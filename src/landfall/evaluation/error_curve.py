"""How far the first match lies from the truth: the distance-error curve and its summary.

Recall at one threshold hides whether a miss is off by 30 m or by 30 km. The curve gives, for every distance
x, the share of *all* queries whose first match lies within x metres; at x = 25 m it is recall@1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.geo import Positions, distances_m

CURVE_M: NDArray[np.float64] = np.logspace(0.0, 5.0, 101)
"""Where the curve is sampled: 1 m to 100 km, twenty points a decade."""
CURVE_M.setflags(write=False)

WITHIN_M = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 1_000.0, 10_000.0, 100_000.0)
"""Distances that the summary always states."""


def first_match_errors(
    database: Positions, queries: Positions, first_rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the metres between each query and its first match.

    Args:
        database: positions of D photos.
        queries: positions of Q photos, in any zones.
        first_rows: (Q,) database row of the first match; -1 where the query got none.

    Returns:
        (Q,) metres; infinite where the query got no match, NaN where the position of the query or of its
        match is unknown.

    Raises:
        PositionError: one side is planar and the other geographic.
    """
    errors = np.full(len(queries), np.inf)
    answered = np.flatnonzero(first_rows >= 0)
    errors[answered] = distances_m(database.take(first_rows[answered]), queries.take(answered))
    errors[~queries.known] = np.nan
    return errors


def share_within(
    errors_m: NDArray[np.float64], within_m: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the percent of all Q queries whose error is at most each of the distances.

    An unknown (NaN) or infinite error is within no distance, and still counts in the denominator.

    Args:
        errors_m: (Q,) of :func:`first_match_errors`.
        within_m: (X,) metres.
    """
    known = np.sort(errors_m[~np.isnan(errors_m)])
    within = np.searchsorted(known, np.asarray(within_m, dtype=np.float64), side="right")
    return 100.0 * within / max(len(errors_m), 1)


@dataclass(frozen=True)
class ErrorSummary:
    """What the errors of the first matches come to.

    Attributes:
        median_m, p90_m: the smallest distance that half, and nine tenths, of the queries of known error keep
            to (no interpolation); infinite where too many got no match, NaN where no error is known.
        within: (distance in metres, percent of all queries) pairs, by distance.
        unknown: queries whose error can't be known: no position, or a match without one.
    """

    median_m: float
    p90_m: float
    within: tuple[tuple[float, float], ...]
    unknown: int


def summarise_errors(errors_m: NDArray[np.float64], *, also_within_m: Sequence[float] = ()) -> ErrorSummary:
    """Summarise (Q,) errors; ``also_within_m`` are distances to state beside :data:`WITHIN_M`."""
    known = errors_m[~np.isnan(errors_m)]
    # An inverted CDF picks one of the errors: interpolating towards an infinite one would give NaN.
    median, p90 = np.quantile(known, [0.5, 0.9], method="inverted_cdf") if len(known) else (np.nan, np.nan)
    distances = sorted({*WITHIN_M, *(float(x) for x in also_within_m)})
    return ErrorSummary(
        median_m=float(median),
        p90_m=float(p90),
        within=tuple(zip(distances, share_within(errors_m, distances).tolist(), strict=True)),
        unknown=len(errors_m) - len(known),
    )
