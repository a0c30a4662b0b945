"""Principal axes of more descriptors than memory holds, in passes over blocks.

Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 2011, algorithm 4.4 (subspace
iteration): a random subspace of some more dimensions than asked for is multiplied by the covariance and made
orthonormal again, a few times; the axes are then those of the covariance within it. What is held is
a few matrices (D, dim + 32), never a D x D one. Below ``_WHOLE_DIM`` numbers the subspace is the whole space,
and the axes are exact. Few descriptors go to ``models.pca`` as they are, which is exact too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from landfall.errors import UsageError
from landfall.index.kinds.reading import draw_sample, read_blocks
from landfall.index.rows import Matrix
from landfall.models.pca import PrincipalAxes, principal_axes

#: Dimensions up to which the whole covariance is held: 32 MiB of float64.
_WHOLE_DIM = 2048
#: Float32 bytes of descriptors that ``models.pca`` takes as a whole; it needs some four times as much.
_AT_ONCE_BYTES = 64 * 2**20
_OVERSAMPLING = 32
_ITERATIONS = 4


def stream_axes(
    rows: Matrix,
    dim: int,
    *,
    seed: int,
    sample_rows: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[PrincipalAxes, float]:
    """Return the first principal axes of a sample of the rows, and the variance along all axes together.

    Args:
        rows: (N, D).
        dim: how many axes at most; there are at most ``min(sample - 1, D)``.
        seed: draws the sample and the subspace.
        sample_rows: how many rows are looked at, at most.
        progress: called with passes done and passes in all.

    Raises:
        UsageError: no rows, or rows that are not finite.
    """
    if len(rows) == 0:
        raise UsageError("Principal axes of no descriptors were asked for. Index photos first.")
    chosen = draw_sample(len(rows), sample_rows, seed)
    width = rows.shape[1]
    if 4 * width * len(chosen) <= _AT_ONCE_BYTES:
        read = np.concatenate([block for _, block in read_blocks(rows, chosen=chosen)])
        found = principal_axes(torch.from_numpy(read))
        progress(1, 1)
        return _first(found, dim), float(found.variances.double().sum())

    def blocks() -> Iterator[Tensor]:
        return (torch.from_numpy(block) for _, block in read_blocks(rows, chosen=chosen))

    inner = width if width <= _WHOLE_DIM else min(width, len(chosen), dim + _OVERSAMPLING)
    iterations = 0 if inner == width else _ITERATIONS
    mean = torch.zeros(width, dtype=torch.float64)
    for block in blocks():
        mean += block.sum(dim=0, dtype=torch.float64)
    mean32 = (mean / len(chosen)).float()
    progress(1, iterations + 2)
    if iterations == 0:
        basis = torch.eye(width)
    else:
        generator = torch.Generator().manual_seed(seed)
        basis = torch.linalg.qr(torch.randn(width, inner, generator=generator)).Q
    for done in range(iterations):
        moved = torch.zeros(width, inner)
        for block in blocks():
            centred = block - mean32
            moved += centred.T @ (centred @ basis)
        basis = torch.linalg.qr(moved).Q
        progress(done + 2, iterations + 2)
    covariance, total = torch.zeros(inner, inner, dtype=torch.float64), 0.0
    for block in blocks():
        centred = block - mean32
        within = centred if iterations == 0 else centred @ basis
        covariance += (within.T @ within).double()
        total += float(centred.square().sum(dtype=torch.float64))
    variances, vectors = torch.linalg.eigh(covariance / len(chosen))
    progress(iterations + 2, iterations + 2)
    found = PrincipalAxes(
        mean=mean32,
        axes=(basis @ vectors.flip(1).float()).T.contiguous(),
        variances=variances.flip(0).clamp(min=0).float(),
    )
    return _first(found, min(dim, len(chosen) - 1)), total / len(chosen)


def _first(found: PrincipalAxes, dim: int) -> PrincipalAxes:
    return PrincipalAxes(mean=found.mean, axes=found.axes[:dim].contiguous(), variances=found.variances[:dim])
