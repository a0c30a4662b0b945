"""Reading a source of rows for a structure: in blocks, by sample, and some of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index.exact import check_finite
from landfall.index.rows import Matrix

#: Rows read at once, as float32.
BLOCK_BYTES = 32 * 2**20
#: Rows whose bytes tell one set of descriptors from another.
_FINGERPRINT_ROWS = 64


def read_blocks(
    rows: Matrix, *, start: int = 0, chosen: NDArray[np.int64] | None = None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the rows from ``start`` on, or those ``chosen`` (ascending), as float32 blocks (B, D).

    Yields:
        the number of rows yielded before, counted from row 0 where nothing is chosen, and the block.

    Raises:
        UsageError: a row holds NaN, infinity, or numbers whose squares are beyond float32.
    """
    end = len(rows) if chosen is None else len(chosen)
    step = max(1, BLOCK_BYTES // (4 * rows.shape[1]))
    for first in range(start, end, step):
        part = slice(first, min(first + step, end))
        block = np.array(rows[part if chosen is None else chosen[part]], np.float32, order="C")
        norms = torch.linalg.vector_norm(torch.from_numpy(block), dim=1)
        if chosen is None:
            check_finite(norms, first, "Database")
        elif not bool(torch.isfinite(norms.square()).all()):
            at = int(torch.nonzero(~torch.isfinite(norms.square()))[0])
            check_finite(norms[at : at + 1], int(chosen[first + at]), "Database")
        yield first, block


def draw_sample(count: int, most: int, seed: int) -> NDArray[np.int64]:
    """Return at most ``most`` row numbers below ``count``, ascending, none twice, drawn by the seed."""
    if count <= most:
        return np.arange(count)
    drawn = np.random.default_rng(seed).choice(count, most, replace=False, shuffle=False)
    return np.sort(drawn).astype(np.int64)


def allowed_rows(allowed: NDArray[np.bool_] | NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Return the rows that a search may find, ascending.

    Args:
        allowed: a mask (N,) of bool, or row numbers, ascending, none twice.
        count: N.

    Raises:
        UsageError: a mask of another length, rows that don't ascend, or rows that aren't there.
    """
    if allowed.dtype == np.bool_:
        if allowed.shape != (count,):
            raise UsageError(
                f"A mask of shape {allowed.shape} came for {count} rows; one bool a row is expected."
            )
        return np.flatnonzero(allowed)
    if allowed.ndim != 1 or not np.issubdtype(allowed.dtype, np.integer):
        raise UsageError(
            f"Rows of shape {allowed.shape} and type {allowed.dtype} can't be allowed; a mask of bool or a "
            "list of row numbers is expected."
        )
    rows = allowed.astype(np.int64)
    if len(rows) and (rows[0] < 0 or rows[-1] >= count or (np.diff(rows) <= 0).any()):
        raise UsageError(f"Allowed rows must ascend, none twice, from 0 to {count - 1}. Sort them first.")
    return rows


def fingerprint(rows: Matrix, covered: int) -> str:
    """Return a hash of some of the first ``covered`` rows, which tells whether they are others now."""
    chosen = np.unique(np.linspace(0, max(0, covered - 1), _FINGERPRINT_ROWS).astype(np.int64))[:covered]
    read = np.ascontiguousarray(rows[chosen]) if len(chosen) else np.empty((0, rows.shape[1]), rows.dtype)
    told = hashlib.blake2b(f"{covered} {rows.shape[1]} {read.dtype.name}".encode(), digest_size=16)
    told.update(read.tobytes())
    return told.hexdigest()
