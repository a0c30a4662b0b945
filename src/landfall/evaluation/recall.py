"""Recall@N, the metric of visual geo-localization.

Paper, section "Metric": a query is right at N when at least one of its first N retrieved photos lies
within the positive distance of where the query was taken. Recall@N is the share of right queries.

The denominator here is *all* queries, those without any positive included, as in the field's main tools;
:func:`ceiling` says what the best possible ranking could reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from landfall.errors import DatasetError, UsageError
from landfall.geo import Neighbours


def hits_at(ranked: NDArray[np.int64], positives: Neighbours) -> NDArray[np.bool_]:
    """Tell for every query and rank whether a positive stands at that rank or before it.

    Args:
        ranked: (Q, K) database rows, nearest first; -1 where nothing was retrieved.
        positives: the database rows within the positive distance of each of the Q queries.

    Returns:
        (Q, K) bool; column N-1 says who is right at N.
    """
    return np.logical_or.accumulate(positives.contains(ranked), axis=1)


def check_ks(ks: Sequence[int]) -> tuple[int, ...]:
    """Return ``ks`` as a tuple of increasing ranks.

    Raises:
        UsageError: there is none, one is below 1, or they don't increase.
    """
    checked = tuple(int(k) for k in ks)
    if not checked or checked[0] < 1 or any(a >= b for a, b in pairwise(checked)):
        raise UsageError(
            f"Ranks for recall@N must increase from 1 or more, such as 1 5 10 20; got {list(ks)}."
        )
    return checked


def hits_at_ks(hits: NDArray[np.bool_], ks: Sequence[int]) -> NDArray[np.bool_]:
    """Pick the columns of ``hits`` (Q, K) that belong to the ranks ``ks``: (Q, len(ks)).

    A rank beyond K takes the last column: where the whole database was retrieved, nothing comes after it.
    """
    columns = np.minimum(np.asarray(check_ks(ks), dtype=np.int64), hits.shape[1]) - 1
    return hits[:, columns]


def recall_at(hits: NDArray[np.bool_], ks: Sequence[int] = (1, 5, 10, 20)) -> dict[int, float]:
    """Return recall@N in percent of all queries for every N of ``ks``.

    Args:
        hits: (Q, K) bool of :func:`hits_at`.
        ks: increasing ranks; one beyond K takes the last column.

    Raises:
        DatasetError: there are no queries.
        UsageError: ``ks`` is empty, not increasing, or below 1.
    """
    if len(hits) == 0:
        raise DatasetError("There are no queries to evaluate; expected at least one query photo.")
    shares = hits_at_ks(hits, ks).mean(axis=0)
    return {int(k): 100.0 * float(share) for k, share in zip(ks, shares, strict=True)}


def ceiling(positives: Neighbours) -> float:
    """Return the best recall@N that any ranking could reach: the percent of queries with a positive."""
    counts = positives.counts
    return 100.0 * float(np.mean(counts > 0)) if len(counts) else 0.0
