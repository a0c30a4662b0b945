"""A graph of neighbours, walked towards the query.

Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical navigable
small world graphs", PAMI 2018 (faiss ``IndexHNSWSQ``). The graph itself is some 150 bytes a photo; over whole
descriptors it would hold them all in memory. It stands over the first principal axes instead, a byte each:
some 280 bytes a photo, whatever the descriptors' length. That bounds memory, and is **no** sixteenth of the
float32 descriptors where those are shorter than 1 100 numbers.

Photos are linked in one thread, in their order, so that the same seed gives the same graph. It is the fastest
kind to search and the slowest to build.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index.kinds.faiss_store import (
    Filter,
    faiss,
    one_faiss_thread,
    read_faiss,
    search_faiss,
    write_faiss,
)
from landfall.index.kinds.interface import KINDS, Options, Say, SearchStructure
from landfall.index.kinds.projection import Projection, fit_projection
from landfall.index.kinds.reading import draw_sample, read_blocks
from landfall.index.rows import Matrix

_CODES = "graph.faiss"
_PROJECTION = "projection.safetensors"
#: Rows whose ranges the bytes are cut from.
_SAMPLE_ROWS = 65_536


@dataclass(frozen=True)
class HnswOptions(Options):
    """Choices of ``hnsw``.

    Args:
        links: a photo's links on each level, twice as many on the lowest. 16 is the method's usual choice for
            some hundred numbers.
        build_width: candidates kept while a photo is linked; more links better and slower.
        axes: principal axes that the graph stands over. By default 128, or D if that is less.
    """

    links: int = 16
    build_width: int = 64
    axes: int | None = None

    def derived(self, dim: int) -> HnswOptions:
        """Return these for descriptors of ``dim`` numbers, with nothing left None."""
        return HnswOptions(self.links, self.build_width, self.axes or min(dim, 128))


@KINDS.register("hnsw")
class HnswStructure(SearchStructure[HnswOptions]):
    """A graph over reduced rows, in memory or mapped; see the module."""

    kind = "hnsw"
    options_type = HnswOptions
    _index: Any
    _projection: Projection
    _path: Path
    _mapped = False

    @classmethod
    def _train(cls, rows: Matrix, options: HnswOptions | None, seed: int, say: Say) -> Self:
        dim = rows.shape[1]
        chosen = (options or HnswOptions()).derived(dim)
        axes = chosen.axes or 0
        if not 1 <= axes <= dim or chosen.links < 2 or chosen.build_width < 1:
            raise UsageError(
                f"{chosen} doesn't fit descriptors of {dim} numbers: axes must be 1 to {dim}, links 2 or "
                "more, build_width 1 or more."
            )
        structure = cls(chosen, dim)
        say(f"Fitting {axes} principal axes.")
        structure._projection = fit_projection(rows, axes, out_dim=axes, seed=seed)
        drawn = draw_sample(len(rows), _SAMPLE_ROWS, seed)
        sample = np.concatenate(
            [structure._projection(block) for _, block in read_blocks(rows, chosen=drawn)]
        )
        index = faiss.IndexHNSWSQ(axes, faiss.ScalarQuantizer.QT_8bit, chosen.links)
        index.hnsw.efConstruction = chosen.build_width
        index.train(sample)
        structure._index = index
        say(f"Linking {len(rows)} photos in one thread.")
        return structure

    @classmethod
    def estimated_bytes(cls, photos: int, dim: int) -> int:
        """Return the bytes of codes, links and projection."""
        options = HnswOptions().derived(dim)
        axes = options.axes or 0
        return photos * _photo_bytes(axes, options.links) + 4 * axes * (dim + 1)

    @property
    def resident_bytes(self) -> int:
        """Codes, links and projection."""
        return self.covered * _photo_bytes(self._index.d, self.options.links) + self._projection.bytes

    def _extend(self, block: NDArray[np.float32]) -> None:
        with one_faiss_thread():
            self._index.add(self._projection(block))

    def _nearest(
        self, queries: NDArray[np.float32], count: int, rows: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        only = None if rows is None else Filter(rows, self.covered)
        # Walking wider than the shortlist finds little more once candidates are measured again. But rows that
        # aren't allowed take their places on the way.
        share = 1.0 if rows is None else len(rows) / self.covered
        width = min(self.covered, max(64, math.ceil(count / share)))
        parameters = faiss.SearchParametersHNSW(efSearch=width, sel=None if only is None else only.selector)
        return search_faiss(self._index, self._projection(queries), count, parameters)

    def _write(self, folder: Path) -> None:
        write_faiss(self._index, folder / _CODES)
        self._projection.save(folder / _PROJECTION)

    def _read(self, folder: Path) -> None:
        self._path = folder / _CODES
        self._index = read_faiss(self._path, mapped=True)
        self._mapped = True
        self._projection = Projection.load(folder / _PROJECTION)

    def _open_to_add(self) -> None:
        if self._mapped:
            self._index = read_faiss(self._path, mapped=False)
            self._mapped = False


def _photo_bytes(axes: int, links: int) -> int:
    # Codes; links of 4 bytes, double on the lowest level, with one in links rows on each level above; its
    # level and where its links begin.
    return axes + round(4 * links * (2 + 1 / (links - 1))) + 12
