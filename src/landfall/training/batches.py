"""A mining round as a loader: each step's triplets with their photos, read ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.mining import Triplets
from landfall.training import ranks
from landfall.training.inputs import InputReader, Inputs

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """One process's share of a step's triplets.

    Args:
        number: of the step in its round, from 0.
        rows: (T, 2 + N) rows of photos: query, positive, negatives.
        inputs: B photos.
        places: (T, 2 + N) where in the inputs each photo is.
        weight: of this share's mean loss; 1 where all processes have as many triplets.
    """

    number: int
    rows: Rows
    inputs: Inputs
    places: Rows
    weight: float


class RoundLoader:
    """The steps of one round, for this process.

    Args:
        triplets: of the round, the same in all processes.
        reader: gives photos by row.
        query_rows: the row of each query.
        batch_queries: triplets of a step, in all processes together.
        share_photos: a photo that is in several triplets of a step goes through the network once. Not to be
            asked for where copies differ (augmentation) or count (batch norm).
        as_pixels: take pixels even where frozen features are kept.
    """

    def __init__(
        self,
        triplets: Triplets,
        reader: InputReader,
        *,
        query_rows: Rows,
        batch_queries: int,
        share_photos: bool,
        as_pixels: bool,
    ) -> None:
        self._rows = np.concatenate(
            [query_rows[triplets.queries][:, None], triplets.positives[:, None], triplets.negatives], axis=1
        )
        self._reader = reader
        self._size = batch_queries
        self._share_photos = share_photos
        self._as_pixels = as_pixels

    @property
    def photos(self) -> int:
        """Photos of all triplets of the round, in all processes, counted as often as they are shown."""
        return int(self._rows.size)

    def __len__(self) -> int:
        return -(-len(self._rows) // self._size)

    def __iter__(self) -> Iterator[Batch]:
        shares = [self._share(self._rows[start : start + self._size]) for start in self._starts()]
        needed = [
            np.unique(rows, return_inverse=True)
            if self._share_photos
            else (rows.ravel(), np.arange(rows.size))
            for rows, _ in shares
        ]
        stream = self._reader.stream([photos for photos, _ in needed], as_pixels=self._as_pixels)
        for number, ((rows, weight), (_, places), inputs) in enumerate(
            zip(shares, needed, stream, strict=True)
        ):
            yield Batch(number, rows, inputs, places.reshape(rows.shape).astype(np.int64), weight)

    def _starts(self) -> range:
        return range(0, len(self._rows), self._size)

    @staticmethod
    def _share(rows: Rows) -> tuple[Rows, float]:
        """Return this process's part of a step's triplets, and what its mean loss counts."""
        own = np.array_split(rows, ranks.world())[ranks.rank()]
        # A process without any still has to take part in the step.
        return (own, len(own) * ranks.world() / len(rows)) if len(own) else (rows[:1], 0.0)
