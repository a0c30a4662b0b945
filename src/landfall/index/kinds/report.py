"""How good and how fast a structure is on its own index, against exact search.

Queries are rows of the index, drawn by a seed, each left out of its own search: the true neighbours of a row
are the other views of its place. Real queries may be further from every row, and are then harder.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index.exact import search_exact
from landfall.index.kinds.interface import SearchStructure
from landfall.index.kinds.reading import draw_sample
from landfall.index.kinds.search import LARGEST_SHARE, default_shortlist, search_with
from landfall.index.rows import Matrix
from landfall.rendering.plots import Curve, plot_curves

_NEIGHBOURS = 10
_BATCHES = 5
_SINGLES = 20


@dataclass(frozen=True)
class ShortlistPoint:
    """A search with one length of shortlist.

    Args:
        shortlist: candidates a query.
        recall_1: share of queries whose nearest neighbour is found, in percent.
        recall_10: share of the ten nearest that are among the ten found, in percent.
        batch_ms: milliseconds a query, all queries at once; the median of some searches.
        single_ms: milliseconds for a query by itself; the median of some.
    """

    shortlist: int
    recall_1: float
    recall_10: float
    batch_ms: float
    single_ms: float


@dataclass(frozen=True)
class SearchReport:
    """A structure measured against exact search.

    Args:
        structure: what it is (``SearchStructure.describe``).
        photos: N of the index.
        queries: rows of it that were asked.
        exact_batch_ms, exact_single_ms: of exact search, as in ``ShortlistPoint``.
        points: by the length of the shortlist.
        default_shortlist: the length that is taken when none is asked for.
        resident_ratio: float32 bytes of the covered descriptors, by the structure's bytes; None if that is 0.
        build_s: seconds that building took; None where that is not known.
    """

    structure: dict[str, Any]
    photos: int
    queries: int
    exact_batch_ms: float
    exact_single_ms: float
    points: tuple[ShortlistPoint, ...]
    default_shortlist: int
    resident_ratio: float | None
    build_s: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    def plot(self) -> bytes:
        """Return a PNG: recall of the neighbours against milliseconds a query, a point a shortlist."""
        ms = np.array([point.batch_ms for point in self.points])
        curves = [
            Curve("nearest found", ms, np.array([point.recall_1 for point in self.points])),
            Curve("ten nearest found", ms, np.array([point.recall_10 for point in self.points])),
        ]
        lengths = ", ".join(str(point.shortlist) for point in self.points)
        return plot_curves(
            curves,
            title=f"{self.structure['kind']} search of {self.photos} photos",
            subtitle=f"shortlists of {lengths}; exact search takes {self.exact_batch_ms:.3g} ms",
            x_label="Time for a query (ms, in a batch)",
            y_label="Neighbours of exact search (%)",
        )


def measure_structure(
    structure: SearchStructure[Any],
    rows: Matrix,
    *,
    queries: int = 200,
    shortlists: tuple[int, ...] | None = None,
    seed: int = 0,
    build_s: float | None = None,
    device: str | torch.device | None = None,
) -> SearchReport:
    """Measure a structure against exact search.

    Args:
        structure: built on the rows.
        rows: (N, D), at least 3.
        queries: how many rows are asked, at most.
        shortlists: lengths to measure, ascending; by default from 20 by factors of about 3 to 2 % of N.
        seed: draws the queries.
        build_s: what building took, to be told.
        device: where distances are computed.

    Raises:
        UsageError: fewer than 3 rows, or a structure of other ones.
    """
    if len(rows) < 3:
        raise UsageError(f"{len(rows)} photos are too few to measure a search on; 3 or more are needed.")
    structure.check(rows)
    chosen = draw_sample(len(rows), queries, seed)
    asked = np.asarray(rows[chosen], np.float32)
    k = min(_NEIGHBOURS, len(rows) - 1)
    true = _without_own(search_exact(rows, asked, k + 1, device=device)[1], chosen)
    exact = [_seconds(lambda part: search_exact(rows, part, k + 1, device=device), asked) for _ in range(2)]
    points = []
    for length in shortlists or _lengths(len(rows), k + 1):

        def search(part: NDArray[np.float32], length: int = length) -> NDArray[np.int64]:
            return search_with(structure, rows, part, k + 1, shortlist=length, device=device)[1]

        found = _without_own(search(asked), chosen)
        batch = [_seconds(search, asked) for _ in range(_BATCHES)]
        single = [_seconds(search, asked[i : i + 1]) for i in range(min(_SINGLES, len(asked)))]
        points.append(
            ShortlistPoint(
                shortlist=length,
                recall_1=100 * float((found[:, 0] == true[:, 0]).mean()),
                recall_10=100 * float((found[:, :, None] == true[:, None, :]).any(axis=1).mean()),
                batch_ms=1000 * median(batch) / len(asked),
                single_ms=1000 * median(single),
            )
        )
    held = structure.resident_bytes
    singles = [
        _seconds(lambda part: search_exact(rows, part, k + 1, device=device), asked[i : i + 1])
        for i in range(min(5, len(asked)))
    ]
    return SearchReport(
        structure=structure.describe(),
        photos=len(rows),
        queries=len(asked),
        exact_batch_ms=1000 * min(exact) / len(asked),
        exact_single_ms=1000 * median(singles),
        points=tuple(points),
        default_shortlist=default_shortlist(k + 1, len(rows)),
        resident_ratio=4 * structure.covered * structure.dim / held if held else None,
        build_s=build_s,
    )


def _lengths(count: int, k: int) -> list[int]:
    most = max(k, int(LARGEST_SHARE * count))
    lengths = {most, default_shortlist(k, count)}
    length = max(k, 20)
    while length < most:
        lengths.add(length)
        length = length * 10 // 3
    return sorted(lengths)


def _without_own(found: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows found (Q, k), of (Q, k + 1), without each query's own."""
    kept = found != own[:, None]
    # A row's duplicates may leave it out of its own nearest; then the last one goes.
    kept[kept.all(axis=1), -1] = False
    return np.reshape(found[kept], (len(found), -1))


def _seconds(search: Any, part: NDArray[np.float32]) -> float:
    started = time.perf_counter()
    search(part)
    return time.perf_counter() - started
