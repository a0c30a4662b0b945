"""A byte a number: scalar quantisation, every code looked at.

Each dimension's range in a sample is cut into 256 steps (faiss ``IndexScalarQuantizer``, ``QT_8bit``). It
loses next to nothing and needs no tuning, but it is a **quarter** of the float32 descriptors (half of those
that are stored), not a sixteenth, and a search reads all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from landfall.index.kinds.faiss_store import Filter, faiss, read_faiss, search_faiss, write_faiss
from landfall.index.kinds.interface import KINDS, Options, Say, SearchStructure
from landfall.index.kinds.reading import draw_sample, read_blocks
from landfall.index.rows import Matrix

_CODES = "codes.faiss"


@dataclass(frozen=True)
class Sq8Options(Options):
    """Choices of ``sq8``.

    Args:
        sample_bytes: float32 bytes of the rows whose ranges are taken. Rows beyond those ranges are clipped,
            which moves few of them; 64 MiB are 32 768 rows of 512 numbers.
    """

    sample_bytes: int = 64 * 2**20


@KINDS.register("sq8")
class Sq8Structure(SearchStructure[Sq8Options]):
    """Scalar-quantised rows in memory or mapped; see the module."""

    kind = "sq8"
    options_type = Sq8Options
    _index: Any
    _path: Path

    @classmethod
    def _train(cls, rows: Matrix, options: Sq8Options | None, seed: int, say: Say) -> Self:
        structure = cls(options or Sq8Options(), rows.shape[1])
        most = max(1, structure.options.sample_bytes // (4 * structure.dim))
        say(f"Taking the range of each number from {min(most, len(rows))} photos.")
        chosen = draw_sample(len(rows), most, seed)
        sample = np.empty((len(chosen), structure.dim), np.float32)
        for first, block in read_blocks(rows, chosen=chosen):
            sample[first : first + len(block)] = block
        structure._index = faiss.IndexScalarQuantizer(structure.dim, faiss.ScalarQuantizer.QT_8bit)
        structure._index.train(sample)
        return structure

    @classmethod
    def estimated_bytes(cls, photos: int, dim: int) -> int:
        """Return a byte a number, and the ranges."""
        return photos * dim + 8 * dim

    @property
    def resident_bytes(self) -> int:
        """A byte a number, and the ranges."""
        return self.estimated_bytes(self.covered, self.dim)

    def _extend(self, block: NDArray[np.float32]) -> None:
        self._index.add(block)

    def _nearest(
        self, queries: NDArray[np.float32], count: int, rows: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        only = None if rows is None else Filter(rows, self.covered)
        parameters = None if only is None else faiss.SearchParameters(sel=only.selector)
        return search_faiss(self._index, queries, count, parameters)

    def _write(self, folder: Path) -> None:
        write_faiss(self._index, folder / _CODES)

    def _read(self, folder: Path) -> None:
        self._path = folder / _CODES
        self._index = read_faiss(self._path, mapped=True)

    def _open_to_add(self) -> None:
        if not self._index.codes.is_owned:
            self._index = read_faiss(self._path, mapped=False)
