"""Queries for a model that has learnt from the very photos that are to play them.

Photos that it did not learn from are strangers to it and play as they are. Where there are too few of those,
the photos it did learn from play in turn: a tenth of their spots is held out, the model's whitening is fitted
on the others, and those alone are searched, as a stranger's photo would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from landfall.models.fit_sample import FitSample, held_out_distances

FOLDS = 10
# So many strangers say as much as a sample of photos that are held out in turn.
ENOUGH_STRANGERS = 300


@dataclass(frozen=True, eq=False)
class LearntFrom:
    """Which of N photos a model has learnt from.

    Attributes:
        sample: the photos of the fit.
        rows: (M,) those of them that are here, ascending.
        members: (M,) which of the sample those are.
        spots: (N,) the spot of each photo; all photos of a spot are held out together.
        seed: of the folds.
    """

    sample: FitSample
    rows: NDArray[np.int64]
    members: NDArray[np.int64]
    spots: NDArray[np.int64]
    seed: int = 0

    @classmethod
    def of(
        cls, sample: FitSample, hashes: Sequence[str], spots: NDArray[np.int64], *, seed: int = 0
    ) -> LearntFrom:
        """Find the photos of a fit among those with the content ``hashes``, which stand at ``spots``."""
        place = {content_hash: member for member, content_hash in enumerate(sample.hashes)}
        found = [(row, place.pop(each)) for row, each in enumerate(hashes) if each in place]
        rows, members = np.array(found, np.int64).reshape(-1, 2).T
        return cls(sample, rows, members, spots, seed)

    def among(self, kept: NDArray[np.bool_]) -> LearntFrom:
        """Return the same of those photos that are ``kept`` (N,)."""
        if kept.all():
            return self
        here = kept[self.rows]
        numbers = np.cumsum(kept) - 1
        return LearntFrom(
            self.sample, numbers[self.rows[here]], self.members[here], self.spots[kept], self.seed
        )

    @property
    def strangers(self) -> NDArray[np.int64]:
        """The rows of the photos that it did not learn from."""
        return np.setdiff1d(np.arange(len(self.spots)), self.rows, assume_unique=True)

    @property
    def strangers_play(self) -> bool:
        """Whether there are enough of those to play the queries."""
        return len(self.strangers) >= min(ENOUGH_STRANGERS, max(len(self.rows), 1))

    def search(self, queries: NDArray[np.int64], depth: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Search the photos of the fit for those of them that are held out, as ``SampleSearch`` does."""
        asked = self._held_out[np.searchsorted(self.rows, queries)]
        order = np.argsort(asked, axis=1, kind="stable")[:, :depth]
        return np.take_along_axis(asked, order, axis=1), self.rows[order]

    @cached_property
    def _held_out(self) -> NDArray[np.float32]:
        """(M, M) how far each is from those of the other folds; kept, for two calibrations may ask for it."""
        places, spot = np.unique(self.spots[self.rows], return_inverse=True)
        folds = (np.random.default_rng(self.seed).permutation(len(places)) % FOLDS)[spot]
        return held_out_distances(self.sample.take(self.members), folds)
