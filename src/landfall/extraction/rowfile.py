"""A ``.npy`` file of a known shape, written a few rows at a time in any order.

Written through the file and not through a memory map: a full disk is then an error with a name, where a map
would end the process, and the written pages don't count as the process's memory.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.files import written_beside

# Kept free beside the descriptors, for the journal, the names and whatever else uses the disk.
SPARE_BYTES = 16 * 2**20
# Bytes read at once when rows are copied.
COPY_BYTES = 32 * 2**20


class RowFile:
    """An open ``.npy`` file (N, D) whose rows are written at their places.

    Args:
        path: the file; made with its full length when it does not exist.
        shape: (N, D).
        dtype: of the rows.

    Raises:
        UsageError: the disk has no room for all of it.
        OSError: the file can't be made.
    """

    def __init__(self, path: Path, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._row_bytes = shape[1] * dtype.itemsize
        if not path.exists():
            # Filled beside its place, so that a file of this name always has its full length.
            with written_beside(path) as working, working.open("wb") as file:
                header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
                npy.write_array_header_1_0(file, header)
                _reserve(file, path.parent, shape[0] * self._row_bytes)
        self._file = path.open("r+b")
        try:
            npy.read_magic(self._file)
            npy.read_array_header_1_0(self._file)
        except BaseException:
            self._file.close()
            raise
        self._start = self._file.tell()

    def write(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Write ``values`` (B, D) at ``rows`` (B,), ascending; neighbouring rows in one go."""
        values = np.ascontiguousarray(values, self._dtype)
        cuts = np.flatnonzero(np.diff(rows) != 1) + 1
        for run, part in zip(np.split(rows, cuts), np.split(values, cuts), strict=True):
            if len(run):
                self._file.seek(self._start + int(run[0]) * self._row_bytes)
                self._file.write(part.tobytes())
        self._file.flush()

    def sync(self) -> None:
        """Return when all that was written is on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _reserve(file: IO[bytes], folder: Path, size: int) -> None:
    """Lengthen a file by ``size`` bytes from where it stands."""
    free = shutil.disk_usage(folder).free
    if free < size + SPARE_BYTES:
        raise UsageError(
            f"{folder} has {free / 1e9:.2f} GB free, and the descriptors need "
            f"{(size + SPARE_BYTES) / 1e9:.2f} GB. Free some space, or choose a place on another disk."
        )
    start = file.tell()
    file.truncate(start + size)
    if size and hasattr(os, "posix_fallocate"):
        # Takes the blocks now, so that a disk that fills up meanwhile can't stop the work halfway.
        os.posix_fallocate(file.fileno(), start, size)


def copy_rows(source: Path, rows: NDArray[np.int64], target: Path) -> None:
    """Write ``rows`` (M,), ascending, of the array in ``source`` to a new file ``target``, block by block.

    Raises:
        UsageError: the disk has no room for the copy.
    """
    target.unlink(missing_ok=True)
    array = np.load(source, mmap_mode="r")
    copy = RowFile(target, (len(rows), array.shape[1]), array.dtype)
    try:
        step = max(1, COPY_BYTES // max(1, array.shape[1] * array.itemsize))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            copy.write(np.arange(start, start + len(part)), array[part])
        copy.sync()
    finally:
        copy.close()
