"""The frozen stages' outputs on disk: they don't change in training, so they are computed once.

Kept in half precision, so what follows is the same within its rounding. The first photos are kept, as many
as the budget holds; the others are computed each time. All are computed before the training starts, in fixed
batches: what is in the file then depends on no kill in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landfall import files
from landfall.errors import TrainingError
from landfall.files import hash_bytes
from landfall.models import Network
from landfall.models.checkpoint import hash_tensors
from landfall.training import ranks
from landfall.training.photo_cache import PhotoCache

# Photos that go through the frozen stages together.
_BATCH = 16
# Batches between two times that the file is brought to the disk and said to hold them.
_SYNC_EVERY = 32


class FeatureCache:
    """Frozen features of the first ``capacity`` photos.

    Args:
        folder: where the file lies; made if need be.
        shape: (h, w, C) of one photo's features.
        photos: N photos.
        budget_bytes: what the file may take.
        fingerprint: changes with the frozen weights and the photos; a file of another one is made anew.
    """

    def __init__(
        self, folder: Path, shape: tuple[int, int, int], photos: int, *, budget_bytes: int, fingerprint: str
    ) -> None:
        self.shape = shape
        self.capacity = min(photos, budget_bytes // self.photo_bytes(shape))
        self._folder = folder
        self._told = {"fingerprint": fingerprint, "shape": list(shape), "capacity": self.capacity}
        self._features: NDArray[np.float16] | None = None

    @staticmethod
    def photo_bytes(shape: tuple[int, int, int]) -> int:
        """Return what one photo's features take."""
        return 2 * shape[0] * shape[1] * shape[2]

    @property
    def size_bytes(self) -> int:
        """What the file takes."""
        return self.capacity * self.photo_bytes(self.shape)

    def fill(self, network: Network, photos: PhotoCache, tell: Callable[[int, int], None]) -> None:
        """Compute what an earlier process has not, each process of the training its share.

        Args:
            network: gives the frozen stages, on its device.
            photos: the photos, by the same rows.
            tell: called with the photos done and their number.

        Raises:
            PhotoError: a photo can't be used.
            OSError: the disk is full or not writable.
            TrainingError: another training fills the same cache.
        """
        with self._held():
            if ranks.rank() == 0:
                self._prepare()
            ranks.barrier()
            self._fill(network, photos, tell)
            ranks.barrier()

    def _fill(self, network: Network, photos: PhotoCache, tell: Callable[[int, int], None]) -> None:
        features = np.memmap(
            self._folder / "features.f16", np.float16, "r+", shape=(self.capacity, *self.shape)
        )
        batches = [np.arange(start, min(start + _BATCH, self.capacity)) for start in self._starts()]
        done_path = self._folder / f"done-{ranks.rank()}-{ranks.world()}.json"
        done = (files.read_json(done_path) or {}).get("batches", 0)
        own = batches[ranks.rank() :: ranks.world()]
        for number, pixels in enumerate(photos.stream(own[done:]), start=done):
            features[own[number]] = compute_frozen(network, pixels).half().permute(0, 2, 3, 1).cpu().numpy()
            tell(min((number + 1) * _BATCH * ranks.world(), self.capacity), self.capacity)
            if (number + 1) % _SYNC_EVERY == 0 or number + 1 == len(own):
                # In this order, so that a power failure can't leave zeros that count as done.
                features.flush()
                files.write_json(done_path, {"batches": number + 1})
        self._features = features

    def read(self, rows: NDArray[np.int64]) -> Tensor:
        """Return features (B, C, h, w) float16, channels last, on the CPU, of rows below ``capacity``."""
        if self._features is None:
            raise ValueError("the cache is read before it was filled")
        return torch.from_numpy(np.asarray(self._features[rows])).permute(0, 3, 1, 2)

    def _held(self) -> AbstractContextManager[object]:
        if ranks.rank() > 0:
            return nullcontext()
        busy = TrainingError(
            f"Another training computes frozen features in {self._folder}. Wait for it, or use another cache."
        )
        return files.hold(self._folder / ".lock", busy)

    def _starts(self) -> range:
        return range(0, self.capacity, _BATCH)

    def _prepare(self) -> None:
        """Make the file, unless it is there and of the same photos and weights."""
        self._folder.mkdir(parents=True, exist_ok=True)
        told = self._folder / "features.json"
        if files.read_json(told) == self._told:
            return
        told.unlink(missing_ok=True)
        for old in self._folder.glob("done-*.json"):
            old.unlink()
        with (self._folder / "features.f16").open("wb") as file:
            file.truncate(self.size_bytes)
        files.write_json(told, self._told)


def fingerprint(network: Network, photos: str) -> str:
    """Return 16 hexadecimal digits that change with what the frozen stages make of photos.

    Args:
        network: its frozen stages, and how it takes photos.
        photos: a fingerprint of the photos.
    """
    tensors = {
        f"{number}.{name}": tensor.cpu().numpy()
        for number, stage in enumerate(network.backbone.frozen)
        for name, tensor in stage.state_dict().items()
    }
    told = [photos, hash_tensors(tensors), repr(network.card.input_spec), network.card.mean, network.card.std]
    return hash_bytes(json.dumps(told).encode())[:16]


def compute_frozen(network: Network, pixels: NDArray[np.uint8]) -> Tensor:
    """Return the frozen stages' output (B, C, h, w) of photos (B, H, W, 3), on the network's device."""
    with torch.no_grad():
        return network.backbone.frozen_features(network.normalise(pixels))
