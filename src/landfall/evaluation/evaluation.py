"""Evaluate descriptors on one split: everything that is said of a model's retrieval, in one pass.

Paper, section "Metric". One exact search serves all thresholds. The denominator is always all queries of the
split: a query without a positive, one whose position is unknown and one whose photo is broken all count as
misses, and how many there are is stated.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Dataset, PhotoSet, Protocol, spots
from landfall.datasets.protocol import Denominator
from landfall.errors import DatasetError, ModelError, UsageError
from landfall.evaluation.error_curve import first_match_errors, summarise_errors
from landfall.evaluation.intervals import bootstrap_interval
from landfall.evaluation.recall import ceiling, check_ks, hits_at, hits_at_ks, recall_at
from landfall.evaluation.resources import peak_rss_mb
from landfall.evaluation.result import Evaluation, ThresholdResult, format_metres
from landfall.photos import PhotoProblem

if TYPE_CHECKING:
    from landfall.index.rows import Matrix

DENOMINATOR: Denominator = "all queries"


def evaluate_descriptors(
    dataset: Dataset,
    database_descriptors: Matrix,
    query_descriptors: NDArray[np.float32],
    *,
    thresholds_m: Sequence[float] = (25.0,),
    ks: Sequence[int] = (1, 5, 10, 20),
    seed: int = 0,
    device: str | None = None,
    database_rows: NDArray[np.int64] | None = None,
    query_rows: NDArray[np.int64] | None = None,
) -> Evaluation:
    """Search all queries once, exactly, and measure recall, intervals and distance errors.

    Args:
        dataset: D database photos and Q queries.
        database_descriptors: (D, dim) float16 or float32, or one row for each of ``database_rows``.
        query_descriptors: (Q, dim) float32, or one row for each of ``query_rows``.
        thresholds_m: positive distances; the first is the main one.
        ks: increasing ranks N; one beyond D takes the whole database.
        seed: of the bootstrap.
        device: where the search runs.
        database_rows, query_rows: which photos the descriptors belong to, where some have none.

    Raises:
        DatasetError: no queries, no database, or no known position on one side.
        ModelError: descriptors of the wrong shape.
        UsageError: thresholds or ranks that make no sense, or descriptors that hold NaN or infinity.
        PositionError: planar and geographic positions in one split.
    """
    from landfall.index import search_exact  # brings in torch, which the rest of this folder does without

    distances_m, ranks = check_evaluable(dataset, thresholds_m, ks)
    database_at = _check_descriptors(database_descriptors, database_rows, len(dataset.database), "database")
    query_at = _check_descriptors(query_descriptors, query_rows, len(dataset.queries), "query")
    if database_descriptors.shape[1] != query_descriptors.shape[1]:
        raise ModelError(
            f"Database descriptors have {database_descriptors.shape[1]} dimensions and query descriptors "
            f"{query_descriptors.shape[1]}; describe both with one model."
        )

    queries = len(dataset.queries)
    k = min(ranks[-1], len(database_at))
    ranked = np.full((queries, k), -1, dtype=np.int64)
    distances = np.full((queries, k), np.inf, dtype=np.float32)
    started = time.perf_counter()
    found_distances, found_rows = search_exact(database_descriptors, query_descriptors, k, device=device)
    search_s = time.perf_counter() - started
    ranked[query_at], distances[query_at] = database_at[found_rows], found_distances

    query_spots = spots(dataset.queries.positions)
    results = tuple(_at_threshold(dataset, ranked, query_spots, x, ranks, seed) for x in distances_m)
    errors_m = first_match_errors(dataset.database.positions, dataset.queries.positions, ranked[:, 0])
    failed = (
        *_missing(dataset, dataset.database, database_at),
        *_missing(dataset, dataset.queries, query_at),
    )
    return Evaluation(
        dataset=dataset.name,
        split=dataset.split,
        layout=dataset.layout,
        denominator=DENOMINATOR,
        model=None,
        descriptor_dim=database_descriptors.shape[1],
        database=len(dataset.database),
        queries=queries,
        spots=len(np.unique(query_spots)),
        ks=ranks,
        thresholds=results,
        ranked=ranked,
        distances=distances,
        errors_m=errors_m,
        first_match=summarise_errors(errors_m, also_within_m=distances_m),
        query_spots=query_spots,
        failed=tuple(failed),
        warnings=_warnings(dataset, results, query_spots),
        seed=seed,
        extract_photos_per_s=None,
        search_ms_per_query=1000.0 * search_s / max(len(query_at), 1),
        peak_rss_mb=peak_rss_mb(),
    )


def evaluate_again(dataset: Dataset, evaluation: Evaluation, order: NDArray[np.int64]) -> Evaluation:
    """Evaluate the same queries with their first matches in another order.

    Args:
        dataset: the split of ``evaluation``.
        evaluation: what was measured of the order of retrieval.
        order: (Q, K) places among each query's ranked matches, a permutation in each row.
    """
    ranked = np.take_along_axis(evaluation.ranked, order, axis=1)
    errors_m = first_match_errors(dataset.database.positions, dataset.queries.positions, ranked[:, 0])
    distances_m = [result.threshold_m for result in evaluation.thresholds]
    return replace(
        evaluation,
        thresholds=tuple(
            _at_threshold(dataset, ranked, evaluation.query_spots, x, evaluation.ks, evaluation.seed)
            for x in distances_m
        ),
        ranked=ranked,
        distances=np.take_along_axis(evaluation.distances, order, axis=1),
        errors_m=errors_m,
        first_match=summarise_errors(errors_m, also_within_m=distances_m),
    )


def _at_threshold(
    dataset: Dataset,
    ranked: NDArray[np.int64],
    query_spots: NDArray[np.int64],
    threshold_m: float,
    ks: tuple[int, ...],
    seed: int,
) -> ThresholdResult:
    positives = dataset.positives(threshold_m)
    hits = hits_at(ranked, positives)
    intervals = bootstrap_interval(100.0 * hits_at_ks(hits, ks), query_spots, seed=seed)
    return ThresholdResult(
        threshold_m=threshold_m,
        protocol=Protocol.of(dataset, thresholds_m=(threshold_m,), denominator=DENOMINATOR),
        hits=hits_at_ks(hits, ks),
        recall=recall_at(hits, ks),
        recall_ci95={k: (float(low), float(high)) for k, (low, high) in zip(ks, intervals, strict=True)},
        queries_without_positive=int(np.count_nonzero(positives.counts == 0)),
        ceiling=ceiling(positives),
    )


def _check_thresholds(thresholds_m: Sequence[float]) -> tuple[float, ...]:
    """Return the positive distances as floats, each once.

    Raises:
        UsageError: none, or one that is not a positive number of metres.
    """
    distances = tuple(dict.fromkeys(float(x) for x in thresholds_m))
    if not distances or not all(math.isfinite(x) and x > 0.0 for x in distances):
        raise UsageError(
            f"Positive distances are metres above 0, such as 25; got {list(thresholds_m) or 'none'}."
        )
    return distances


def check_evaluable(
    dataset: Dataset, thresholds_m: Sequence[float], ks: Sequence[int]
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Check, before hours of extraction, that recall can be told on a split; return distances and ranks.

    Raises:
        DatasetError: no queries, no database, or no known position on one side.
        UsageError: thresholds or ranks that make no sense.
    """
    ranks, distances_m = check_ks(ks), _check_thresholds(thresholds_m)
    for photos, noun in ((dataset.queries, "queries"), (dataset.database, "database photos")):
        if len(photos) == 0:
            raise DatasetError(
                f"{dataset.label} has no {noun} below {photos.root}; evaluation needs photos to look for and "
                "photos to look among. Check the split, or run `landfall dataset check`."
                + "".join(f" Left out: {each.photo}: {each.reason}." for each in dataset.left_out[:1])
            )
        if not photos.positions.known.any():
            raise DatasetError(
                f"None of the {len(photos)} {noun} of {dataset.label} has a known position, so no match can "
                f"be told right from wrong ({photos.root}). `landfall dataset check` gives each one's reason."
            )
    return distances_m, ranks


