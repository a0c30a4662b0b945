"""Which database photos lie within a radius of each query: the positives of the paper's section "Metric"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landfall.errors import PositionError
from landfall.geo.positions import Positions, metric_coordinates


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each of Q queries the database rows within a radius, as compressed sparse rows.

    Args:
        indptr: (Q + 1,) int64; query i's neighbours are ``indices[indptr[i]:indptr[i + 1]]``.
        indices: int64 database rows, ascending within a query.
        radius_m: the radius; a photo exactly that far away is within.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    radius_m: float

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, query: int) -> NDArray[np.int64]:
        """Return the database rows near one query, ascending."""
        query = range(len(self))[query]
        return self.indices[self.indptr[query] : self.indptr[query + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        return (self[query] for query in range(len(self)))

    @property
    def counts(self) -> NDArray[np.int64]:
        """(Q,) how many neighbours each query has."""
        return np.diff(self.indptr)

    @property
    def queries(self) -> NDArray[np.int64]:
        """(P,) the query of each of ``indices``."""
        return np.repeat(np.arange(len(self)), self.counts)

    def where(self, kept: NDArray[np.bool_]) -> Neighbours:
        """Return the neighbours for which a mask (P,) over ``indices`` is true.

        Raises:
            ValueError: the mask is of another length.
        """
        if kept.shape != self.indices.shape:
            raise ValueError(f"kept has shape {kept.shape}; expected {self.indices.shape}")
        counts = np.bincount(self.queries[kept], minlength=len(self))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Neighbours(indptr, self.indices[kept], self.radius_m)

    def contains(self, ranked: ArrayLike) -> NDArray[np.bool_]:
        """Tell which of (Q, K) database rows, such as a search's answer, are neighbours of their query.

        -1 stands for "nothing found" and is none.

        Raises:
            ValueError: not two axes, or not Q rows.
        """
        rows = np.asarray(ranked, dtype=np.int64)
        if rows.ndim != 2 or len(rows) != len(self):
            raise ValueError(f"ranked has shape {rows.shape}; expected ({len(self)}, K)")
        if rows.size == 0 or self.indices.size == 0:
            return np.zeros(rows.shape, dtype=np.bool_)
        # Query and row together make one key; keys ascend, so that one bisection answers for all queries.
        base = max(int(self.indices.max()), int(rows.max())) + 1
        keys = self.queries * base + self.indices
        asked = np.arange(len(self))[:, None] * base + rows
        at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return np.asarray((keys[at] == asked) & (rows >= 0))


def neighbours_within(database: Positions, queries: Positions, radius_m: float) -> Neighbours:
    """Find the database photos within ``radius_m`` of each query by a k-d tree.

    Distances are those of ``metric_coordinates``; an unknown position is near nothing.

    Raises:
        PositionError: a radius negative or not finite, or planar positions together with geographic ones.
    """
    # scipy.spatial takes as long to import as the rest of this package, and most callers only read positions.
    from scipy.spatial import cKDTree

    if not (math.isfinite(radius_m) and radius_m >= 0.0):
        raise PositionError(f"The radius is {radius_m} m; expected a finite number of metres, zero or more")
    database_xyz, query_xyz = metric_coordinates(database, queries)
    database_rows, query_rows = np.flatnonzero(database.known), np.flatnonzero(queries.known)
    counts = np.zeros(len(queries), dtype=np.int64)
    indices = np.zeros(0, dtype=np.int64)
    if database_rows.size and query_rows.size:
        pairs = cKDTree(query_xyz[query_rows]).sparse_distance_matrix(
            cKDTree(database_xyz[database_rows]), radius_m, output_type="ndarray"
        )
        # Sorting one key is several times as fast as sorting by two.
        keys = np.sort(query_rows[pairs["i"]] * len(database) + database_rows[pairs["j"]])
        query, indices = np.divmod(keys, len(database))
        counts = np.bincount(query, minlength=len(queries)).astype(np.int64)
    return Neighbours(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), indices, float(radius_m))
