"""Describing many photos between two steps: for mining and for validation, shared by all processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from landfall.models import Network
from landfall.training import ranks
from landfall.training.inputs import InputReader

Matrix = NDArray[Any]


@dataclass(frozen=True)
class DescriptorSpace:
    """Where descriptors are kept while they are needed.

    Args:
        folder: where files go when memory may not hold them, or several processes fill them.
        dim: D.
        half: half precision.
        budget_bytes: what may be in memory.
    """

    folder: Path
    dim: int
    half: bool
    budget_bytes: int

    def size_bytes(self, photos: int) -> int:
        """Return what the descriptors of so many photos take."""
        return photos * self.dim * (2 if self.half else 4)

    def in_memory(self, photos: int) -> bool:
        """Tell whether they are kept in memory; several processes share a file."""
        return ranks.world() == 1 and self.size_bytes(photos) <= self.budget_bytes

    @contextmanager
    def matrix(self, name: str, photos: int) -> Iterator[Matrix]:
        """Give an uninitialised matrix (photos, D), the same to all processes, and let it go afterwards."""
        dtype = np.float16 if self.half else np.float32
        if self.in_memory(photos):
            yield np.empty((photos, self.dim), dtype)
            return
        path = self.folder / f"{name}.descriptors"
        if ranks.rank() == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.truncate(self.size_bytes(photos))
        ranks.barrier()
        try:
            yield np.memmap(path, dtype, "r+", shape=(photos, self.dim))
        finally:
            if ranks.rank() == 0:
                # Whoever still maps it keeps what it maps.
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Describer:
    """Describes photos with the network as it is.

    Args:
        network: on its device.
        reader: gives the photos by row.
        batch_size: photos described at once. Batches are the same however many processes share them.
        bf16: compute in bfloat16 where that is safe.
    """

    network: Network
    reader: InputReader
    batch_size: int
    bf16: bool

    def describe(
        self, rows: NDArray[np.int64], into: Matrix, tell: Callable[[int], None] = lambda _: None
    ) -> None:
        """Fill a matrix (N, D) with the descriptors of photos (N,), each process its share.

        Args:
            rows: which photos.
            into: where the descriptors go, the same for all processes.
            tell: called with how many photos are done, those of other processes guessed.

        Raises:
            PhotoError: a photo can't be used.
        """
        starts = range(0, len(rows), self.batch_size)[ranks.rank() :: ranks.world()]
        parts = [rows[start : start + self.batch_size] for start in starts]
        training = self.network.training
        self.network.eval()
        try:
            for start, inputs in zip(starts, self.reader.stream(parts), strict=True):
                with (
                    torch.inference_mode(),
                    torch.autocast(self.network.mean.device.type, torch.bfloat16, enabled=self.bf16),
                ):
                    features = inputs.frozen_features(self.network)
                    descriptors = self.network.describe_frozen(features)
                into[start : start + len(inputs)] = descriptors.float().cpu().numpy()
                tell(min((start // self.batch_size + 1) * self.batch_size, len(rows)))
        finally:
            self.network.train(training)
        if isinstance(into, np.memmap):
            into.flush()
        ranks.barrier()
