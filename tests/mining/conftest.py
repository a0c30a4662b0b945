from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.geo import Neighbours, Positions, neighbours_within
from landfall.mining import Round


class Street:
    """Database photos and queries along a straight street, with descriptors of their own.

    Args:
        database_m: (P,) metres along the street.
        queries_m: (Q,) metres along the street.
        dim: numbers in a descriptor.
        seed: of the descriptors.
        values: descriptors of small whole numbers below this, so that many distances tie; 0 for normal ones.
    """

    def __init__(
        self,
        database_m: NDArray[np.float64],
        queries_m: NDArray[np.float64],
        *,
        dim: int = 8,
        seed: int = 0,
        values: int = 0,
        train_radius_m: float = 10.0,
        excluded_radius_m: float = 25.0,
    ) -> None:
        self.database_m, self.queries_m = database_m, queries_m
        database = Positions.planar(database_m, np.zeros(len(database_m)))
        queries = Positions.planar(queries_m, np.zeros(len(queries_m)))
        self.positives: Neighbours = neighbours_within(database, queries, train_radius_m)
        self.excluded: Neighbours = neighbours_within(database, queries, excluded_radius_m)
        rng = np.random.default_rng(seed)
        shapes = (len(database_m), dim), (len(queries_m), dim)
        drawn = [rng.integers(0, values, s) if values else rng.normal(size=s) for s in shapes]
        self.database, self.queries = (part.astype(np.float32) for part in drawn)

    def of(self, planned: Round) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the descriptors of a round's queries and database photos."""
        return self.queries[planned.queries], self.database[planned.database]


@pytest.fixture(scope="session")
def street() -> Callable[..., Street]:
    return Street
