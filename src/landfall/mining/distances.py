"""Distances between descriptors that lie in a cache of any kind: an array, a mapped file, or a tensor."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landfall.errors import UsageError

Rows = NDArray[np.int64]
Descriptors = NDArray[np.floating] | Tensor
"""(N, D) in float16 or float32."""

# Differences measured at once on a CPU: more than its caches hold is several times slower.
CACHED_BYTES = 4 * 2**20
# On a GPU small pieces would leave it waiting.
GPU_BYTES = 512 * 2**20


def take(descriptors: Descriptors, places: Rows, device: torch.device) -> Tensor:
    """Return some rows (P, D) in float32 on a device; the cache itself is not copied."""
    if isinstance(descriptors, Tensor):
        return descriptors[torch.from_numpy(places).to(descriptors.device)].to(device, torch.float32)
    # Halves travel as halves, and are widened where they are used.
    return torch.from_numpy(np.asarray(descriptors[places])).to(device).to(torch.float32)


def pair_distances(
    queries: Descriptors, asked: Rows, database: Descriptors, places: Rows, device: torch.device
) -> NDArray[np.float64]:
    """Return the squared distances (P,) of pairs of a query and a database row, from their differences.

    Differences don't cancel as an expanded square does, so that near-duplicates keep their order. Differences
    are taken in float32 and summed in float64.

    Args:
        queries: (Q, D).
        asked: (P,) places in ``queries``.
        database: (N, D).
        places: (P,) places in ``database``.
        device: where to compute.
    """
    squared = np.empty(len(asked), np.float64)
    at_once = CACHED_BYTES if device.type == "cpu" else GPU_BYTES
    step = max(1, at_once // (8 * int(queries.shape[1])))
    for start in range(0, len(asked), step):
        part = slice(start, start + step)
        difference = take(database, places[part], device) - take(queries, asked[part], device)
        norms = torch.linalg.vector_norm(difference, dim=1, dtype=torch.float64)
        squared[part] = norms.square().cpu().numpy()
    return squared


def gone_astray(what: str) -> UsageError:
    """Return the error for a descriptor that can't be measured with; ``what`` names it."""
    return UsageError(
        f"{what} has a descriptor that holds NaN, infinity, or numbers whose squares are beyond float32. The "
        "network that made it has gone astray: go back to an earlier checkpoint and lower the learning rate."
    )
