"""Mining a round: each query's best positive and hardest negatives. Paper, section 4, "Mining procedure".

The best positive is the one nearest in descriptor space among those within the train radius; the hardest
negatives are the nearest among the round's candidates, and never within the radius in which a photo may show
the query's place.

Deviations: none with ``partial``. Equal distances are taken by row, the lower one first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.geo import Neighbours
from landfall.mining.blind import draw_negatives
from landfall.mining.distances import Descriptors, Rows, gone_astray, pair_distances
from landfall.mining.exclusion import near_queries, of_queries, refuse_shortage
from landfall.mining.nearest import nearest_candidates
from landfall.mining.rounds import Round


@dataclass(frozen=True, eq=False)
class Triplets:
    """T queries, each with a positive and N negatives, as rows of the full lists of photos.

    Args:
        queries: (T,) int64 rows of the queries.
        positives: (T,) int64 database rows.
        negatives: (T, N) int64 database rows; ranked ones nearest first.
    """

    queries: Rows
    positives: Rows
    negatives: Rows

    def __len__(self) -> int:
        return len(self.queries)


def mine(
    planned: Round,
    query_descriptors: Descriptors,
    database_descriptors: Descriptors,
    positives: Neighbours,
    excluded: Neighbours,
    *,
    negatives: int = 10,
    shortage: Literal["refuse", "repeat"] = "refuse",
    device: str | torch.device | None = None,
    block_rows: int | None = None,
) -> Triplets:
    """Return one triplet for each query of a round, in the round's order.

    Beside the descriptors, which are read where they lie, this takes about 256 MB at most, or a share of a
    GPU's memory.

    Args:
        planned: the round, from `plan_round`.
        query_descriptors: (Q, D) of ``planned.queries``, float16 or float32: array, mapped file or tensor.
        database_descriptors: (P, D) of ``planned.database``, likewise.
        positives: for every query of the dataset, the database photos within the train radius.
        excluded: for every query of the dataset, the database photos that can't be its negatives (those
            within 25 m). Positives can't be either.
        negatives: N, how many a query gets.
        shortage: what to do with a query that has at least one candidate and fewer than N: "refuse" raises,
            "repeat" gives it its own again, nearest first, until there are N.
        device: where to compute; a GPU if there is one, by default.
        block_rows: candidates in a block of the product; by default as many as the memory allows.

    Raises:
        UsageError: a query has too few negatives, descriptors that aren't those of the round's photos by
            their number or width, or a descriptor that is not finite.
    """
    _check(planned, query_descriptors, database_descriptors, negatives, block_rows)
    on = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    near = near_queries(excluded, positives, planned.queries)
    if planned.ranked:
        rows = nearest_candidates(
            planned,
            query_descriptors,
            database_descriptors,
            near,
            negatives,
            device=on,
            block_rows=block_rows,
        )
        rows = _first(planned, query_descriptors, database_descriptors, rows, negatives, on)
    else:
        rows = draw_negatives(planned, near, negatives)
    found = (rows >= 0).sum(axis=1)
    least = negatives if shortage == "refuse" else 1
    refuse_shortage(found, planned.queries, least, f"the round's {len(planned.sample)} candidates")
    rows = np.take_along_axis(rows, np.arange(negatives) % np.maximum(found, 1)[:, None], axis=1)
    best = _best_positives(planned, query_descriptors, database_descriptors, positives, on)
    return Triplets(planned.queries, best, rows)


def _best_positives(
    planned: Round, queries: Descriptors, database: Descriptors, positives: Neighbours, device: torch.device
) -> Rows:
    """Return each query's nearest positive (Q,)."""
    of_round = of_queries(positives, planned.queries)
    asked = np.repeat(np.arange(len(planned.queries)), of_round.counts)
    places = np.searchsorted(planned.database, of_round.indices)
    squared = pair_distances(queries, asked, database, places, device)
    _refuse_astray(squared, planned.queries[asked], of_round.indices)
    order = np.lexsort((of_round.indices, squared, asked))
    return of_round.indices[order[of_round.indptr[:-1]]]


def _first(
    planned: Round,
    queries: Descriptors,
    database: Descriptors,
    rows: Rows,
    count: int,
    device: torch.device,
) -> Rows:
    """Return each query's nearest of some rows (Q, K), as (Q, count); -1 where there are no more."""
    squared: NDArray[np.float64] = np.full(rows.shape, np.inf)
    asked, column = np.nonzero(rows >= 0)
    places = np.searchsorted(planned.database, rows[asked, column])
    squared[asked, column] = pair_distances(queries, asked, database, places, device)
    _refuse_astray(squared[asked, column], planned.queries[asked], rows[asked, column])
    order = np.lexsort((rows, squared), axis=1)[:, :count]
    found = np.take_along_axis(rows, order, axis=1)
    return np.pad(found, ((0, 0), (0, count - found.shape[1])), constant_values=-1)


def _refuse_astray(squared: NDArray[np.float64], queries: Rows, rows: Rows) -> None:
    astray = np.flatnonzero(~np.isfinite(squared))
    if len(astray):
        raise gone_astray(f"Query {queries[astray[0]]} or database photo {rows[astray[0]]}")


def _check(
    planned: Round,
    queries: Descriptors,
    database: Descriptors,
    negatives: int,
    block_rows: int | None,
) -> None:
    expected = (len(planned.queries), len(planned.database))
    shapes = tuple(queries.shape), tuple(database.shape)
    matrices = queries.ndim == 2 and database.ndim == 2 and shapes[0][1:] == shapes[1][1:]
    if not matrices or (shapes[0][0], shapes[1][0]) != expected:
        raise UsageError(
            f"Descriptors of shapes {shapes[0]} and {shapes[1]} came for a round of {expected[0]} queries "
            f"and {expected[1]} database photos; expected ({expected[0]}, D) and ({expected[1]}, D)."
        )
    if negatives < 1 or (block_rows is not None and block_rows < 1):
        raise UsageError(f"negatives is {negatives} and block_rows {block_rows}; both must be 1 or more.")
