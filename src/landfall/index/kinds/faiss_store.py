"""What the kinds that rest on faiss share: its files, filters and threads.

An index whose codes are mapped from the disk can't be added to; it is read again into memory first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError

#: Its type stubs know nothing of what its Python layer adds, such as the arguments of search parameters.
faiss: Any = import_module("faiss")

#: Queries handed to faiss at once: its results and ours are (QUERY_CHUNK, count).
QUERY_CHUNK = 256


def write_faiss(index: Any, path: Path) -> None:
    """Write an index to a file."""
    faiss.write_index(index, str(path))


def read_faiss(path: Path, *, mapped: bool) -> Any:
    """Read an index from a file, its codes mapped or all of it in memory.

    Raises:
        IndexStoreError: the file is damaged.
    """
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except RuntimeError as error:
        raise IndexStoreError(f"{path} can't be read ({error}). Build the search structure anew.") from error


class Filter:
    """The rows that faiss may name, as bits; kept for as long as the search runs.

    Args:
        rows: (M,) their numbers.
        covered: N, rows that the index holds.
    """

    def __init__(self, rows: NDArray[np.int64], covered: int) -> None:
        mask = np.zeros(covered, np.bool_)
        mask[rows] = True
        self._bits = np.packbits(mask, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(self._bits)


def search_faiss(index: Any, queries: NDArray[np.float32], count: int, parameters: Any) -> NDArray[np.int64]:
    """Return the rows (Q, count) that an index names, -1 where it finds fewer."""
    found = np.empty((len(queries), count), np.int64)
    for first in range(0, len(queries), QUERY_CHUNK):
        part = slice(first, first + QUERY_CHUNK)
        found[part] = index.search(np.ascontiguousarray(queries[part]), count, params=parameters)[1]
    return found


@contextmanager
def one_faiss_thread() -> Iterator[None]:
    """Have faiss work in the calling thread alone for the block; OpenMP keeps this setting by thread."""
    usual = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(usual)
