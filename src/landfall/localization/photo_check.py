"""The geometric check of an index's photos: paths for rows, and counts of inliers back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.index import Index, Match
from landfall.localization.geometry import FeatureCache, verify_all

Floats = NDArray[np.float64]

# Matches that are checked, at most; further ones are seldom right where none of these is.
DEPTH = 20


class PhotoCheck:
    """Checks queries against the photos of an index, whose local features are kept between calls.

    Args:
        index: whose photos lie where they lay when they were indexed.
        depth: matches of a query that are checked, at most.
        workers: threads; one a core by default.
    """

    def __init__(self, index: Index, *, depth: int = DEPTH, workers: int | None = None) -> None:
        self.depth = depth
        self._index = index
        self._workers = workers
        self._cache = FeatureCache()
        self._paths: dict[int, Path | None] = {}

    def matches(
        self, queries: Sequence[Path], found: Sequence[Sequence[Match]]
    ) -> list[tuple[list[int | None], str | None]]:
        """Return, for each query, the inliers of its first matches, and why it could not be checked if so."""
        candidates = [[self._path(match.id) for match in matches[: self.depth]] for matches in found]
        return self._counted(queries, candidates)

    def rows(
        self,
        photos: NDArray[np.int64],
        rows: NDArray[np.int64],
        progress: Callable[[int, int], None] | None = None,
    ) -> Floats:
        """Return the inliers (S, K) of matches of indexed photos that play the queries.

        Args:
            photos: (S,) rows of those photos.
            rows: (S, K) rows of their matches, -1 for none.
            progress: called with the counts of photos done and failed.

        Returns:
            NaN where a match is beyond the depth, is none, or can't be read.
        """
        ids = self._index.ids
        queries = [self._path(int(each)) or Path() for each in ids[photos]]
        wanted = rows[:, : self.depth]
        candidates = [
            [self._path(int(ids[row])) if row >= 0 else None for row in matches]
            for matches in wanted.tolist()
        ]
        counted = np.full(rows.shape, np.nan)
        for number, (inliers, _) in enumerate(self._counted(queries, candidates, progress)):
            counted[number, : len(inliers)] = [np.nan if each is None else each for each in inliers]
        return counted

    def _counted(
        self,
        queries: Iterable[Path],
        candidates: Sequence[Sequence[Path | None]],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[tuple[list[int | None], str | None]]:
        there = [[path for path in paths if path is not None] for paths in candidates]
        checked = verify_all(
            zip(queries, there, strict=True), cache=self._cache, workers=self._workers, progress=progress
        )
        counted: list[tuple[list[int | None], str | None]] = []
        for paths, check in zip(candidates, checked, strict=True):
            inliers = iter([match.inliers for match in check.matches])
            counted.append(([None if path is None else next(inliers, None) for path in paths], check.error))
        return counted

    def _path(self, photo_id: int) -> Path | None:
        if photo_id not in self._paths:
            self._paths[photo_id] = self._index.path_of(photo_id)
        return self._paths[photo_id]
