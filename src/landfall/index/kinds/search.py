"""Nearest neighbours through a structure: its candidates, measured exactly.

The distances that come back are those of ``index.exact``, from the same function, and sort as there. What may
be missing are neighbours that the structure did not name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index.exact import check_finite, first_k, measure_pairs, search_exact
from landfall.index.kinds.interface import SearchStructure
from landfall.index.kinds.reading import allowed_rows
from landfall.index.rows import Matrix, SomeRows
from landfall.models.device import resolve_device

#: Of an index, the share that is measured at most unless a caller asks for more.
LARGEST_SHARE = 0.02
#: Candidates measured for each row that is asked for, and for a query at least.
_PER_MATCH = 20
_LEAST = 400
#: Pairs of a query and a candidate held at once.
_PAIRS_AT_ONCE = 2**20

Found = tuple[NDArray[np.float32], NDArray[np.int64]]


def default_shortlist(k: int, count: int) -> int:
    """Return how many candidates a search for ``k`` of ``count`` rows measures.

    20 for each match and 400 at least, within 2 % of the rows; ``k`` where that is more than all this.
    """
    return min(count, max(k, min(int(LARGEST_SHARE * count), max(_LEAST, _PER_MATCH * k))))


def search_with(
    structure: SearchStructure[Any],
    descriptors: Matrix,
    queries: NDArray[np.floating],
    k: int,
    *,
    shortlist: int | None = None,
    allowed: NDArray[np.bool_] | NDArray[np.integer] | None = None,
    device: str | torch.device | None = None,
) -> Found:
    """Return the ``k`` nearest rows to each query among the structure's candidates and the uncovered rows.

    Where few covered rows may be found, no more than ``shortlist``, 400, or 2 % of the index, all of them are
    searched exactly: that reads no more than a query's candidates. A query for which the structure named
    fewer than ``k`` rows is searched exactly, too.

    Args:
        structure: built on the first ``structure.covered`` of the descriptors.
        descriptors: (N, D) float16 or float32, mapped or not; read at the candidates, in ascending order.
        queries: (Q, D), taken as float32.
        k: how many; all that are allowed where they are fewer.
        shortlist: candidates a query, at least ``k``; by default as ``default_shortlist`` says.
        allowed: rows that may be found: a mask (N,), or row numbers, ascending. All by default.
        device: where distances are computed; a GPU if there is one, by default.

    Returns:
        distances: (Q, min(k, allowed)) float32, Euclidean, ascending.
        rows: (Q, min(k, allowed)) int64; rows at equal distances ascend.

    Raises:
        UsageError: sizes that don't go together, ``k`` below 1, a ``shortlist`` below ``k``, or queries or
            rows that are not finite.
        ModelError: no such device here.
    """
    queries = np.ascontiguousarray(queries, np.float32)
    count = len(descriptors)
    if queries.ndim != 2 or not descriptors.shape[1] == structure.dim == queries.shape[1]:
        raise UsageError(
            f"Queries of shape {queries.shape} can't be searched in descriptors of shape {descriptors.shape} "
            f"with a structure for {structure.dim} numbers: one length is expected. Were they made by the "
            "same model?"
        )
    if k < 1 or (shortlist is not None and shortlist < k):
        raise UsageError(
            f"k is {k} and shortlist {shortlist}; k must be 1 or more, and shortlist at least k."
        )
    if structure.covered > count:
        raise UsageError(
            f"The structure covers {structure.covered} rows, and {count} came. It belongs to another index."
        )
    check_finite(torch.linalg.vector_norm(torch.from_numpy(queries), dim=1), 0, "Query")
    asked = shortlist or default_shortlist(k, count)
    rows = None if allowed is None else allowed_rows(allowed, count)
    cut = structure.covered if rows is None else int(np.searchsorted(rows, structure.covered))
    on = resolve_device(device)
    if cut <= max(asked, _LEAST, int(LARGEST_SHARE * count)):
        return _search_some(descriptors, rows, queries, k, on)
    known = None if rows is None else rows[:cut]
    tail = np.arange(cut, count) if rows is None else rows[cut:]
    near = _search_known(structure, descriptors, queries, min(k, cut), asked, known, on)
    if len(tail) == 0:
        return near
    return _merge(near, _search_some(descriptors, tail, queries, k, on), k)


def _search_known(
    structure: SearchStructure[Any],
    descriptors: Matrix,
    queries: NDArray[np.float32],
    k: int,
    shortlist: int,
    known: NDArray[np.int64] | None,
    device: torch.device,
) -> Found:
    """Search the covered rows, or those of them that are ``known``; they are at least ``k``."""
    distances = np.empty((len(queries), k), np.float32)
    rows = np.empty((len(queries), k), np.int64)
    step = max(1, _PAIRS_AT_ONCE // shortlist)
    for first in range(0, len(queries), step):
        part = slice(first, first + step)
        named = structure.shortlist(queries[part], shortlist, allowed=known)
        enough = (named >= 0).sum(axis=1) >= k
        distances[part][enough], rows[part][enough] = nearest_among(
            descriptors, queries[part][enough], named[enough], k, device
        )
        if not enough.all():
            of = np.arange(structure.covered) if known is None else known
            distances[part][~enough], rows[part][~enough] = _search_some(
                descriptors, of, queries[part][~enough], k, device
            )
    return distances, rows


def nearest_among(
    descriptors: Matrix,
    queries: NDArray[np.float32],
    candidates: NDArray[np.int64],
    k: int,
    device: torch.device,
) -> Found:
    """Return distances and rows (Q, k) of the nearest of each query's candidates (Q, C), measured exactly.

    Args:
        descriptors: (N, D), read in the order of rows.
        queries: (Q, D) float32.
        candidates: at least ``k`` rows a query, none twice; -1 where there are fewer.
        k: how many.
        device: where to compute.
    """
    asked, places = np.nonzero(candidates >= 0)
    rows = candidates[asked, places]
    # A mapped file is read forwards, and once for neighbours that several queries share.
    order = np.argsort(rows, kind="stable")
    asked, rows = asked[order], rows[order]
    squared = measure_pairs(descriptors, torch.from_numpy(queries).to(device), asked, rows)
    best, found = first_k(asked, rows, squared, len(queries), k)
    return np.sqrt(best).astype(np.float32), found


def _search_some(
    descriptors: Matrix,
    rows: NDArray[np.int64] | None,
    queries: NDArray[np.float32],
    k: int,
    device: torch.device,
) -> Found:
    """Search some rows exactly, or all."""
    if rows is None:
        return search_exact(descriptors, queries, k, device=device)
    distances, places = search_exact(SomeRows(descriptors, rows), queries, k, device=device)
    return distances, rows[places]


def _merge(one: Found, other: Found, k: int) -> Found:
    """Return the nearest of two searches of the same queries in different rows."""
    distances = np.concatenate([one[0], other[0]], axis=1)
    rows = np.concatenate([one[1], other[1]], axis=1)
    asked = np.repeat(np.arange(len(rows)), rows.shape[1])
    # The square of a float32 is exact as float64, and so is its root.
    squared = distances.astype(np.float64).reshape(-1) ** 2
    best, found = first_k(asked, rows.reshape(-1), squared, len(rows), min(k, rows.shape[1]))
    return np.sqrt(best).astype(np.float32), found
