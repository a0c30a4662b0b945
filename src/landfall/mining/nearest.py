"""The nearest candidates of all queries of a round, by one matrix product in blocks.

Squared distances are expanded, |q - n|^2 = |q|^2 + |n|^2 - 2 q.n, so that nearly all the work is a matrix
product; excluded pairs are set to infinity before the smallest are kept. The expansion cancels in its last
digits, so that a few more than asked are kept and measured again by their differences. Among candidates that
differ by less than the expansion's error, and are more than those few, any may be taken.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landfall.geo import Neighbours
from landfall.mining.distances import Descriptors, Rows, gone_astray, take
from landfall.mining.rounds import Round

# Memory for a block of candidates and one of queries, in float32, and their distances.
BUDGET_BYTES = 256 * 2**20
# Of a GPU's free memory, the share that is used instead.
GPU_SHARE = 0.4
# Queries whose distances to a block are computed at once.
QUERY_CHUNK = 512
# Kept beyond what is asked, to be measured again.
SPARE = 6


def nearest_candidates(
    planned: Round,
    queries: Descriptors,
    database: Descriptors,
    near: Neighbours,
    keep: int,
    *,
    device: torch.device,
    block_rows: int | None = None,
) -> Rows:
    """Return, for each query, database rows (Q, K) that hold its ``keep`` nearest candidates, in no order.

    K is at most ``keep`` and a few, and the round's own hardest beside; -1 stands for none.

    Args:
        planned: the round; its candidates are ranked.
        queries: (Q, D), of ``planned.queries``.
        database: (P, D), of ``planned.database``.
        near: for each of the Q queries, the rows that can't be negatives.
        keep: how many are asked for.
        device: where to compute.
        block_rows: candidates in a block; by default as many as the memory allows.

    Raises:
        UsageError: a descriptor is not finite.
    """
    count = len(planned.queries)
    kept = min(keep + SPARE, len(planned.sample))
    values = torch.full((count, kept), torch.inf, device=device)
    rows = torch.full((count, kept), -1, dtype=torch.int64, device=device)
    sample_places = np.searchsorted(planned.database, planned.sample)
    asked, hit = _in_sample(planned.sample, near)
    step = block_rows or _rows_in_budget(int(database.shape[1]), device)
    for start in range(0, len(planned.sample), step):
        stop = min(start + step, len(planned.sample))
        block = take(database, sample_places[start:stop], device)
        squares = _squared_norms(block, planned.sample[start:stop], "Database photo")
        inside = (hit >= start) & (hit < stop)
        for first in range(0, count, QUERY_CHUNK):
            part = slice(first, min(first + QUERY_CHUNK, count))
            # |q|^2 is the same for all candidates of a query: their order doesn't need it.
            chunk = _queries(queries, planned, part, device)
            expanded = torch.addmm(squares, chunk, block.T, alpha=-2)
            of_chunk = inside & (asked >= part.start) & (asked < part.stop)
            masked = torch.from_numpy(np.stack([asked[of_chunk] - first, hit[of_chunk] - start])).to(device)
            expanded[masked[0], masked[1]] = torch.inf
            best, places = expanded.topk(min(kept, stop - start), dim=1, largest=False, sorted=False)
            both = torch.cat([values[part], best], dim=1)
            both_rows = torch.cat([rows[part], places + start], dim=1)
            values[part], chosen = both.topk(kept, dim=1, largest=False, sorted=False)
            rows[part] = both_rows.gather(1, chosen)
            # A name left standing would hold this piece while the next one is made.
            del chunk
        del block
    found = torch.where(torch.isinf(values), -1, rows).cpu().numpy()
    found = np.where(found >= 0, planned.sample[found], -1)
    return np.concatenate([found, _own_hardest(planned, near)], axis=1)


def _queries(queries: Descriptors, planned: Round, part: slice, device: torch.device) -> Tensor:
    chunk = take(queries, np.arange(part.start, part.stop), device)
    _squared_norms(chunk, planned.queries[part], "Query")
    return chunk


def _squared_norms(descriptors: Tensor, rows: Rows, noun: str) -> Tensor:
    """Return |x|^2 (P,) of descriptors (P, D), all finite."""
    squares: Tensor = torch.linalg.vector_norm(descriptors, dim=1).square()
    usable = torch.isfinite(squares)
    if not bool(usable.all()):
        raise gone_astray(f"{noun} {rows[int(torch.nonzero(~usable)[0])]}")
    return squares


def _rows_in_budget(dim: int, device: torch.device) -> int:
    budget = BUDGET_BYTES
    if device.type == "cuda":
        budget = int(GPU_SHARE * torch.cuda.mem_get_info(device)[0])
    # Six bytes a number: a half that is being widened is there twice.
    return max(1, (budget - 6 * dim * QUERY_CHUNK) // (6 * dim + 12 * QUERY_CHUNK))


def _in_sample(sample: Rows, near: Neighbours) -> tuple[Rows, Rows]:
    """Return pairs (E,) of a query and a place in the sample that must not be taken."""
    asked = np.repeat(np.arange(len(near)), near.counts)
    at = np.minimum(np.searchsorted(sample, near.indices), len(sample) - 1)
    hit = sample[at] == near.indices
    return asked[hit], at[hit]


def _own_hardest(planned: Round, near: Neighbours) -> NDArray[np.int64]:
    """Return the round's own hardest (Q, H) that are not in the sample, not near and not there twice."""
    own = np.sort(planned.hardest, axis=1)
    twice = np.zeros(own.shape, np.bool_)
    twice[:, 1:] = own[:, 1:] == own[:, :-1]
    return np.where(twice | np.isin(own, planned.sample) | near.contains(own), -1, own)
