"""Exact nearest neighbours by Euclidean distance: the oracle that every faster search is measured by.

This is the one place that says which way distance sorts: **smaller is nearer**, results ascend, and rows at
the same distance (as float32) come in ascending order. Unit descriptors sort by cosine in just the reverse.

Distances to a block of rows are expanded, ``|q - x|^2 = |q|^2 + |x|^2 - 2 q.x``, so that nearly all the work
is one matrix product, and the smallest are kept from block to block. The expansion cancels for
near-duplicates. So some more than ``k`` candidates are kept, and those that may be among the nearest are
measured again by their differences (float32, summed in float64; a photo is at exactly 0 from itself). Where
the expansion's error leaves open whether a row that was dropped belongs among the ``k``, as with many
near-duplicates, all rows that might are measured in a second pass.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index.rows import Matrix
from landfall.models.device import resolve_device

# Memory beside the inputs and the result, roughly: a block of rows in float32 and its distances.
BUDGET_BYTES = 256 * 2**20
# Of a GPU's free memory, the share that is used instead.
GPU_SHARE = 0.4
# Queries whose distances to a block are computed at once.
QUERY_CHUNK = 1024
# Differences measured at once on a CPU: more than its caches hold makes measuring six times slower.
CACHED_BYTES = 4 * 2**20
# Relative error of one product, by torch's setting for float32 matrix products.
_UNIT_ERROR = {"highest": 2.0**-24, "high": 2.0**-11, "medium": 2.0**-8}
# A sum of D products errs like a random walk of D steps; this many standard deviations are allowed for.
_DEVIATIONS = 8.0
# Squared distances closer than this, relatively, may round to one float32.
_SAME = 2.0**-20


def search_exact(
    database: Matrix,
    queries: NDArray[np.floating],
    k: int,
    *,
    device: str | torch.device | None = None,
    block_rows: int | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the ``k`` nearest rows of ``database`` to each query.

    Args:
        database: (N, D) float16 or float32, memory-mapped or in several files (``rows.Matrix``); read in
            blocks, never copied as a whole.
        queries: (Q, D), taken as float32.
        k: how many; all N where there are fewer.
        device: where to compute; a GPU if there is one, by default.
        block_rows: rows in a block; by default as many as ``BUDGET_BYTES`` holds.

    Returns:
        distances: (Q, min(k, N)) float32, Euclidean, ascending.
        rows: (Q, min(k, N)) int64; rows at equal distances ascend.

    Raises:
        UsageError: ``k`` or ``block_rows`` is below 1, the arrays are not matrices of one width, or hold NaN,
            infinity, or numbers whose squares are beyond float32.
        ModelError: no such device here.
    """
    queries = np.ascontiguousarray(queries, np.float32)
    if len(database.shape) != 2 or queries.ndim != 2 or database.shape[1] != queries.shape[1]:
        raise UsageError(
            f"Queries of shape {queries.shape} can't be searched in a database of shape {database.shape}: "
            "both must be matrices, one descriptor a row, of one length. Were they made by the same model?"
        )
    if k < 1 or (block_rows is not None and block_rows < 1):
        raise UsageError(f"k is {k} and block_rows {block_rows}; both must be 1 or more.")
    k = min(k, len(database))
    if k == 0 or len(queries) == 0:
        return np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    return _Search(database, queries, k, resolve_device(device), block_rows).run()


