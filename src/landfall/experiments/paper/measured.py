"""A model's recall on a test set, kept so that variants can be compared query by query.

Queries stand in the order of their names and database photos are numbered in theirs, so that results of one
test set belong together in whatever order a folder or table lists its photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Dataset, PhotoSet
from landfall.evaluation import Evaluation
from landfall.experiments.paper.variant import EXPERIMENTS, MAIN_M

#: Said of the first rank of a query that has no right match among those looked at.
NONE_RIGHT = 0

#: Said of the first match of a query for which nothing was retrieved.
NOTHING = -1


@dataclass(frozen=True, eq=False)
class Measured:
    """What one model gave on one test set within one distance.

    Attributes:
        threshold_m: the positive distance.
        protocol: the hash of what was compared with what, as `landfall evaluate` tells it.
        ks: the ranks looked at.
        first_right: (Q,) the rank of ``ks`` at which each query has its first right match; 0 where none.
        spots: (Q,) the spot of each query.
        ceiling: percent of queries that have a positive.
    """

    threshold_m: float
    protocol: str
    ks: tuple[int, ...]
    first_right: NDArray[np.int64]
    spots: NDArray[np.int64]
    ceiling: float

    @property
    def hits(self) -> NDArray[np.bool_]:
        """(Q, len(ks)) who is right at each rank."""
        first = self.first_right[:, None]
        right: NDArray[np.bool_] = (first != NONE_RIGHT) & (first <= np.array(self.ks))
        return right

    @property
    def recall(self) -> dict[int, float]:
        """Percent of all queries by rank."""
        return dict(zip(self.ks, (100.0 * self.hits.mean(axis=0)).tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Measurement:
    """What one model gave on one test set.

    Attributes:
        at: one result a distance.
        first_match: (Q,) database photos, by the order of their names; -1 where nothing was retrieved.
        descriptor_dim: D.
        failed: photos that could not be described.
        warnings: what a reader must know before using the numbers.
    """

    at: tuple[Measured, ...]
    first_match: NDArray[np.int64]
    descriptor_dim: int
    failed: int
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, evaluation: Evaluation, test: Dataset) -> Measurement:
        """Return what an evaluation of a test set came to."""
        queries, place = name_order(test.queries), np.argsort(name_order(test.database))
        first = evaluation.ranked[queries, 0]
        return cls(
            tuple(
                Measured(
                    result.threshold_m,
                    result.protocol.hash,
                    evaluation.ks,
                    first_right(result.hits[queries], evaluation.ks),
                    evaluation.query_spots[queries],
                    result.ceiling,
                )
                for result in evaluation.thresholds
            ),
            np.where(first < 0, NOTHING, place[first]),
            evaluation.descriptor_dim,
            len(evaluation.failed),
            evaluation.warnings,
        )

    def within(self, threshold_m: float) -> Measured:
        """Return the result at a distance.

        Raises:
            KeyError: it was not measured.
        """
        for each in self.at:
            if each.threshold_m == threshold_m:
                return each
        raise KeyError(threshold_m)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "descriptor_dim": self.descriptor_dim,
            "failed": self.failed,
            "warnings": list(self.warnings),
            "ks": list(self.at[0].ks),
            "at": [
                {
                    "threshold_m": each.threshold_m,
                    "protocol": each.protocol,
                    "ceiling": each.ceiling,
                    "recall": {str(k): percent for k, percent in each.recall.items()},
                    "first_right": each.first_right.tolist(),
                }
                for each in self.at
            ],
            "spots": self.at[0].spots.tolist(),
            "first_match": self.first_match.tolist(),
        }

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Measurement:
        """Return what `to_dict` wrote."""
        ks, spots = tuple(told["ks"]), np.array(told["spots"], dtype=np.int64)
        return cls(
            tuple(
                Measured(
                    float(each["threshold_m"]),
                    each["protocol"],
                    ks,
                    np.array(each["first_right"], dtype=np.int64),
                    spots,
                    float(each["ceiling"]),
                )
                for each in told["at"]
            ),
            np.array(told["first_match"], dtype=np.int64),
            int(told["descriptor_dim"]),
            int(told["failed"]),
            tuple(told["warnings"]),
        )


def distances_measured() -> tuple[float, ...]:
    """Return the positive distances of all experiments, the main one first: one extraction serves all."""
    every = {metres for experiment in EXPERIMENTS.values() for metres in experiment.thresholds_m}
    return (MAIN_M, *sorted(every - {MAIN_M}))


def name_order(photos: PhotoSet) -> NDArray[np.int64]:
    """Return the rows of photos in the order of their names: (N,) int64."""
    return np.array(sorted(range(len(photos)), key=photos.names.__getitem__), dtype=np.int64)


def first_right(hits: NDArray[np.bool_], ks: Sequence[int]) -> NDArray[np.int64]:
    """Return (Q,) the least rank of ``ks`` at which each query of (Q, len(ks)) hits is right; 0 for never."""
    return np.where(hits.any(axis=1), np.array(ks)[hits.argmax(axis=1)], NONE_RIGHT)
