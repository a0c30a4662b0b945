"""Shorter descriptors for a first look: principal axes, then a random rotation.

The axes keep what varies most; the rotation spreads it evenly, so that each bit and each part of a product
code bears the same share (Jegou et al., "Aggregating local images descriptors into compact codes", PAMI 2012;
Gong and Lazebnik, "Iterative quantization", CVPR 2011, whose iterations are left out). A rotation into *more*
numbers than there are axes gives bits that are redundant and so less noisy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from landfall.errors import IndexStoreError
from landfall.index.kinds.axes import stream_axes
from landfall.index.rows import Matrix

#: Rows that the axes are fitted on, for each of them.
_ROWS_PER_AXIS = 32


@dataclass(frozen=True, eq=False)
class Projection:
    """Takes descriptors (N, D) to (N, d).

    Attributes:
        offset: (d,), subtracted after the product: the descriptors' mean, projected.
        matrix: (d, D).
        kept_variance: share of the fitted descriptors' variance along the axes used, 0 to 1.
    """

    offset: NDArray[np.float32]
    matrix: NDArray[np.float32]
    kept_variance: float

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the projected vectors (N, d)."""
        return np.asarray(vectors @ self.matrix.T - self.offset, np.float32)

    @property
    def bytes(self) -> int:
        """What it holds in memory."""
        return self.matrix.nbytes + self.offset.nbytes

    def save(self, path: Path) -> None:
        """Write it to a safetensors file."""
        share = np.array([self.kept_variance])
        save_file({"offset": self.offset, "matrix": self.matrix, "kept_variance": share}, path)

    @classmethod
    def load(cls, path: Path) -> Projection:
        """Read what ``save`` wrote.

        Raises:
            IndexStoreError: it is not there or not whole.
        """
        try:
            told = load_file(path)
            return cls(told["offset"], told["matrix"], float(told["kept_variance"][0]))
        except (OSError, SafetensorError, KeyError) as error:
            raise IndexStoreError(
                f"{path} can't be read ({error}). Build the search structure anew."
            ) from error

    def describe(self) -> dict[str, Any]:
        """Return what it is, as JSON values."""
        return {"dim": len(self.matrix), "kept_variance": round(self.kept_variance, 4), "bytes": self.bytes}


def fit_projection(rows: Matrix, axes: int, *, out_dim: int, seed: int) -> Projection:
    """Return the projection to the first principal axes, rotated at random into ``out_dim`` numbers.

    Where the rows vary along fewer axes than asked for, random directions stand in for the others, for rows
    that come later.

    Args:
        rows: (N, D), of which a sample is read.
        axes: principal axes, at most D.
        out_dim: d, at least ``axes``; an exact rotation where they are equal.
        seed: draws sample and rotation.
    """
    width = rows.shape[1]
    principal, total = stream_axes(rows, axes, seed=seed, sample_rows=_ROWS_PER_AXIS * axes)
    found = principal.axes.numpy()
    rng = np.random.default_rng(seed)
    if len(found) < axes:
        random = rng.standard_normal((axes - len(found), width)).astype(np.float32)
        found = np.linalg.qr(np.concatenate([found, random]).T)[0].T
    rotation = np.linalg.qr(rng.standard_normal((out_dim, axes)).astype(np.float32))[0]
    matrix = np.ascontiguousarray(rotation @ found, np.float32)
    kept = float(principal.variances.double().sum()) / total if total > 0 else 1.0
    return Projection(matrix @ principal.mean.numpy(), matrix, min(1.0, kept))
