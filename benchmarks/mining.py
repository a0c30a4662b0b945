"""Mining a round of training: one blocked product for all queries, against an index built for every query.

    python benchmarks/mining.py [--queries 1000] [--sample 1000] [--dim 16384] [--rounds 3]

Database photos stand every 2 m along a street of 10 km, queries anywhere on it; positives lie within 10 m
(about 10 a query), photos within 25 m are no negatives, and 10 negatives a query come from a shared sample.
Descriptors are random unit vectors in the place of the cached ones.

- ``landfall``: `landfall.mining.mine`.
- ``per_query_index``: for each query, its positives are gathered from the cache, put into a faiss
  IndexFlatL2 and searched, then so are its negatives: the sample less what is excluded.

**Time** is CPU time of the process, one thread, from the cached descriptors to the triplets. Each way runs in
a process of its own, the ways taking turns for ``rounds``; ``speedup`` is the median of the rounds' ratios.

**Memory** of `mine`, for descriptors cached as float32 and as float16: in a process of its own, the highest
resident set while mining (Linux's VmHWM, reset before), less what the process held before the cache was
filled (``cache_and_mining_mb``), and less what it held with the cache (``mining_mb``).
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from environment import RESULTS, environment, write_result
from landfall.geo import Neighbours, Positions, neighbours_within
from landfall.mining import Round, Triplets, mine, plan_round
from processes import forget_peak, held_mb, in_new_process

NEGATIVES = 10
Descriptors = NDArray[np.floating]


class Case:
    """A street, a round of mining on it, and the round's descriptors."""

    def __init__(self, queries: int, sample: int) -> None:
        rng = np.random.default_rng(0)
        along_m = np.arange(0.0, 10_000.0, 2.0)
        database = Positions.planar(along_m, np.zeros(len(along_m)))
        asked = Positions.planar(rng.uniform(0, 10_000, queries), np.zeros(queries))
        self.positives: Neighbours = neighbours_within(database, asked, 10.0)
        self.excluded: Neighbours = neighbours_within(database, asked, 25.0)
        rows = np.arange(queries)
        self.round: Round = plan_round("partial", rows, self.positives, len(along_m), rng=rng, sample=sample)

    def descriptors(self, dim: int, dtype: type[np.floating]) -> tuple[Descriptors, Descriptors]:
        """Return those of the queries and of the database photos, filled a few at a time."""
        made = []
        for seed, count in enumerate((len(self.round.queries), len(self.round.database))):
            rng = np.random.default_rng(seed)
            cache = np.empty((count, dim), dtype)
            for start in range(0, count, 64):
                part = rng.standard_normal((min(64, count - start), dim), dtype=np.float32)
                cache[start : start + 64] = part / np.linalg.norm(part, axis=1, keepdims=True)
            made.append(cache)
        return made[0], made[1]


def with_landfall(
    planned: Round, positives: Neighbours, excluded: Neighbours, queries: Descriptors, database: Descriptors
) -> Triplets:
    return mine(planned, queries, database, positives, excluded, negatives=NEGATIVES, device="cpu")


