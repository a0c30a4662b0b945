"""Photos of a training, decoded ahead of the network, and kept in memory as far as a budget allows."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.cores import available_cores
from landfall.photos import InputSpec, load_photo

# Parts that are decoded ahead of the one in use.
_AHEAD = 3


class PhotoCache:
    """Gives photos as pixels, resized; each is decoded once while the budget holds it.

    Not for use by several threads at once.

    Args:
        paths: N files; a photo's row is its place here.
        height, width: pixels that photos are stretched to.
        budget_bytes: what kept pixels may take.
        workers: threads that decode; one a core by default.

    Attributes:
        decoded: photos decoded so far.
        waited_s: seconds spent waiting for photos that were not decoded yet.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        height: int,
        width: int,
        budget_bytes: int,
        workers: int | None = None,
    ) -> None:
        self._paths = paths
        self._spec = InputSpec(height=height, width=width)
        slots = min(len(paths), budget_bytes // (height * width * 3))
        # Untouched pages of it take no memory.
        self._pixels = np.empty((slots, height, width, 3), np.uint8)
        self._free = list(range(slots - 1, -1, -1))
        self._slots: OrderedDict[int, int] = OrderedDict()
        self._held: frozenset[int] = frozenset()
        self._decoding: dict[int, Future[NDArray[np.uint8]]] = {}
        self._pool = ThreadPoolExecutor(workers or available_cores(), thread_name_prefix="landfall-decode")
        self.decoded = 0
        self.waited_s = 0.0

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def capacity(self) -> int:
        """How many photos can be kept."""
        return len(self._pixels)

    def hold(self, rows: NDArray[np.int64]) -> None:
        """Say which photos are needed next: others make room first."""
        self._held = frozenset(rows.tolist())
        for row in self._held & self._slots.keys():
            self._slots.move_to_end(row)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return photos (B, H, W, 3).

        Raises:
            PhotoError: one of them can't be used.
        """
        [pixels] = self.stream([rows])
        return pixels

    def stream(self, parts: Iterable[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """Yield the photos (B, H, W, 3) of each part of rows (B,), decoding ahead of the consumer.

        Raises:
            PhotoError: a photo can't be used.
        """
        coming = iter(parts)
        ahead: deque[NDArray[np.int64]] = deque()
        try:
            while True:
                for part in islice(coming, _AHEAD + 1 - len(ahead)):
                    self._start(part)
                    ahead.append(part)
                if not ahead:
                    return
                yield self._gather(ahead.popleft())
        finally:
            # A consumer that stops leaves nothing decoding behind its back.
            for future in self._decoding.values():
                future.cancel()
            self._decoding.clear()

    def close(self) -> None:
        """End the threads and free the pixels."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._slots.clear()
        self._pixels = self._pixels[:0].copy()

    def _start(self, rows: NDArray[np.int64]) -> None:
        for row in rows.tolist():
            if row not in self._slots and row not in self._decoding:
                self._decoding[row] = self._pool.submit(self._load, row)

    def _load(self, row: int) -> NDArray[np.uint8]:
        return load_photo(self._paths[row], self._spec).pixels

    def _gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        pixels = np.empty((len(rows), *self._pixels.shape[1:]), np.uint8)
        for place, row in enumerate(rows.tolist()):
            slot = self._slots.get(row)
            if slot is None:
                pixels[place] = self._wait(row)
                self._keep(row, pixels[place])
            else:
                self._slots.move_to_end(row)
                pixels[place] = self._pixels[slot]
        return pixels

    def _wait(self, row: int) -> NDArray[np.uint8]:
        started = time.monotonic()
        # A photo that was in memory when its part was planned may have made room since.
        future = self._decoding.pop(row, None) or self._pool.submit(self._load, row)
        pixels = future.result()
        self.decoded += 1
        self.waited_s += time.monotonic() - started
        return pixels

    def _keep(self, row: int, pixels: NDArray[np.uint8]) -> None:
        if not self._free:
            oldest = next(iter(self._slots), None)
            # What is needed next stays: with a budget too small for a round, its first photos are kept.
            if oldest is None or oldest in self._held or row not in self._held:
                return
            self._free.append(self._slots.pop(oldest))
        slot = self._free.pop()
        self._pixels[slot] = pixels
        self._slots[row] = slot
