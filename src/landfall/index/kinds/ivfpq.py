"""Lists of like photos, and product codes in them.

Jegou, Douze and Schmid, "Product quantization for nearest neighbor search", PAMI 2011 (faiss ``IndexIVFPQ``).
Descriptors are reduced to their first principal axes and rotated (``projection``); k-means parts them into
lists, and a query looks into the lists whose centres are nearest. In a list each photo is a code: the vector
is cut into parts of four numbers, each named by the nearest of 256 centres, a byte.

Deviations. Codes are of the vector itself, not of what is left after its list's centre is subtracted: with
the rotation the two found the same (1 676 street views, NetVLAD, 64-byte codes: 99.3 % and 99.1 % of nearest
rows among the first 1 %), and without residuals one table a query serves all lists, where residuals need one
a list, or precomputed ones of many megabytes. Codes are not made polysemous, which trains for a minute and
more.

At 64 numbers and more, from 100 000 photos on, codes, row numbers, centres and projection together are within
a sixteenth of the float32 descriptors. Below 64 numbers the row numbers alone, 8 bytes a photo, are more.
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
    read_faiss,
    search_faiss,
    write_faiss,
)
from landfall.index.kinds.interface import KINDS, Options, Say, SearchStructure
from landfall.index.kinds.projection import Projection, fit_projection
from landfall.index.kinds.reading import draw_sample, read_blocks
from landfall.index.rows import Matrix

_CODES = "codes.faiss"
_PROJECTION = "projection.safetensors"
#: A byte names one of so many centres.
_CENTRES = 256
#: The number of a row in its list, in bytes.
_ROW_BYTES = 8
#: Photos in training for each list or centre; faiss warns below 39.
_ROWS_PER_CENTRE = 40
#: Projected rows that training holds, in bytes.
_TRAINING_BYTES = 256 * 2**20


@dataclass(frozen=True)
class IvfPqOptions(Options):
    """Choices of ``ivfpq``.

    Args:
        lists: by default 4 sqrt(N), so that finding the lists costs as much as looking through some of them,
            and no more than one to 40 photos.
        code_bytes: a photo's code. By default as many as leave codes and row numbers within a sixteenth of
            the float32 descriptors with a quarter to spare for the centres: a power of two from 4 to 64.
        axes: numbers that are coded, a multiple of ``code_bytes``: 4 a byte by default, at most D.
        searched_share: of the lists, those that a query looks into; 16 lists at least, and more where only
            some rows are allowed. Of 20 000 descriptors fitted to NetVLAD's, 0.4 found 99 % of nearest rows,
            0.2 only 91 %, 0.1 only 80 %: places are spread, and their views fall into several lists. Time
            falls with the share, so lower it where a report on your own photos allows.
    """

    lists: int | None = None
    code_bytes: int | None = None
    axes: int | None = None
    searched_share: float = 0.4

    def derived(self, photos: int, dim: int) -> IvfPqOptions:
        """Return these for ``photos`` of ``dim`` numbers, with nothing left None."""
        budget = 0.75 * dim / 4 - _ROW_BYTES
        code_bytes = self.code_bytes or min(64, dim, 2 ** max(2, int(math.log2(max(1.0, budget)))))
        axes = self.axes or code_bytes * max(1, min(4, dim // code_bytes))
        lists = self.lists or max(1, min(int(4 * math.sqrt(photos)), photos // _ROWS_PER_CENTRE))
        return IvfPqOptions(lists=lists, code_bytes=code_bytes, axes=axes, searched_share=self.searched_share)


@KINDS.register("ivfpq")
class IvfPqStructure(SearchStructure[IvfPqOptions]):
    """Inverted lists of product codes, in memory or mapped; see the module."""

    kind = "ivfpq"
    options_type = IvfPqOptions
    least_rows = 4 * _CENTRES
    _index: Any
    _projection: Projection
    _path: Path
    _mapped = False

    @classmethod
    def _train(cls, rows: Matrix, options: IvfPqOptions | None, seed: int, say: Say) -> Self:
        dim = rows.shape[1]
        chosen = (options or IvfPqOptions()).derived(len(rows), dim)
        lists, code_bytes, axes = chosen.lists or 0, chosen.code_bytes or 0, chosen.axes or 0
        if (
            not (1 <= lists <= len(rows) and 1 <= code_bytes <= axes <= dim and axes % code_bytes == 0)
            or not 0 < chosen.searched_share <= 1
        ):
            raise UsageError(
                f"{chosen} doesn't fit {len(rows)} photos of {dim} numbers: lists must be 1 to "
                f"{len(rows)}, axes at most {dim} and a multiple of code_bytes, searched_share above 0 "
                "and at most 1."
            )
        structure = cls(chosen, dim)
        say(f"Fitting {axes} principal axes.")
        structure._projection = fit_projection(rows, axes, out_dim=axes, seed=seed)
        most = min(_TRAINING_BYTES // (4 * axes), _ROWS_PER_CENTRE * max(lists, 2 * _CENTRES))
        drawn = draw_sample(len(rows), most, seed)
        sample = np.empty((len(drawn), axes), np.float32)
        for first, block in read_blocks(rows, chosen=drawn):
            sample[first : first + len(block)] = structure._projection(block)
        say(f"Training {lists} lists and codes of {code_bytes} bytes on {len(sample)} photos.")
        index = faiss.IndexIVFPQ(faiss.IndexFlatL2(axes), axes, lists, code_bytes, 8)
        index.by_residual = False
        index.do_polysemous_training = False
        # Fewer rows a centre than faiss would like are no mistake here, and a library prints nothing.
        index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1
        index.cp.seed = index.pq.cp.seed = seed % 2**31
        index.train(sample)
        structure._index = index
        return structure

    @classmethod
    def estimated_bytes(cls, photos: int, dim: int) -> int:
        """Return the bytes of codes, row numbers, centres and projection."""
        options = IvfPqOptions().derived(photos, dim)
        lists, code_bytes, axes = options.lists or 0, options.code_bytes or 0, options.axes or 0
        centres = 4 * axes * (lists + _CENTRES)
        return photos * (code_bytes + _ROW_BYTES) + centres + 4 * axes * (dim + 1)

    @property
    def resident_bytes(self) -> int:
        """Codes, row numbers, centres and projection."""
        centres = 4 * self._index.d * (self._index.nlist + _CENTRES)
        return int(self.covered * (self._index.code_size + _ROW_BYTES) + centres + self._projection.bytes)

    def _extend(self, block: NDArray[np.float32]) -> None:
        self._index.add(self._projection(block))

    def _nearest(
        self, queries: NDArray[np.float32], count: int, rows: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        only = None if rows is None else Filter(rows, self.covered)
        # Twice as many rows as are asked for, so that few allowed ones make no short list.
        share = max(self.options.searched_share, 2 * count / (self.covered if rows is None else len(rows)))
        parameters = faiss.SearchParametersIVF(
            nprobe=min(self._index.nlist, max(16, math.ceil(share * self._index.nlist))),
            sel=None if only is None else only.selector,
        )
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
