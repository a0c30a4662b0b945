"""Whitening and shortening of an index's descriptors, fitted on themselves.

The method is that of ``models.pca``: components along the principal axes, divided by their standard
deviation, which is shrunk so that noise is not blown up, then unit norm. Added here is fitting on more
descriptors than memory holds (``axes``). It is off unless asked for, since it can lower recall
(`docs/search_kinds.md`): measure on photos of your own before using it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from landfall.errors import IndexStoreError, UsageError
from landfall.index.kinds.axes import stream_axes
from landfall.index.rows import Matrix
from landfall.models.pca import Whitening

#: Descriptors that are looked at: at 16 384 numbers 6.6 GB are read six times.
SAMPLE_ROWS = 100_000


def fit_index_whitening(
    rows: Matrix,
    dim: int,
    *,
    shrinkage: float = 1.0,
    sample_rows: int = SAMPLE_ROWS,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Whitening:
    """Return the whitening to the first ``dim`` principal axes of a sample of an index's descriptors.

    Memory is some ten blocks of 32 MiB and three matrices (D, dim + 32), whatever N is.

    Args:
        rows: (N, D).
        dim: d, at most; there are at most ``min(N - 1, D)`` axes.
        shrinkage: s of ``models.pca``; 0 is plain whitening.
        sample_rows: how many rows are looked at, at most.
        seed: draws them.
        progress: called with passes over them done and in all.

    Raises:
        UsageError: ``dim`` or ``shrinkage`` out of range, rows that vary along no axis or are not finite.
    """
    if not 1 <= dim <= rows.shape[1] or shrinkage < 0:
        raise UsageError(
            f"dim is {dim} and shrinkage {shrinkage}; 1 to {rows.shape[1]} and 0 or more are expected."
        )
    principal, total = stream_axes(rows, dim, seed=seed, sample_rows=sample_rows, progress=progress)
    if not len(principal.axes) or total <= 0:
        raise UsageError(
            f"{len(rows)} descriptors that don't differ can't be whitened. Index other places first."
        )
    rank = min(len(rows) - 1, sample_rows - 1, rows.shape[1])
    deviations = (principal.variances + shrinkage * total / max(1, rank)).sqrt()
    return Whitening(mean=principal.mean, projection=principal.axes / deviations[:, None])


def apply_whitening(whitening: Whitening, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return whitened vectors (N, d) float32 of vectors (N, D): a block of the database, or queries."""
    return whitening(torch.from_numpy(np.array(vectors, np.float32))).numpy()


class WhitenedRows:
    """Descriptors (N, D) seen through a whitening, as (N, d) float32; each piece is whitened when read.

    Args:
        rows: (N, D).
        whitening: to d numbers.
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(self, rows: Matrix, whitening: Whitening) -> None:
        self._rows = rows
        self._whitening = whitening
        self.shape = (len(rows), len(whitening.projection))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: slice | NDArray[np.int64], /) -> NDArray[np.float32]:
        return apply_whitening(self._whitening, self._rows[key])


def save_whitening(whitening: Whitening, path: Path) -> None:
    """Write a whitening to a safetensors file.

    Raises:
        IndexStoreError: it can't be written.
    """
    try:
        save_file(
            {"mean": whitening.mean.contiguous(), "projection": whitening.projection.contiguous()}, path
        )
    except (OSError, SafetensorError) as error:
        raise IndexStoreError(f"{path} can't be written: {error}. Choose another place.") from error


def load_whitening(path: Path) -> Whitening:
    """Read what ``save_whitening`` wrote.

    Raises:
        IndexStoreError: it is not there or not whole.
    """
    try:
        told = load_file(path)
        return Whitening(mean=told["mean"], projection=told["projection"])
    except (OSError, SafetensorError, KeyError) as error:
        raise IndexStoreError(f"{path} can't be read ({error}). Fit the whitening anew.") from error
