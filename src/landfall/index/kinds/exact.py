"""No structure at all: every row is searched exactly.

It covers no row, so that ``search_with`` takes all of them for rows that came later, and searches them by
``index.exact``. It costs nothing to build or to keep, and a search reads every descriptor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from landfall.index.kinds.interface import KINDS, Options, RowProgress, Say, SearchStructure, unseen
from landfall.index.rows import Matrix


@dataclass(frozen=True)
class ExactOptions(Options):
    """There is nothing to choose."""


@KINDS.register("exact")
class ExactStructure(SearchStructure[ExactOptions]):
    """Covers no row; see the module."""

    kind = "exact"
    options_type = ExactOptions

    @classmethod
    def _train(cls, rows: Matrix, options: ExactOptions | None, _seed: int, _say: Say) -> Self:
        return cls(options or ExactOptions(), rows.shape[1])

    def add(self, rows: Matrix, *, progress: RowProgress = unseen) -> None:
        """Take in nothing; what is searched exactly is checked when it is searched."""
        self.check(rows)
        progress(len(rows), len(rows))

    @classmethod
    def estimated_bytes(cls, _photos: int, _dim: int) -> int:
        """Return 0."""
        return 0

    @property
    def resident_bytes(self) -> int:
        """0."""
        return 0

    def _extend(self, _block: NDArray[np.float32]) -> None:
        raise AssertionError("an exact search takes in nothing")

    def _nearest(
        self, _queries: NDArray[np.float32], _count: int, _rows: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        raise AssertionError("an exact search covers nothing")

    def _write(self, _folder: Path) -> None:
        """Write nothing: the header says it all."""

    def _read(self, _folder: Path) -> None:
        """Read nothing."""
