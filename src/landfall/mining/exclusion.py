"""Which database photos can't be a query's negatives: those near it, which may show its place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.geo import Neighbours

Rows = NDArray[np.int64]


def of_queries(neighbours: Neighbours, queries: Rows) -> Neighbours:
    """Return the neighbours of some queries (Q,), in their order."""
    counts = neighbours.counts[queries]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.arange(indptr[-1]) + np.repeat(neighbours.indptr[queries] - indptr[:-1], counts)
    return Neighbours(indptr, neighbours.indices[places], neighbours.radius_m)


def near_queries(excluded: Neighbours, positives: Neighbours, queries: Rows) -> Neighbours:
    """Return, for some queries (Q,), the rows that are excluded or positives.

    Positives are among the excluded where the train radius is the smaller one, as it is by default.
    """
    parts = [of_queries(excluded, queries), of_queries(positives, queries)]
    asked = np.concatenate([np.repeat(np.arange(len(queries)), part.counts) for part in parts])
    rows = np.concatenate([part.indices for part in parts])
    base = int(rows.max(initial=0)) + 1
    asked, rows = np.divmod(np.unique(asked * base + rows), base)
    counts = np.bincount(asked, minlength=len(queries))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Neighbours(indptr, rows, max(excluded.radius_m, positives.radius_m))


def check_negatives(excluded: Neighbours, queries: Rows, database_size: int, negatives: int) -> None:
    """Make sure, before anything is described, that each query has as many negatives as asked.

    Args:
        excluded: for every query, the database photos that can't be its negatives.
        queries: (U,) rows of the queries that will be mined.
        database_size: how many database photos there are.
        negatives: how many each query shall have.

    Raises:
        UsageError: one has fewer in the whole database. A sample of it may still hold too few.
    """
    refuse_shortage(database_size - excluded.counts[queries], queries, negatives, "the database")


def refuse_shortage(found: Rows, queries: Rows, negatives: int, where: str) -> None:
    """Raise where a query has fewer negatives than asked.

    Args:
        found: (Q,) how many each query has.
        queries: (Q,) their rows.
        negatives: how many were asked for.
        where: what was looked through, for the message.

    Raises:
        UsageError: one has fewer.
    """
    short = np.flatnonzero(found < negatives)
    if len(short):
        worst = short[np.argmin(found[short])]
        raise UsageError(
            f"{len(short)} of {len(queries)} queries have fewer than {negatives} negatives in {where}; "
            f"query {queries[worst]} has {found[worst]}. Ask for fewer negatives a query, sample more, or "
            "lower the radius within which photos are no negatives."
        )
