"""Descriptors that lie in several files, with rows that no photo has any more, seen as one matrix.

Row ``i`` is the descriptor of photo ``i`` among those that are there. Where it lies in the concatenation of
the files is its *stored* row. Nothing is read before it is asked for, and never all of it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# Bytes read at once when a whole matrix is gone through.
BLOCK_BYTES = 32 * 2**20


class Matrix(Protocol):
    """What a search needs of descriptors; numpy arrays have it, and so has ``DescriptorRows``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""
        ...

    @property
    def ndim(self) -> int:
        """2."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers stored, float16 or float32; what is computed from them is computed in float32."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> Any:
        """Return the rows that a slice or an integer array (M,) chooses, as an array (M, D)."""
        ...


class SomeRows:
    """Some rows of a matrix, seen as a matrix of their own.

    Args:
        source: (N, D).
        rows: (M,) their numbers in it, ascending.
    """

    ndim = 2

    def __init__(self, source: Matrix, rows: NDArray[np.int64]) -> None:
        self.source = source
        self.rows = rows
        self.shape = (len(rows), source.shape[1])
        self.dtype = source.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: slice | NDArray[np.int64], /) -> NDArray[Any]:
        return np.asarray(self.source[self.rows[key]])


class DescriptorRows:
    """Descriptors (N, D) of live photos, read from segments when asked for. Threads may share one.

    Args:
        segments: matrices of one width and dtype, mapped from files.
        live: (N,) ascending stored rows of the photos; None where every stored row is one.
    """

    def __init__(self, segments: Sequence[NDArray[np.floating]], live: NDArray[np.int64] | None) -> None:
        self._segments = tuple(segments)
        self._starts = np.cumsum([0, *(len(segment) for segment in segments)])
        self._live = live

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return len(self), int(self._segments[0].shape[1])

    @property
    def ndim(self) -> int:
        """2, as of any matrix."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers stored."""
        return self._segments[0].dtype

    def __len__(self) -> int:
        return int(self._starts[-1]) if self._live is None else len(self._live)

    def __getitem__(self, key: slice | NDArray[np.integer] | NDArray[np.bool_] | int) -> NDArray[np.floating]:
        """Return rows as an array (M, D), one row (D,) for a single number.

        A slice whose rows lie side by side in one segment is a view of the mapped file.

        Raises:
            IndexError: a row beyond N - 1 or below -N.
        """
        if isinstance(key, slice):
            return self._sliced(key)
        if isinstance(key, int | np.integer):
            row: NDArray[np.floating] = self.take(np.array([key]))[0]
            return row
        rows = np.asarray(key)
        if rows.dtype == np.bool_:
            if rows.shape != (len(self),):
                raise IndexError(f"A mask of shape {rows.shape} does not fit {len(self)} rows")
            rows = np.flatnonzero(rows)
        return self.take(rows)

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return the rows (M, D) at ``rows`` (M,) in that order.

        Raises:
            IndexError: a row beyond N - 1 or below -N.
        """
        rows = np.asarray(rows, np.int64)
        count = len(self)
        if rows.size and (rows.min() < -count or rows.max() >= count):
            raise IndexError(f"Rows {rows.min()} to {rows.max()} were asked for; there are {count}")
        return self._gather(self.stored(np.where(rows < 0, rows + count, rows).astype(np.int64)))

    def stored(self, rows: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the stored rows of some rows, of all (N,) by default."""
        if self._live is None:
            return np.arange(len(self)) if rows is None else rows
        return self._live if rows is None else self._live[rows]

    def only(self, rows: NDArray[np.int64]) -> DescriptorRows:
        """Return the matrix of some rows (M,), ascending, without reading them."""
        return DescriptorRows(self._segments, self.stored(rows))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all rows in memory: for small indexes and for tests."""
        if copy is False:
            raise ValueError("Descriptors that lie in files can't be had as an array without a copy")
        return np.array(self[:], dtype=dtype)

    def _sliced(self, key: slice) -> NDArray[np.floating]:
        start, stop, step = key.indices(len(self))
        if step != 1 or start >= stop:
            return self.take(np.arange(start, stop, step))
        first, last = (start, stop - 1) if self._live is None else self._live[[start, stop - 1]].tolist()
        segment = int(np.searchsorted(self._starts, first, side="right")) - 1
        offset = int(self._starts[segment])
        if last - first == stop - 1 - start and last < self._starts[segment + 1]:
            return self._segments[segment][first - offset : last - offset + 1]
        return self._gather(np.arange(start, stop) if self._live is None else self._live[start:stop])

    def _gather(self, stored: NDArray[np.int64]) -> NDArray[np.floating]:
        gathered = np.empty((len(stored), self.shape[1]), self.dtype)
        segments = np.searchsorted(self._starts, stored, side="right") - 1
        for segment in np.unique(segments).tolist():
            here = segments == segment
            gathered[here] = self._segments[segment][stored[here] - self._starts[segment]]
        return gathered
