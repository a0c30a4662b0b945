"""The geometric check: do a query's first matches show the same things from another side?

Each match is compared with the query by its local features: those that look alike are paired, and what is
counted is how many pairs one robust two-view model explains. A pair of photos costs milliseconds, so the
check is for a query's first 10 to 50 matches. Candidates are spread over threads, those of several queries
together, and a candidate's features are kept for the next query that meets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from os import PathLike
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from landfall.errors import PhotoError, UsageError
from landfall.localization.geometry.cache import FeatureCache
from landfall.localization.geometry.features import FeatureOptions, Features, extract_features, read_features
from landfall.localization.geometry.matching import RATIO, match_features
from landfall.localization.geometry.model import Geometry, ModelOptions, estimate_geometry

Photo = str | PathLike[str] | NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How photos are compared.

    Args:
        features: what is looked for in a photo.
        ratio: see ``match_features``.
        model: how the two-view model is estimated.
    """

    features: FeatureOptions = field(default_factory=FeatureOptions)
    ratio: float = RATIO
    model: ModelOptions = field(default_factory=ModelOptions)


@dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """One match of a query, checked.

    Args:
        candidate: the matching photo.
        rank: its place in retrieval, 1 for the first.
        inliers: how many pairs of local features agree on one model; None where the photo can't be used.
        reason: why it can't be used.
        geometry: the pairs and the model; None where the photo can't be used.
        query_xy: (n, 2) where the inliers are on the query, as shares of its width and height.
        match_xy: (n, 2) where they are on the match.
    """

    candidate: Path
    rank: int
    inliers: int | None = None
    reason: str | None = None
    geometry: Geometry | None = None
    query_xy: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    match_xy: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))


@dataclass(frozen=True, eq=False, slots=True)
class QueryCheck:
    """One query with its checked matches, in the order of retrieval.

    Args:
        matches: one a candidate; none for a query that can't be read.
        error: why the query can't be read.
    """

    matches: tuple[Checked, ...] = ()
    error: str | None = None


def verify(
    query: Photo,
    candidates: Sequence[str | PathLike[str]],
    *,
    options: CheckOptions | None = None,
    cache: FeatureCache | None = None,
    workers: int | None = None,
) -> list[Checked]:
    """Check one query's matches; ``verify_all`` is for several and says what the arguments are.

    Raises:
        PhotoError: the query can't be read; a candidate that can't be read has a ``reason`` instead.
        UsageError: pixels of another shape or type, or options that don't go together.
    """
    options = options or CheckOptions()
    asked = _Query(query, options.features)
    [checked] = _check([(asked, candidates)], options, cache, workers)
    asked.features()
    return list(checked.matches)


def verify_all(
    queries: Iterable[tuple[Photo, Sequence[str | PathLike[str]]]],
    *,
    options: CheckOptions | None = None,
    cache: FeatureCache | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[QueryCheck]:
    """Yield the checked matches of each query, in the queries' order.

    The same photos and options give the same numbers, whatever the number of threads. Queries are taken
    from the iterable as they are needed, so that any number of them takes bounded memory.

    Args:
        queries: a photo (a path, or (H, W, 3) uint8 RGB pixels) and the paths of its matches, best first.
        options: how photos are compared.
        cache: candidates' features, kept from call to call; one of this call's own by default.
        workers: threads; one a core that this process may use by default.
        progress: called with the counts of queries done and failed, before the first and after each.

    Raises:
        UsageError: pixels of another shape or type, or a cache of other features than ``options`` want.
    """
    options = options or CheckOptions()
    asked = ((_Query(query, options.features), candidates) for query, candidates in queries)
    done = failed = 0
    if progress is not None:
        progress(done, failed)
    for checked in _check(asked, options, cache, workers):
        done += 1
        failed += checked.error is not None
        if progress is not None:
            progress(done, failed)
        yield checked


class _Query:
    """A query, whose features are computed by the thread that needs them first."""

    def __init__(self, photo: Photo, options: FeatureOptions) -> None:
        self._photo = photo
        self._options = options
        self._lock = Lock()
        self._found: Features | PhotoError | None = None

    def features(self) -> Features:
        """Return the features.

        Raises:
            PhotoError: the query can't be read.
        """
        with self._lock:
            if self._found is None:
                self._found = self._compute()
        if isinstance(self._found, PhotoError):
            raise self._found
        return self._found

    def error(self) -> str | None:
        """Return why the query can't be read; None where it can."""
        try:
            self.features()
        except PhotoError as error:
            return error.reason
        return None

    def _compute(self) -> Features | PhotoError:
        if isinstance(self._photo, np.ndarray):
            return extract_features(self._photo, self._options)
        try:
            return read_features(self._photo, self._options)
        except PhotoError as error:
            return error


@dataclass(frozen=True, eq=False, slots=True)
class _Task:
    """A query's own features (no candidate), or one comparison."""

    query: _Query
    candidate: Path | None = None
    rank: int = 0


def _check(
    asked: Iterable[tuple[_Query, Sequence[str | PathLike[str]]]],
    options: CheckOptions,
    cache: FeatureCache | None,
    workers: int | None,
) -> Iterator[QueryCheck]:
    # It brings torch, which nothing else here needs.
    from landfall.models.threads import map_in_threads

    if cache is None:
        cache = FeatureCache(options.features)
    if cache.options != options.features:
        raise UsageError(f"The cache holds features by {cache.options}, and {options.features} are wanted.")

    def work(task: _Task) -> tuple[_Query, Checked | str | None]:
        return task.query, _done(task, options, cache)

    results = map_in_threads(work, _tasks(asked), workers=workers)
    for _, group in groupby(results, key=lambda result: result[0]):
        error, *matches = [outcome for _, outcome in group]
        if isinstance(error, str):
            yield QueryCheck(error=error)
        else:
            yield QueryCheck(matches=tuple(match for match in matches if isinstance(match, Checked)))


def _tasks(asked: Iterable[tuple[_Query, Sequence[str | PathLike[str]]]]) -> Iterator[_Task]:
    for query, candidates in asked:
        yield _Task(query)
        for rank, candidate in enumerate(candidates, 1):
            yield _Task(query, Path(candidate), rank)


def _done(task: _Task, options: CheckOptions, cache: FeatureCache) -> Checked | str | None:
    """Return a comparison, or what is wrong with the query."""
    if task.candidate is None:
        return task.query.error()
    try:
        match = cache.get(task.candidate)
    except PhotoError as error:
        return Checked(task.candidate, task.rank, reason=error.reason)
    if task.query.error() is not None:
        return None
    query = task.query.features()
    geometry = estimate_geometry(query, match, match_features(query, match, options.ratio), options.model)
    agreeing = geometry.matches[geometry.inlier_mask]
    return Checked(
        task.candidate,
        task.rank,
        inliers=geometry.inliers,
        geometry=geometry,
        query_xy=query.shares[agreeing[:, 0]],
        match_xy=match.shares[agreeing[:, 1]],
    )
