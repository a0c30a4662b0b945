"""NetVLAD's core against the plain loop over clusters, and against the naive broadcast's memory.

    python benchmarks/netvlad.py [--rounds 5] [--passes 7] [--out benchmarks/results/netvlad.json]

How it is measured stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from environment import RESULTS, environment, write_result
from landfall.models.heads.netvlad import netvlad
from processes import forget_peak, held_mb, in_new_process

BATCH, CHANNELS, HEIGHT, WIDTH, CLUSTERS = 8, 256, 30, 40, 64

Core = Callable[[Tensor, Tensor, Tensor], Tensor]


def _assigned(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the normalised map (B, C, N) and its soft assignment (B, K, N), as all but ours share them."""
    local = F.normalize(x, dim=1)
    assignment = F.conv2d(local, weight[:, :, None, None]).softmax(dim=1)
    return local.flatten(2), assignment.flatten(2)


def _finished(residuals: Tensor) -> Tensor:
    """Return the descriptors (B, K * C) of residuals (B, K, C)."""
    return F.normalize(F.normalize(residuals, dim=2).flatten(1), dim=1)


def loop(x: Tensor, weight: Tensor, centroids: Tensor) -> Tensor:
    """For each cluster: subtract its centre from the flattened map, weight by its assignment, sum."""
    local, assignment = _assigned(x, weight)
    residuals = torch.zeros(len(x), len(centroids), x.shape[1], dtype=x.dtype)
    for k in range(len(centroids)):
        residual = local - centroids[k][None, :, None]
        residuals[:, k] = (residual * assignment[:, k : k + 1]).sum(dim=2)
    return _finished(residuals)


def broadcast(x: Tensor, weight: Tensor, centroids: Tensor) -> Tensor:
    """All clusters' residuals at once, (B, K, C, N), weighted and summed."""
    local, assignment = _assigned(x, weight)
    residuals = local[:, None] - centroids[None, :, :, None]
    return _finished((residuals * assignment[:, :, None]).sum(dim=3))


CORES: dict[str, Core] = {"matrix_product": netvlad, "loop": loop, "broadcast": broadcast}


def inputs(*, requires_grad: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return a map, assignment weights and centroids, the same for every core."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(BATCH, CHANNELS, HEIGHT, WIDTH, generator=generator)
    centroids = F.normalize(torch.rand(CLUSTERS, CHANNELS, generator=generator), dim=1)
    weight = 100 * centroids  # as sharp as after the initialisation on street views
    tensors = (x, weight, centroids.clone())
    for tensor in tensors:
        tensor.requires_grad_(requires_grad)
    return tensors


def forward(core: Core, tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    with torch.inference_mode():
        core(*tensors)


def forward_backward(core: Core, tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    for tensor in tensors:
        tensor.grad = None
    core(*tensors)[:, ::7].sum().backward()  # type: ignore[no-untyped-call]


STEPS = {"forward": forward, "forward_backward": forward_backward}


def _measure_time(name: str, step: str, passes: int, sender: Connection) -> None:
    """Send the seconds of each pass but the first; runs in a process of its own."""
    torch.set_num_threads(1)
    tensors = inputs(requires_grad=step == "forward_backward")
    seconds = []
    for _ in range(passes + 1):
        start = time.process_time()
        STEPS[step](CORES[name], tensors)
        seconds.append(time.process_time() - start)
    sender.send(seconds[1:])


def measure_time(rounds: int, passes: int) -> dict[str, dict[str, float]]:
    """Return for each step the median seconds of ours and of the loop, and their ratio with its range."""
    results: dict[str, dict[str, float]] = {}
    for step in STEPS:
        seconds: dict[str, list[list[float]]] = {"matrix_product": [], "loop": []}
        for _ in range(rounds):
            for name, taken in seconds.items():
                taken.append(in_new_process(_measure_time, name, step, passes))
        ours, theirs = ([statistics.median(one) for one in taken] for taken in seconds.values())
        ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
        results[step] = {
            "matrix_product_s": statistics.median(ours),
            "loop_s": statistics.median(theirs),
            "speedup": statistics.median(ratios),
            "speedup_least_round": min(ratios),
            "speedup_greatest_round": max(ratios),
        }
    return results


def _measure_memory(name: str, step: str, sender: Connection) -> None:
    """Send how many MB a core's step adds to the process at its height; runs in a process of its own."""
    torch.set_num_threads(1)
    tensors = inputs(requires_grad=step == "forward_backward")
    # A first pass on one photo and few locations loads code and buffers that no core should be charged for.
    small = tuple(t[:1, :, :2, :2] if t.ndim == 4 else t for t in tensors)
    STEPS[step](CORES[name], tuple(t.detach().clone().requires_grad_(t.requires_grad) for t in small))  # type: ignore[arg-type]
    forget_peak()
    before = held_mb("VmRSS")
    STEPS[step](CORES[name], tensors)
    sender.send(held_mb("VmHWM") - before)


def measure_memory() -> dict[str, dict[str, float]]:
    """Return for each step the peak MB of every core above its inputs, and ours by the broadcast's."""
    results: dict[str, dict[str, float]] = {}
    for step in STEPS:
        peaks = {f"{name}_mb": in_new_process(_measure_memory, name, step) for name in CORES}
        share = peaks["matrix_product_mb"] / peaks["broadcast_mb"]
        results[step] = {**peaks, "share_of_broadcast": share}
    return results


@contextmanager
def _allocator_keeps_memory() -> Iterator[None]:
    """Let processes started inside keep freed memory (glibc), as a long-running program comes to do."""
    settings = {"MALLOC_TRIM_THRESHOLD_": "4000000000", "MALLOC_MMAP_THRESHOLD_": "4000000000"}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]


def check_equal() -> float:
    """Return the largest difference between any two cores' descriptors, computed in float64."""
    x, weight, centroids = (t.double() for t in inputs(requires_grad=False))
    ours = netvlad(x[:1], weight, centroids)
    return max(float((ours - other(x[:1], weight, centroids)).abs().max()) for other in (loop, broadcast))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS / "netvlad.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with _allocator_keeps_memory():
        time_keeping = measure_time(options.rounds, options.passes)
    result = {
        "shape": {"B": BATCH, "C": CHANNELS, "H": HEIGHT, "W": WIDTH, "K": CLUSTERS},
        "threads": 1,
        "rounds": options.rounds,
        "passes": options.passes,
        "largest_difference_float64": check_equal(),
        "time": measure_time(options.rounds, options.passes),
        "time_allocator_keeps_memory": time_keeping,
        "memory": measure_memory(),
        "environment": environment("torch", "numpy"),
    }
    write_result(result, options.out)


if __name__ == "__main__":
    main()
