"""Exact search against faiss's IndexFlatL2 and against naive numpy, on one file of descriptors.

    python benchmarks/exact_search.py [--photos 10000] [--dim 4096] [--queries 300] [--k 20] [--rounds 3]

Each way runs in a process of its own, on one thread, the ways taking turns for ``rounds``; it opens the same
``.npy`` file of random unit descriptors and finds the ``k`` nearest of each query, twice. **CPU seconds** are
of the process: ``first_s`` from the closed file to the first answer (faiss and numpy read the whole file,
faiss copies it once more), ``again_s`` for the same search once more; of the rounds, the median. **Memory**
beyond what importing took: ``resident_mb`` is the highest resident set and counts the mapped file, pages that
the system takes back when it needs them; ``own_mb`` is the highest anonymous memory, sampled every 2 ms.
Linux only.

Before anything is measured the ways are checked to find the same rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from environment import RESULTS, environment, write_result
from landfall.index import search_exact
from processes import forget_peak, held_mb, in_new_process

Queries = NDArray[np.float32]
Found = tuple[NDArray[np.float32], NDArray[np.int64]]
Search = Callable[[Queries, int], Found]


def open_landfall(path: Path) -> Search:
    database = np.load(path, mmap_mode="c")
    return lambda queries, k: search_exact(database, queries, k, device="cpu")


def open_faiss(path: Path) -> Search:
    database = np.load(path)
    index = faiss.IndexFlatL2(database.shape[1])
    index.add(database)

    def search(queries: Queries, k: int) -> Found:
        squared, rows = index.search(queries, k)
        return np.sqrt(squared), rows

    return search


def open_numpy(path: Path) -> Search:
    database = np.load(path)
    squares = (database**2).sum(axis=1)

    def search(queries: Queries, k: int) -> Found:
        squared = squares + (queries**2).sum(axis=1)[:, None] - 2 * queries @ database.T
        rows = np.argpartition(squared, k, axis=1)[:, :k]
        near = np.take_along_axis(squared, rows, axis=1)
        order = np.argsort(near, axis=1)
        return np.sqrt(np.take_along_axis(near, order, axis=1)), np.take_along_axis(rows, order, axis=1)

    return search


WAYS: dict[str, Callable[[Path], Search]] = {
    "landfall": open_landfall,
    "faiss_flat": open_faiss,
    "naive_numpy": open_numpy,
}


def _measure(way: str, path: Path, queries: Queries, k: int, sender: Connection) -> None:
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    # A first search of a tiny file loads code that no way should be charged for.
    tiny = path.with_name("tiny.npy")
    WAYS[way](tiny)(np.ones((1, queries.shape[1]), np.float32), 1)
    forget_peak()
    before, own_before = held_mb("VmRSS"), held_mb("RssAnon")
    own, done = [own_before], threading.Event()

    def sample() -> None:
        while not done.wait(0.002):
            own.append(held_mb("RssAnon"))

    sampler = threading.Thread(target=sample)
    sampler.start()
    search = WAYS[way](path)
    search(queries, k)
    done.set()
    sampler.join()
    resident = held_mb("VmHWM") - before
    del search
    started = time.process_time()
    search = WAYS[way](path)
    search(queries, k)
    first = time.process_time() - started
    search(queries, k)
    again = time.process_time() - started - first
    sender.send(
        {"first_s": first, "again_s": again, "resident_mb": resident, "own_mb": max(own) - own_before}
    )


def write_descriptors(folder: Path, photos: int, dim: int, queries: int) -> tuple[Path, Queries]:
    """Write random unit descriptors, and return the file and queries near some of them."""
    rng = np.random.default_rng(0)
    database = rng.standard_normal((photos, dim), dtype=np.float32)
    database /= np.linalg.norm(database, axis=1, keepdims=True)
    noise = rng.standard_normal((queries, dim), dtype=np.float32) / dim**0.5
    asked = database[rng.integers(0, photos, queries)] + 0.7 * noise
    np.save(folder / "descriptors.npy", database)
    np.save(folder / "tiny.npy", database[:5])
    return folder / "descriptors.npy", asked / np.linalg.norm(asked, axis=1, keepdims=True)


def agreement(path: Path, queries: Queries, k: int) -> dict[str, float]:
    """Return the share of matches that the other ways find as ours does, in the same place."""
    rows = {way: open_it(path)(queries, k)[1] for way, open_it in WAYS.items()}
    return {way: float((rows[way] == rows["landfall"]).mean()) for way in WAYS if way != "landfall"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--dim", type=int, default=4096)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "exact_search.json")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        path, queries = write_descriptors(Path(folder), options.photos, options.dim, options.queries)
        same = agreement(path, queries[:50], options.k)
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(options.rounds):
            for way, taken in runs.items():
                taken.append(in_new_process(_measure, way, path, queries, options.k))
    ways = {
        way: {key: statistics.median(run[key] for run in taken) for key in taken[0]}
        for way, taken in runs.items()
    }
    result = {
        "photos": options.photos,
        "descriptor_dim": options.dim,
        "queries": options.queries,
        "k": options.k,
        "database_mb": options.photos * options.dim * 4 / 2**20,
        "rounds": options.rounds,
        "same_matches_as_landfall": same,
        "ways": ways,
        "times_landfall": {
            way: {key: ways[way][key] / ways["landfall"][key] for key in ("first_s", "again_s")}
            for way in WAYS
            if way != "landfall"
        },
        "threads": 1,
        "environment": environment("torch", "faiss-cpu", "numpy"),
    }
    write_result(result, options.out)


if __name__ == "__main__":
    main()
