"""Every kind of search against exact search: time, memory, disk, and neighbours found.

    python benchmarks/search_kinds.py [--photos 200000 1000000] [--kinds ivfpq hnsw ...] [--work DIR]
    python benchmarks/search_kinds.py --descriptors D.npy --queries Q.npy [--dataset DATASET SPLIT]

The first draws descriptors of 512 numbers, stored as halves, from a distribution fitted to those of real
photos, near neighbours included: **synthetic, fitted** (`descriptor_model.py`). Queries are further views of
places that were drawn. The second takes files of descriptors, real ones; with the dataset whose photos they
describe, ``r_at_1`` is the percent of queries whose first match stands within 25 m, by exact search and by
each kind at a shortlist of 2 %.

Each kind is built in a process of its own, and searched in another that loads what was saved, both held to
``--memory-gib`` of memory of their own (``RLIMIT_DATA``, which does not count mapped files). What a kind gave
is kept in ``--work``, so that a run that was ended goes on with the next kind.

- ``build_s``, ``build_cpu_s``: from open descriptors to the saved folder; ``build_peak_mb``: the highest
  resident set meanwhile, mapped descriptors included; ``disk_mb``: the folder.
- ``resident_mb``: codes, links, centres and projection; ``ratio``: float32 descriptors by that.
- by length of shortlist: ``recall_1``, percent of queries whose nearest row is that of exact search, so that
  R@1 can differ by no more than the rest; ``recall_10``, percent of the ten nearest that are among the ten
  found; ``batch_ms`` and ``batch_cpu_ms`` a query, all queries at once, the median of ``--rounds`` searches;
  ``single_ms`` for queries one by one, their median. The 2 % shortlist is the last.
- ``search_peak_mb``: the highest resident set beyond what importing took; ``search_own_mb``: what is held
  of it at the end and is no mapped file.

Clock times on a busy machine are too long: ``load_average_1min`` says how busy. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descriptor_model import MODEL, draw, draw_queries
from environment import RESULTS, environment, write_result
from landfall.datasets import load_dataset
from landfall.index.exact import search_exact
from landfall.index.kinds import KINDS, build_structure, default_shortlist, load_structure, search_with
from processes import forget_peak, held_mb, in_new_process

K = 10
SINGLES = 30


def limit(memory_gib: float) -> None:
    """Hold this process to so much memory of its own."""
    most = int(memory_gib * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def find_true(descriptors: Path, queries: Path, out: Path, memory_gib: float, sender: Connection) -> None:
    limit(memory_gib)
    rows, asked = np.load(descriptors, mmap_mode="r"), np.load(queries)
    search_exact(rows[:1000], asked, K, device="cpu")
    times = timed(lambda part: search_exact(rows, part, K, device="cpu"), asked, rounds=1, singles=3)
    np.save(out, search_exact(rows, asked, K, device="cpu")[1])
    numbers = rows.shape[0] * rows.shape[1]
    sender.send(times | {"ns_per_number": 1e6 * times["single_ms"] / numbers})


def build(kind: str, descriptors: Path, out: Path, memory_gib: float, seed: int, sender: Connection) -> None:
    limit(memory_gib)
    rows = np.load(descriptors, mmap_mode="r")
    forget_peak()
    started, cpu_started = time.perf_counter(), time.process_time()
    structure = build_structure(kind, rows, seed=seed)
    structure.save(out)
    sender.send(
        {
            "build_s": time.perf_counter() - started,
            "build_cpu_s": time.process_time() - cpu_started,
            "build_peak_mb": held_mb("VmHWM"),
            "disk_mb": sum(path.stat().st_size for path in out.iterdir()) / 2**20,
            "structure": structure.describe(),
        }
    )


def search(
    folder: Path,
    descriptors: Path,
    queries: Path,
    true: Path,
    memory_gib: float,
    rounds: int,
    sender: Connection,
) -> None:
    limit(memory_gib)
    rows, asked, expected = np.load(descriptors, mmap_mode="r"), np.load(queries), np.load(true)
    search_exact(rows[:1000], asked[:2], K, device="cpu")
    forget_peak()
    before, own_before = held_mb("VmRSS"), held_mb("RssAnon")
    structure = load_structure(folder)
    points = []
    for length in shortlists(len(rows)):

        def find(part: NDArray[np.float32], length: int = length) -> NDArray[np.int64]:
            return search_with(structure, rows, part, K, shortlist=length, device="cpu")[1]

        found = find(asked)
        np.save(folder / "found.npy", found[:, :1])
        points.append(
            {
                "shortlist": length,
                "recall_1": 100 * float((found[:, 0] == expected[:, 0]).mean()),
                "recall_10": 100 * float((found[:, :, None] == expected[:, None]).any(axis=1).mean()),
            }
            | timed(find, asked, rounds=rounds, singles=SINGLES)
        )
    held = structure.resident_bytes
    sender.send(
        {
            "resident_mb": held / 2**20,
            "ratio": rows.shape[0] * rows.shape[1] * 4 / held if held else None,
            "search_peak_mb": held_mb("VmHWM") - before,
            "search_own_mb": held_mb("RssAnon") - own_before,
            "points": points,
        }
    )


def timed(find: Any, asked: NDArray[np.float32], *, rounds: int, singles: int) -> dict[str, float]:
    """Return the times of a search, in milliseconds a query."""
    batch, cpu, single = [], [], []
    for _ in range(rounds):
        started, cpu_started = time.perf_counter(), time.process_time()
        find(asked)
        batch.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_started)
    for i in range(min(singles, len(asked))):
        started = time.perf_counter()
        find(asked[i : i + 1])
        single.append(time.perf_counter() - started)
    return {
        "batch_ms": 1000 * statistics.median(batch) / len(asked),
        "batch_cpu_ms": 1000 * statistics.median(cpu) / len(asked),
        "single_ms": 1000 * statistics.median(single),
    }


def shortlists(count: int) -> list[int]:
    """Return lengths to measure: some fixed ones, the default, and 2 %, which is the last."""
    most = max(K, count // 50)
    return sorted(
        {length for length in (100, 400, 1600) if length < most} | {default_shortlist(K, count), most}
    )


def r_at_1(dataset: list[str], found: NDArray[np.int64]) -> float:
    """Return the percent of a dataset's queries whose first row found (Q, 1) is within 25 m."""
    positives = load_dataset(*dataset).positives(25.0)
    return 100 * float(positives.contains(found).mean())


