"""Contact sheets of an evaluation: a sample of queries, each beside the photos that were retrieved for it.

The paper's visual results show the query and the photo retrieved; here wrong ones come first, because they
teach more, and every match states how far from the query it was taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Dataset, PhotoSet
from landfall.evaluation import Evaluation
from landfall.evaluation.result import format_metres
from landfall.geo import distances_m, neighbours_within
from landfall.photos import thumbnail_reader
from landfall.rendering import SheetPhoto, SheetRow


def choose_queries(evaluation: Evaluation, count: int = 12, *, seed: int = 0) -> NDArray[np.int64]:
    """Choose queries to show, right or wrong at the first threshold and the first rank; see `choose_rows`.

    Args:
        evaluation: whose queries.
        count: how many; fewer where there are fewer queries.
        seed: of the sample.
    """
    return choose_rows(evaluation.thresholds[0].hits[:, 0], count, seed=seed)


def choose_rows(right: NDArray[np.bool_], count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Choose queries to show: half of them wrong, as far as there are any, and first.

    Args:
        right: (Q,) whether each query's first match is right.
        count: how many; fewer where there are fewer queries.
        seed: of the sample.

    Returns:
        (n,) rows of queries: wrong ones in order, then right ones in order.
    """
    rng = np.random.default_rng(seed)
    wrong_rows, right_rows = np.flatnonzero(~right), np.flatnonzero(right)
    wrong_count = min(len(wrong_rows), max(count - count // 2, count - len(right_rows)))
    right_count = min(len(right_rows), count - wrong_count)
    shown_wrong = rng.choice(wrong_rows, size=wrong_count, replace=False)
    shown_right = rng.choice(right_rows, size=right_count, replace=False)
    return np.concatenate([np.sort(shown_wrong), np.sort(shown_right)]).astype(np.int64)


def contact_rows(
    dataset: Dataset,
    evaluation: Evaluation,
    queries: NDArray[np.int64],
    *,
    matches: int = 5,
    longest_side: int = 320,
) -> list[SheetRow]:
    """Return what a contact sheet shows of some queries, thumbnails included.

    Args:
        dataset: the split that was evaluated.
        evaluation: with its ranked database rows.
        queries: rows of the queries to show.
        matches: how many of the retrieved photos to show.
        longest_side: of the thumbnails, pixels.

    Returns:
        One row a query, in the order given. A photo that can't be read has no thumbnail; a query without a
        descriptor has no matches; where a position is unknown, neither error nor verdict is given.
    """
    threshold_m = evaluation.thresholds[0].threshold_m
    positions = dataset.queries.positions.take(queries)
    positives = neighbours_within(dataset.database.positions, positions, threshold_m)
    ranked = evaluation.ranked[queries, :matches]
    right = positives.contains(ranked)
    thumbnail = thumbnail_reader(longest_side)

    def shown(photos: PhotoSet, row: int, **verdict: Any) -> SheetPhoto:
        jpeg = thumbnail(photos.root / photos.names[row])
        return SheetPhoto(photos.names[row], jpeg, **verdict)

    rows = []
    for number, query in enumerate(queries.tolist()):
        found = ranked[number][ranked[number] >= 0]
        errors = distances_m(
            dataset.database.positions.take(found),
            dataset.queries.positions.take(np.full(len(found), query)),
        )
        found_right = right[number].tolist()
        matched = [
            shown(dataset.database, row)
            if np.isnan(error)
            else shown(dataset.database, row, error_m=error, right=hit)
            for row, error, hit in zip(found.tolist(), errors.tolist(), found_right, strict=False)
        ]
        alone = "" if positives.counts[number] else f"no database photo within {format_metres(threshold_m)} m"
        rows.append(SheetRow(shown(dataset.queries, query, caption=alone), matched))
    return rows
