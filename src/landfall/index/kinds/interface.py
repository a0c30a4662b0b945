"""What a kind of search is: a structure over an index's rows that names candidates fast.

A structure never tells distances. ``search.search_with`` measures its candidates exactly, from the
descriptors themselves, so that a kind decides only which rows are looked at. A structure covers the rows that
it knew when it was built or added to; rows beyond are searched exactly by ``search_with``. Rows are never
taken out: a row that is gone is one that isn't allowed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError, UsageError
from landfall.index.kinds.header import Header, read_header, write_structure
from landfall.index.kinds.reading import allowed_rows, fingerprint, read_blocks
from landfall.index.rows import Matrix
from landfall.registry import Registry

Say = Callable[[str], None]
#: Called with rows behind it and rows in all.
RowProgress = Callable[[int, int], None]


def unheard(_line: str) -> None:
    """Say nothing."""


def unseen(_done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Options:
    """A kind's choices. Those left None are derived from the number of rows and their length at building."""


OptionsT = TypeVar("OptionsT", bound=Options)


class SearchStructure(ABC, Generic[OptionsT]):
    """Names candidates among the first ``covered`` rows of an index. Threads may search one at once.

    A subclass is a kind: it is registered in ``KINDS``, and fills ``_build``, ``_extend``, ``_nearest`` and
    the rest below.

    Args:
        options: with nothing left None.
        dim: D of the descriptors.
    """

    kind: ClassVar[str]
    options_type: ClassVar[type[Options]]
    #: How many rows the training needs.
    least_rows: ClassVar[int] = 1

    def __init__(self, options: OptionsT, dim: int) -> None:
        self.options = options
        self.dim = dim
        self.covered = 0
        self._fingerprint = ""

    @classmethod
    def build(
        cls,
        rows: Matrix,
        *,
        options: OptionsT | None = None,
        seed: int = 0,
        say: Say = unheard,
        progress: RowProgress = unseen,
    ) -> Self:
        """Train on a sample of the rows and take in all of them.

        Args:
            rows: (N, D), read in blocks.
            options: what is None in them is derived.
            seed: draws the sample and whatever else is random; the same seed gives the same structure.
            say: is told what takes a while.
            progress: called with rows taken in and N.

        Raises:
            UsageError: too few rows for this kind, options that don't fit, or rows that are not finite.
        """
        if len(rows.shape) != 2 or rows.shape[1] < 1:
            raise UsageError(f"Rows of shape {rows.shape} can't be searched; a matrix (N, D) is expected.")
        cls.require(len(rows))
        structure = cls._train(rows, options, seed, say)
        structure.add(rows, progress=progress)
        return structure

    def add(self, rows: Matrix, *, progress: RowProgress = unseen) -> None:
        """Take in the rows that were appended since: those from ``covered`` on.

        Nothing is trained again. Rows unlike those of the training are found less surely, so build anew when
        an index has grown many times over. No other thread may search meanwhile.

        Args:
            rows: all the index's rows, the covered ones unchanged.

        Raises:
            UsageError: rows of another length, or not finite; the blocks before are taken in.
            IndexStoreError: the covered rows are others now.
        """
        self.check(rows)
        progress(self.covered, len(rows))
        if self.covered < len(rows):
            self._open_to_add()
        for first, block in read_blocks(rows, start=self.covered):
            self._extend(block)
            self.covered = first + len(block)
            progress(self.covered, len(rows))
        self._fingerprint = fingerprint(rows, self.covered)

    def check(self, rows: Matrix) -> None:
        """Refuse rows that this structure was not built on; a few of the covered ones are read.

        Raises:
            UsageError: rows of another length.
            IndexStoreError: fewer rows than are covered, or other ones.
        """
        if len(rows.shape) != 2 or rows.shape[1] != self.dim:
            raise UsageError(
                f"The structure was built on descriptors of {self.dim} numbers, and rows of shape "
                f"{rows.shape} came. Build it anew."
            )
        if self.covered > len(rows) or (
            self.covered and fingerprint(rows, self.covered) != self._fingerprint
        ):
            raise IndexStoreError(
                f"The {self.kind} search structure covers {self.covered} rows that are not the first of "
                f"these {len(rows)}. It belongs to another index, or to this one before it was compacted: "
                "build it anew."
            )

    def shortlist(
        self,
        queries: NDArray[np.float32],
        count: int,
        *,
        allowed: NDArray[np.bool_] | NDArray[np.integer] | None = None,
    ) -> NDArray[np.int64]:
        """Return rows that are likely among each query's nearest.

        Args:
            queries: (Q, D) float32, finite.
            count: how many.
            allowed: the rows that may be named: a mask (covered,), or row numbers, ascending. All by default.

        Returns:
            (Q, count) int64, in no order to rely on, none twice; -1 where there are fewer.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dim or count < 1:
            raise UsageError(
                f"A shortlist of {count} for queries of shape {queries.shape}: 1 or more are expected, and "
                f"descriptors of {self.dim} numbers."
            )
        found = np.full((len(queries), count), -1, np.int64)
        rows = None if allowed is None else allowed_rows(allowed, self.covered)
        available = min(count, self.covered if rows is None else len(rows))
        if available and len(queries):
            found[:, :available] = self._nearest(np.ascontiguousarray(queries, np.float32), available, rows)
        return found

    def save(self, folder: Path) -> None:
        """Write it to a folder that is not there yet, as a whole or not at all.

        Raises:
            IndexStoreError: the folder is there, or can't be written.
        """
        header = Header(
            kind=self.kind,
            options=asdict(self.options),
            dim=self.dim,
            covered=self.covered,
            fingerprint=self._fingerprint,
        )
        write_structure(folder, header, self._write)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote; codes stay mapped from the disk where that is possible.

        Raises:
            IndexStoreError: it is not there, of another kind or format, or not whole.
        """
        header = read_header(folder)
        if header.kind != cls.kind:
            raise IndexStoreError(f"{folder} holds a {header.kind} structure, and {cls.kind} was expected.")
        try:
            options: Any = cls.options_type(**header.options)
        except TypeError as error:
            raise IndexStoreError(
                f"{folder} was written with options that are not known here ({error}). Build it anew."
            ) from error
        structure = cls(options, header.dim)
        structure.covered = header.covered
        structure._fingerprint = header.fingerprint
        structure._read(folder)
        return structure

    @classmethod
    def require(cls, photos: int) -> None:
        """Refuse an index that is too small for this kind.

        Raises:
            UsageError: names the least number, and exact search.
        """
        if photos < cls.least_rows:
            raise UsageError(
                f"{cls.kind} search needs at least {cls.least_rows} photos to be trained on, and the index "
                f"has {photos}. Use exact search, which is fast at that size, or add photos first."
            )

    def describe(self) -> dict[str, Any]:
        """Return what it is, as JSON values."""
        return {
            "kind": self.kind,
            "options": asdict(self.options),
            "dim": self.dim,
            "covered": self.covered,
            "resident_bytes": self.resident_bytes,
        }

    @classmethod
    @abstractmethod
    def estimated_bytes(cls, photos: int, dim: int) -> int:
        """Return roughly what ``resident_bytes`` would be, with the options derived."""

    @property
    @abstractmethod
    def resident_bytes(self) -> int:
        """Codes, links, codebooks and projection, were all of them read into memory."""

    @classmethod
    @abstractmethod
    def _train(cls, rows: Matrix, options: OptionsT | None, seed: int, say: Say) -> Self:
        """Return a trained structure that covers nothing."""

    @abstractmethod
    def _extend(self, block: NDArray[np.float32]) -> None:
        """Take in rows (B, D) that follow on those covered."""

    @abstractmethod
    def _nearest(
        self, queries: NDArray[np.float32], count: int, rows: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Return (Q, count) of the covered rows, or of ``rows``, which are at least as many; -1 to pad."""

    @abstractmethod
    def _write(self, folder: Path) -> None:
        """Write codes and what else there is to a new folder."""

    @abstractmethod
    def _read(self, folder: Path) -> None:
        """Read them."""

    def _open_to_add(self) -> None:
        """Bring into memory what was mapped and must change."""


#: The kinds of search, by name.
KINDS: Registry[type[SearchStructure[Any]]] = Registry("search kind")
