"""The plain reference of ``training_round.py``: a round of training as one writes it down first.

Same network, same photos, same threads; what it lacks is what the library does about repeated work:

- every photo is decoded in full and resized each time that it is needed (the threads decode ahead, as the
  library's do), and goes through the frozen stages each time;
- NetVLAD goes through its clusters one by one, forward and backward;
- mining fills and searches an index for every query's positives, and one for its negatives.

The rest is vectorised: photos go through the network in batches, a step's loss is one expression.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from landfall.mining import Round, Triplets
from landfall.models import Network
from landfall.models.heads.netvlad import NetVLAD
from landfall.training.data import TrainingData
from mining import with_an_index_per_query
from netvlad import loop

# Parts that are decoded beside the one in use, as many as the library's.
AHEAD = 3
MARGIN = 0.1

Rows = NDArray[np.int64]
Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float32]


class PlainReader:
    """Decodes photos in threads and keeps none.

    Args:
        paths: N files; a photo's row is its place here.
        height, width: pixels that photos are stretched to.
        workers: threads.
    """

    def __init__(self, paths: Sequence[Path], *, height: int, width: int, workers: int) -> None:
        self._paths = paths
        self._size = width, height
        self._pool = ThreadPoolExecutor(workers)

    def stream(self, parts: Sequence[Rows]) -> Iterator[Pixels]:
        """Yield the photos (B, H, W, 3) of each part of rows (B,), in order."""
        ahead: deque[list[Future[Pixels]]] = deque()
        for rows in parts:
            ahead.append([self._pool.submit(self._decode, row) for row in rows.tolist()])
            if len(ahead) > AHEAD:
                yield self._gathered(ahead.popleft())
        while ahead:
            yield self._gathered(ahead.popleft())

    @staticmethod
    def _gathered(part: list[Future[Pixels]]) -> Pixels:
        return np.stack([future.result() for future in part])

    def _decode(self, row: int) -> Pixels:
        with Image.open(self._paths[row]) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize(self._size, Image.Resampling.BILINEAR))


def describe(network: Network, pixels: Pixels) -> Tensor:
    """Return the descriptors (B, K * C) of photos (B, H, W, 3), with gradients where they are recorded."""
    head = network.head
    if not isinstance(head, NetVLAD):
        raise TypeError(f"the loop over clusters is NetVLAD's, and the head is a {type(head).__name__}")
    with torch.no_grad():
        frozen = network.backbone.frozen_features(network.normalise(pixels))
    return loop(network.backbone.trained_features(frozen), head.conv.weight.flatten(1), head.centroids)


def mine(
    network: Network, reader: PlainReader, planned: Round, data: TrainingData, *, batch_size: int
) -> tuple[Triplets, Matrix, Matrix]:
    """Return a round's triplets, and the descriptors of its queries (Q, D) and database photos (P, D)."""
    described = []
    for rows in (data.query_rows[planned.queries], planned.database):
        parts = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
        with torch.inference_mode():
            described.append(
                np.concatenate([describe(network, pixels).numpy() for pixels in reader.stream(parts)])
            )
    queries, database = described
    found = with_an_index_per_query(planned, data.positives, data.excluded, queries, database)
    return found, queries, database


def step(network: Network, reader: PlainReader, rows: Rows, *, batch_queries: int, lr: float) -> list[float]:
    """Go through triplets (T, 2 + N) of photos' rows in steps of so many, and return each step's loss."""
    parts = [rows[start : start + batch_queries].ravel() for start in range(0, len(rows), batch_queries)]
    optimizer = torch.optim.Adam([weight for weight in network.parameters() if weight.requires_grad], lr=lr)
    losses = []
    network.train()
    for pixels in reader.stream(parts):
        descriptors = describe(network, pixels)
        loss = triplet_loss(descriptors.view(-1, rows.shape[1], descriptors.shape[1]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


def triplet_loss(triplets: Tensor) -> Tensor:
    """Return equation 5 of descriptors (T, 2 + N, D): query, positive, negatives."""
    apart = torch.linalg.vector_norm(triplets[:, :1] - triplets[:, 1:], dim=2)
    return F.relu(apart[:, :1] - apart[:, 1:] + MARGIN).mean()
