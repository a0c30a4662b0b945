"""Where descriptors are read from: a mapped file, an array, or several files seen as one."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class RowSource(Protocol):
    """Descriptors (N, D) of float16 or float32 that are read a piece at a time and never as a whole.

    A slice may lie in the source's own memory and is only read; an array of row numbers gives a copy.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """N and D."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers stored; what is computed from them is computed in float32."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice | NDArray[np.int64], /) -> NDArray[Any]: ...


class SomeRows:
    """Some rows of a source, seen as a source of their own.

    Args:
        source: (N, D).
        rows: (M,) their numbers in it, ascending.
    """

    def __init__(self, source: RowSource, rows: NDArray[np.int64]) -> None:
        self.source = source
        self.rows = rows
        self.shape = (len(rows), source.shape[1])
        self.dtype = source.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: slice | NDArray[np.int64], /) -> NDArray[Any]:
        return self.source[self.rows[key]]