def _check_descriptors(
    descriptors: Matrix, rows: NDArray[np.int64] | None, photos: int, noun: str
) -> NDArray[np.int64]:
    """Return which photo each descriptor belongs to: (rows,) int64."""
    at = np.arange(photos) if rows is None else np.asarray(rows, dtype=np.int64)
    if descriptors.ndim != 2 or len(descriptors) != len(at) or len(np.unique(at)) != len(at):
        raise ModelError(
            f"The {noun} descriptors have shape {descriptors.shape}; expected one row for each of "
            f"{len(at)} {noun} photos, each named once."
        )
    if len(at) == 0:
        raise DatasetError(
            f"None of the {photos} {noun} photos has a descriptor; were all of them unreadable?"
        )
    if at.min() < 0 or at.max() >= photos:
        raise ModelError(f"The {noun} rows run to {at.max()}, but there are {photos} {noun} photos.")
    return at


def photo_label(dataset: Dataset, photos: PhotoSet, row: int) -> str:
    """Return a photo's path relative to the dataset's root, by which its problems name it."""
    path = photos.root / photos.names[row]
    return path.relative_to(dataset.root).as_posix() if path.is_relative_to(dataset.root) else path.as_posix()


def _missing(dataset: Dataset, photos: PhotoSet, described: NDArray[np.int64]) -> list[PhotoProblem]:
    rows = np.setdiff1d(np.arange(len(photos)), described).tolist()
    return [PhotoProblem(photo_label(dataset, photos, row), "has no descriptor") for row in rows]


def _warnings(
    dataset: Dataset, results: Sequence[ThresholdResult], query_spots: NDArray[np.int64]
) -> tuple[str, ...]:
    queries = len(dataset.queries)
    told = [
        f"NO query has a database photo within {format_metres(result.threshold_m)} m: recall there is 0 "
        "whatever the model does, and says nothing about it."
        for result in results
        if result.queries_without_positive == queries
    ]
    for photos, noun, effect in (
        (dataset.queries, "queries", "count as misses"),
        (dataset.database, "database photos", "are never right"),
    ):
        unknown = int(np.count_nonzero(~photos.positions.known))
        if unknown:
            told.append(f"{unknown} of {len(photos)} {noun} have no known position and {effect}.")
    if len(np.unique(query_spots)) < 2:
        told.append("All queries were taken at one spot: there is no interval to give.")
    return tuple(told)
