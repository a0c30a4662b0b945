"""A model's recall on a test set, kept so that variants can be compared query by query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.evaluation import Evaluation
from landfall.evaluation.result import format_metres

#: Said of the first rank of a query that has no right match among those looked at.
NONE_RIGHT = 0


@dataclass(frozen=True, eq=False)
class Measured:
    """What one model gave on one test set within one distance.

    Attributes:
        test: the test set's label.
        protocol: the hash of what was compared with what.
        threshold_m: the positive distance.
        ks: the ranks looked at.
        first_right: (Q,) the rank of each query's first right match, from 1; 0 where none was.
        spots: (Q,) the spot of each query.
        ceiling: percent of queries that have a positive.
        photos_per_s: of describing, reading included; None where it is not known.
    """

    test: str
    protocol: str
    threshold_m: float
    ks: tuple[int, ...]
    first_right: NDArray[np.int64]
    spots: NDArray[np.int64]
    ceiling: float
    photos_per_s: float | None = None

    @classmethod
    def of(cls, evaluation: Evaluation, label: str) -> list[Measured]:
        """Return an evaluation's results, one a threshold."""
        return [
            cls(
                label,
                result.protocol.hash,
                result.threshold_m,
                evaluation.ks,
                first_right(result.hits, evaluation.ks),
                evaluation.query_spots,
                result.ceiling,
                evaluation.extract_photos_per_s,
            )
            for result in evaluation.thresholds
        ]

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

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "test": self.test,
            "protocol": self.protocol,
            "threshold_m": self.threshold_m,
            "within": f"{format_metres(self.threshold_m)} m",
            "recall": {str(k): percent for k, percent in self.recall.items()},
            "ceiling": self.ceiling,
            "ks": list(self.ks),
            "first_right": self.first_right.tolist(),
            "spots": self.spots.tolist(),
            "photos_per_s": self.photos_per_s,
        }

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Measured:
        """Return what `to_dict` wrote."""
        return cls(
            told["test"],
            told["protocol"],
            float(told["threshold_m"]),
            tuple(told["ks"]),
            np.array(told["first_right"], dtype=np.int64),
            np.array(told["spots"], dtype=np.int64),
            float(told["ceiling"]),
            told["photos_per_s"],
        )


def first_right(hits: NDArray[np.bool_], ks: tuple[int, ...]) -> NDArray[np.int64]:
    """Return (Q,) the least rank of ``ks`` at which each query of (Q, len(ks)) hits is right; 0 for never."""
    return np.where(hits.any(axis=1), np.array(ks)[hits.argmax(axis=1)], NONE_RIGHT)