def write_drawn(folder: Path, photos: int, queries: int, seed: int) -> tuple[Path, Path]:
    """Write drawn descriptors and queries, unless they are there; return their files."""
    places = folder / "descriptors.npy", folder / "queries.npy"
    if not places[1].exists():
        model = json.loads(MODEL.read_text(encoding="utf-8"))
        rows = np.lib.format.open_memmap(
            places[0], mode="w+", dtype=np.float16, shape=(photos, len(model["total"]))
        )
        first = 0
        for block in draw(model, photos, seed):
            rows[first : first + len(block)] = block
            first += len(block)
        rows.flush()
        np.save(places[1], draw_queries(model, photos, queries, seed))
    return places


def measure(folder: Path, descriptors: Path, queries: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what each kind gave; what an earlier run measured in this folder is taken as it is."""
    true = folder / "true.npy"
    rows = np.load(descriptors, mmap_mode="r")
    given: dict[str, Any] = {}
    for kind in ["exact", *(kind for kind in options.kinds if kind != "exact")]:
        kept = folder / f"{kind}.json"
        if not kept.exists() or (kind == "exact" and not true.exists()):
            try:
                if kind == "exact":
                    told = in_new_process(find_true, descriptors, queries, true, options.memory_gib)
                    if options.dataset:
                        told["r_at_1"] = r_at_1(options.dataset, np.load(true)[:, :1])
                else:
                    built = folder / kind
                    shutil.rmtree(built, ignore_errors=True)
                    told = in_new_process(build, kind, descriptors, built, options.memory_gib, options.seed)
                    told |= in_new_process(
                        search, built, descriptors, queries, true, options.memory_gib, options.rounds
                    )
                    if options.dataset:
                        told["r_at_1"] = r_at_1(options.dataset, np.load(built / "found.npy"))
                    shutil.rmtree(built)
            except EOFError:
                told = {"failed": f"its process ended without an answer, within {options.memory_gib} GiB"}
            told["load_average_1min"] = round(os.getloadavg()[0], 1)
            kept.write_text(json.dumps(told), encoding="utf-8")
        given[kind] = json.loads(kept.read_text(encoding="utf-8"))
        print(kind, json.dumps(given[kind]), flush=True)
    return {
        "photos": len(rows),
        "descriptor_dim": rows.shape[1],
        "stored_as": rows.dtype.name,
        "queries": len(np.load(queries, mmap_mode="r")),
        "k": K,
        "kinds": given,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--asked", type=int, default=300, help="queries that are drawn")
    parser.add_argument("--descriptors", type=Path, help=".npy of real ones (N, D)")
    parser.add_argument("--queries", type=Path, help=".npy of real ones (Q, D)")
    parser.add_argument("--dataset", nargs=2, help="dataset and split that those describe")
    parser.add_argument("--kinds", nargs="+", default=KINDS.names(), choices=KINDS.names())
    parser.add_argument("--memory-gib", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--work", type=Path, help="where what is measured is kept, to go on; a new folder by default"
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "search_kinds.json")
    options = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        runs = []
        if options.descriptors is not None:
            work.mkdir(parents=True, exist_ok=True)
            of = options.dataset and f"{Path(options.dataset[0]).name} {options.dataset[1]}"
            told = measure(work, options.descriptors, options.queries, options)
            runs.append(told | {"data": "real", "dataset": of})
        else:
            for photos in options.photos:
                folder = work / str(photos)
                folder.mkdir(parents=True, exist_ok=True)
                files = write_drawn(folder, photos, options.asked, options.seed)
                runs.append(measure(folder, *files, options) | {"data": "synthetic, fitted"})
    model = json.loads(MODEL.read_text(encoding="utf-8"))
    result = {
        "runs": runs,
        "fit": {key: model[key] for key in ("fitted_to", "dim", "district", "neighbours", "kept_variance")},
        "memory_gib": options.memory_gib,
        "environment": environment("faiss-cpu", "torch", "numpy"),
    }
    write_result(result, options.out)


if __name__ == "__main__":
    main()
