"""Table 2: parameters and milliseconds a photo of each head, with the same backbone before it.

Time is that of the network on one decoded photo, as in the paper: reading, resizing and normalising are left
out. After a warm-up the heads take turns, so that whatever else the machine does meets all of them alike; a
GPU is waited for before and after each photo. On a CPU one thread computes, and its processor time counts: on
an idle machine that is the time that passes, and a busy one adds nothing to it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from landfall.errors import UsageError
from landfall.experiments.paper.environment import environment
from landfall.experiments.paper.products.context import PRODUCTS, Context

if TYPE_CHECKING:
    from torch import Tensor

    from landfall.models import Network

WARM_UP, REPEATS = 5, 40


@PRODUCTS.register("costs")
def measure_costs(context: Context) -> dict[str, Any]:
    """Count each variant's parameters and time its network; the run of the first seed stands for all."""
    from landfall.models.device import resolve_device
    from landfall.models.threads import compute_in_one_thread

    device = resolve_device(context.task.machine.device)
    networks = {run.variant.label: _load(context, run.folder_name, str(device)) for run in context.first_runs}
    size = context.first_runs[0].recipe.model
    # Noise: what a photo shows takes no time.
    photo = np.random.default_rng(0).integers(0, 256, (1, size.height, size.width, 3), dtype=np.uint8)
    passes = {label: _forward(network, network.normalise(photo)) for label, network in networks.items()}
    if device.type == "cpu":
        spent = compute_in_one_thread(lambda: time_in_turns(passes, WARM_UP, REPEATS, clock=time.thread_time))
    else:
        spent = time_in_turns(passes, WARM_UP, REPEATS)
    return {
        "parameters": {label: head_parameters(network) for label, network in networks.items()},
        "descriptor_dim": {label: network.card.descriptor_dim for label, network in networks.items()},
        "ms": {label: quartiles(times) for label, times in spent.items()},
        "repeats": REPEATS,
        "size": [size.height, size.width],
        "threads": 1 if device.type == "cpu" else None,
        "environment": environment(),
    }


def head_parameters(network: Network) -> int:
    """Return how many parameters a network has beside its backbone and its centroids, as the paper counts."""
    return sum(each.numel() for name, each in network.head.named_parameters() if name != "centroids")


def time_in_turns(
    passes: Mapping[str, Callable[[], None]],
    warm_up: int,
    repeats: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return the milliseconds of each repeat of each function, after calls that are not counted.

    Args:
        passes: the functions, by label.
        warm_up, repeats: calls of each.
        clock: in seconds.
    """
    spent: dict[str, list[float]] = {label: [] for label in passes}
    for turn in range(warm_up + repeats):
        for label, compute in passes.items():
            started = clock()
            compute()
            if turn >= warm_up:
                spent[label].append(1000.0 * (clock() - started))
    return spent


def quartiles(values: list[float]) -> dict[str, float]:
    """Return the median of at least two values, and the quartiles as their spread."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def _load(context: Context, folder_name: str, device: str) -> Network:
    from landfall.models import Network, load_model

    model = load_model(context.folder.run(folder_name).model, device=device)
    if not isinstance(model, Network):
        raise UsageError(f"{folder_name} holds {model.card.name}, which is no network: remove that folder.")
    return model.eval()


def _forward(network: Network, x: Tensor) -> Callable[[], None]:
    """Return what describes one photo (1, 3, H, W) and returns when it is done."""
    import torch

    def compute() -> None:
        with torch.inference_mode():
            network(x)
        if x.is_cuda:
            torch.cuda.synchronize(x.device)

    return compute
