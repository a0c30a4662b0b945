"""Descriptors to a new ``.npy`` file, block by block."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from landfall.errors import IndexStoreError
from landfall.index.rows import BLOCK_BYTES, Matrix


def write_rows(
    path: Path, blocks: Iterable[NDArray[np.floating]], shape: tuple[int, int], dtype: DTypeLike
) -> None:
    """Write blocks (B, D) one after another as an array ``shape`` of ``dtype``.

    Raises:
        IndexStoreError: a number is not finite, or is beyond what ``dtype`` holds.
        OSError: the file can't be written.
    """
    kind = np.dtype(dtype)
    written = 0
    with path.open("wb") as file:
        header = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        for block in blocks:
            with np.errstate(over="ignore"):  # what is beyond the type becomes infinite, and is told below
                part = np.ascontiguousarray(block, kind)
            if (row := first_not_finite(part)) is not None:
                raise not_storable(written + row, kind)
            file.write(part.tobytes())
            written += len(part)
    if written != shape[0]:
        raise ValueError(f"{written} rows were written for a shape {shape}")


def blocks_of(matrix: Matrix, rows: NDArray[np.int64] | None = None) -> Iterable[NDArray[np.floating]]:
    """Yield the rows (M,) of a matrix, all of them by default, in blocks of bounded size."""
    step = max(1, BLOCK_BYTES // (4 * matrix.shape[1]))
    for start in range(0, len(matrix) if rows is None else len(rows), step):
        part = slice(start, start + step)
        yield matrix[part] if rows is None else matrix[rows[part]]


def first_not_finite(block: NDArray[np.floating]) -> int | None:
    """Return the first row of a block (B, D) that holds NaN or infinity; None where all are finite."""
    finite = np.isfinite(block).all(axis=1)
    return None if finite.all() else int(np.flatnonzero(~finite)[0])


def not_storable(row: int, kind: np.dtype[Any]) -> IndexStoreError:
    """Return the error that tells of a descriptor that can't be stored, to be raised."""
    return IndexStoreError(
        f"Descriptor {row} holds NaN, infinity, or numbers beyond {kind.name}. The model is broken, or its "
        "descriptors are not normalised: choose another one."
    )