class _Search:
    """One search: its inputs and how much of them is looked at in a go."""

    def __init__(
        self,
        database: Matrix,
        queries: NDArray[np.float32],
        k: int,
        device: torch.device,
        block_rows: int | None,
    ) -> None:
        self.database = database
        self.device = device
        self.k = k
        self.kept = min(len(database), k + max(16, k // 2))
        self.queries = torch.from_numpy(queries if queries.flags.writeable else queries.copy()).to(device)
        self.query_norms = torch.linalg.vector_norm(self.queries, dim=1)
        check_finite(self.query_norms, 0, "Query")
        budget, measured = BUDGET_BYTES, CACHED_BYTES
        if device.type == "cuda":
            budget = measured = int(GPU_SHARE * torch.cuda.mem_get_info(device)[0])
        dim = queries.shape[1]
        per_row = 4 * dim + 12 * min(len(queries), QUERY_CHUNK)
        self.block_rows = min(len(database), block_rows or max(1, budget // per_row))
        self.pairs_at_once = max(1, measured // (8 * dim + 32))
        self.largest_norm = 0.0

    def run(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        approximate, candidates = self._candidates()
        count = len(candidates)
        error = self._error()
        # The k nearest by the expansion are within its k-th value and an error of the query; a row whose
        # expansion is two errors further is not.
        reached = np.partition(approximate, self.k - 1, axis=1)[:, self.k - 1]
        asked, places = np.nonzero(approximate <= (reached * (1 + _SAME) + 2 * error)[:, None])
        near = candidates[asked, places]
        best, rows = first_k(asked, near, self._measure(asked, near), count, self.k)
        if self.kept < len(self.database):
            # A dropped row's expansion was not below the largest kept one; its distance may be by the error.
            beyond = approximate.max(axis=1) - error
            unsure = np.flatnonzero(best[:, -1] * (1 + _SAME) >= beyond)
            if len(unsure):
                best[unsure], rows[unsure] = self._all_that_might(unsure, best[unsure, -1])
        return np.sqrt(best).astype(np.float32), rows

    def _candidates(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return expanded squared distances and rows (Q, kept) of each query's nearest by the expansion."""
        count = len(self.queries)
        values = torch.full((count, self.kept), torch.inf, device=self.device)
        rows = torch.zeros((count, self.kept), dtype=torch.int64, device=self.device)
        for start, block, squares in self._blocks():
            for first in range(0, count, QUERY_CHUNK):
                part = slice(first, first + QUERY_CHUNK)
                expanded = torch.addmm(squares, self.queries[part], block.T, alpha=-2)
                near, places = expanded.topk(min(self.kept, len(block)), dim=1, largest=False, sorted=False)
                both = torch.cat([values[part], near], dim=1)
                both_rows = torch.cat([rows[part], places + start], dim=1)
                values[part], chosen = both.topk(self.kept, dim=1, largest=False, sorted=False)
                rows[part] = both_rows.gather(1, chosen)
        own = self.query_norms.double().square()[:, None]
        return (values.double() + own).cpu().numpy(), rows.cpu().numpy()

    def _all_that_might(
        self, unsure: NDArray[np.int64], reached: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Measure, for some queries, every row that the expansion does not put beyond what is reached.

        Args:
            unsure: (U,) the queries.
            reached: (U,) squared distance of the k-th candidate.

        Returns:
            Squared distances and rows (U, k).
        """
        best = np.full((len(unsure), self.k), np.inf)
        rows = np.full((len(unsure), self.k), len(self.database), np.int64)
        own = self.query_norms.double().cpu().numpy()[unsure] ** 2
        limits = reached * (1 + _SAME) + self._error()[unsure] - own
        limit = torch.from_numpy(limits).to(self.device)[:, None]
        for start, block, squares in self._blocks():
            for first in range(0, len(unsure), QUERY_CHUNK):
                part = slice(first, first + QUERY_CHUNK)
                expanded = torch.addmm(squares, self.queries[unsure[part]], block.T, alpha=-2)
                found = torch.nonzero(expanded <= limit[part]).cpu().numpy()
                asked, near = found[:, 0], found[:, 1] + start
                squared = self._measure(unsure[part][asked], near)
                earlier = np.repeat(np.arange(len(best[part])), self.k)
                best[part], rows[part] = first_k(
                    np.concatenate([earlier, asked]),
                    np.concatenate([rows[part].reshape(-1), near]),
                    np.concatenate([best[part].reshape(-1), squared]),
                    len(best[part]),
                    self.k,
                )
        return best, rows

    def _measure(self, asked: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the squared distances (P,) of pairs of a query and a row, from their differences."""
        return measure_pairs(self.database, self.queries, asked, rows, pairs_at_once=self.pairs_at_once)

    def _blocks(self) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """Yield each block's first row, its rows (B, D) on the device and their squared norms (B,)."""
        for start in range(0, len(self.database), self.block_rows):
            part = self.database[start : start + self.block_rows]
            # torch takes no read-only memory; a writable float32 map (mode "c") is used where it lies.
            lies = part.dtype == np.float32 and part.flags.writeable and part.flags.c_contiguous
            block = torch.from_numpy(part if lies else np.array(part, np.float32, order="C")).to(self.device)
            norms = torch.linalg.vector_norm(block, dim=1)
            check_finite(norms, start, "Database")
            self.largest_norm = max(self.largest_norm, float(norms.max()))
            yield start, block, norms.square()

    def _error(self) -> NDArray[np.float64]:
        """Return how far an expanded squared distance may be off (Q,)."""
        unit = _UNIT_ERROR[torch.get_float32_matmul_precision()]
        norms = self.query_norms.double().cpu().numpy()
        steps = _DEVIATIONS * np.sqrt(self.queries.shape[1])
        return np.asarray(unit * steps * (norms + self.largest_norm) ** 2)


def measure_pairs(
    database: Matrix,
    queries: torch.Tensor,
    asked: NDArray[np.int64],
    rows: NDArray[np.int64],
    *,
    pairs_at_once: int | None = None,
) -> NDArray[np.float64]:
    """Return the squared distances of pairs of a query and a row, from their differences.

    Args:
        database: (N, D), read at the rows named, in their order.
        queries: (Q, D) float32, on the device that computes.
        asked: (P,) the query of each pair.
        rows: (P,) its row.
        pairs_at_once: by default as many as a CPU's caches hold.

    Returns:
        (P,) float64: differences in float32, summed in float64.
    """
    at_once = pairs_at_once or max(1, CACHED_BYTES // (8 * queries.shape[1] + 32))
    squared = np.empty(len(rows), np.float64)
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        gathered = np.asarray(database[rows[part]], np.float32)
        difference = torch.from_numpy(gathered).to(queries.device).sub_(queries[asked[part]])
        norms = torch.linalg.vector_norm(difference, dim=1, dtype=torch.float64)
        squared[part] = norms.square().cpu().numpy()
    return squared


def first_k(
    asked: NDArray[np.int64], rows: NDArray[np.int64], squared: NDArray[np.float64], count: int, k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return squared distances and rows (count, k) of each query's first pairs by distance, then row.

    Every query has at least ``k`` pairs. Distances are compared as the float32 that the caller sees.
    """
    order = np.lexsort((rows, np.sqrt(squared).astype(np.float32), asked))
    starts = np.searchsorted(asked[order], np.arange(count))
    chosen = order[starts[:, None] + np.arange(k)]
    return squared[chosen], rows[chosen]


def check_finite(norms: torch.Tensor, start: int, noun: str) -> None:
    """Refuse descriptors by their norms (B,), the first of which is number ``start``.

    Raises:
        UsageError: one holds NaN, infinity, or numbers whose squares are beyond float32.
    """
    usable = torch.isfinite(norms.square())
    if not bool(usable.all()):
        row = start + int(torch.nonzero(~usable)[0])
        raise UsageError(
            f"{noun} descriptor {row} holds NaN, infinity, or numbers whose squares are beyond float32. "
            "Describe that photo again, or leave it out."
        )