def with_an_index_per_query(
    planned: Round, positives: Neighbours, excluded: Neighbours, queries: Descriptors, database: Descriptors
) -> Triplets:
    place = {int(row): at for at, row in enumerate(planned.database)}
    best, hardest = [], []

    def nearest(query: Descriptors, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        index = faiss.IndexFlatL2(database.shape[1])
        index.add(database[[place[int(row)] for row in rows]])
        return np.asarray(rows[index.search(query[None], count)[1][0]])

    for query, described in zip(planned.queries, queries, strict=True):
        best.append(nearest(described, positives[int(query)], 1)[0])
        far = np.setdiff1d(planned.sample, excluded[int(query)], assume_unique=True)
        hardest.append(nearest(described, far, NEGATIVES))
    return Triplets(planned.queries, np.array(best), np.array(hardest))


WAYS: dict[str, Callable[[Round, Neighbours, Neighbours, Descriptors, Descriptors], Triplets]] = {
    "landfall": with_landfall,
    "per_query_index": with_an_index_per_query,
}


def _warm(way: str) -> Case:
    """Use one thread, and mine a tiny round, which loads code that no way should be charged for."""
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    tiny = Case(5, 40)
    WAYS[way](tiny.round, tiny.positives, tiny.excluded, *tiny.descriptors(16, np.float32))
    return tiny


def _measure_time(way: str, queries: int, sample: int, dim: int, sender: Connection) -> None:
    _warm(way)
    case = Case(queries, sample)
    described = case.descriptors(dim, np.float32)
    started = time.process_time()
    triplets = WAYS[way](case.round, case.positives, case.excluded, *described)
    sender.send((time.process_time() - started, triplets.positives, triplets.negatives))


def _measure_memory(
    dtype: type[np.floating], queries: int, sample: int, dim: int, sender: Connection
) -> None:
    _warm("landfall")
    case = Case(queries, sample)
    empty = held_mb("VmRSS")
    described = case.descriptors(dim, dtype)
    cached = held_mb("VmRSS")
    forget_peak()
    with_landfall(case.round, case.positives, case.excluded, *described)
    peak = held_mb("VmHWM")
    sender.send(
        {
            "cache_mb": sum(part.nbytes for part in described) / 2**20,
            "cache_and_mining_mb": peak - empty,
            "mining_mb": peak - cached,
        }
    )


def agreement(
    planned: Round,
    queries: Descriptors,
    database: Descriptors,
    ours: tuple[Any, Any],
    theirs: tuple[Any, Any],
) -> dict[str, float]:
    """Return shares of triplets that are the same, and what separates photos that are not.

    ``largest_tie``: over all places in the ranking where the two ways took different photos, the largest
    difference of the two photos' distances to the query, in float64, relative to the distance.
    """

    def distances(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        at = np.searchsorted(planned.database, rows)
        asked = np.arange(len(queries))
        return np.array(
            [
                np.linalg.norm(database[at[t]].astype(np.float64) - queries[t].astype(np.float64), axis=-1)
                for t in asked
            ]
        )

    ranked = [np.concatenate([best[:, None], hardest], axis=1) for best, hardest in (ours, theirs)]
    measured = [distances(rows) for rows in ranked]
    apart = np.abs(measured[0] - measured[1]) / measured[1]
    same = [set(a) == set(b) for a, b in zip(ours[1].tolist(), theirs[1].tolist(), strict=True)]
    return {
        "same_best_positive": float((ours[0] == theirs[0]).mean()),
        "same_set_of_negatives": float(np.mean(same)),
        "same_negative_in_the_same_place": float((ours[1] == theirs[1]).mean()),
        "largest_tie": float(apart[ranked[0] != ranked[1]].max(initial=0.0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=1000)
    parser.add_argument("--dim", type=int, default=16_384)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "mining.json")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    size = options.queries, options.sample, options.dim
    case = Case(options.queries, options.sample)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    triplets: dict[str, tuple[Any, Any]] = {}
    for _ in range(options.rounds):
        for way, taken in seconds.items():
            spent, positives, negatives = in_new_process(_measure_time, way, *size)
            taken.append(spent)
            triplets[way] = positives, negatives
    ratios = [slow / fast for slow, fast in zip(seconds["per_query_index"], seconds["landfall"], strict=True)]
    result = {
        "queries": options.queries,
        "sample": len(case.round.sample),
        "negatives": NEGATIVES,
        "descriptor_dim": options.dim,
        "described_database_photos": len(case.round.database),
        "positives_per_query": float(case.positives.counts.mean()),
        "rounds": options.rounds,
        "cpu_s": {way: statistics.median(taken) for way, taken in seconds.items()},
        "speedup": statistics.median(ratios),
        "speedups": ratios,
        "agreement": agreement(
            case.round,
            *case.descriptors(options.dim, np.float32),
            triplets["landfall"],
            triplets["per_query_index"],
        ),
        "memory": {
            name: in_new_process(_measure_memory, dtype, *size)
            for name, dtype in (("float32", np.float32), ("float16", np.float16))
        },
        "threads": 1,
        "environment": environment("torch", "faiss-cpu", "numpy"),
    }
    write_result(result, options.out)


if __name__ == "__main__":
    main()
