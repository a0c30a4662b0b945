"""Answers after a geometric check of their matches: their order, and the position they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from landfall.index import Match
from landfall.localization.geometry.reranking import LEAST_INLIERS, rerank
from landfall.localization.position import match_weights, weighted_points

Floats = NDArray[np.float64]


def verified_points(points: Floats, distances: Floats, inliers: Floats, least: int = LEAST_INLIERS) -> Floats:
    """Return the point that each query's checked matches agree on.

    Where any match shows the same things as the query, those that do vote with the number of their inliers,
    and no other does; else all vote by descriptor distance, as without a check.

    Args:
        points: (Q, K, 2 or 3) where the matches were taken, in metres of one frame.
        distances: (Q, K) descriptor distances, ascending; inf where there is no match.
        inliers: (Q, K) NaN where a match was not checked.
        least: inliers from which a match counts as the same place.

    Returns:
        (Q, 2 or 3) metres, NaN for a query with no match at all.
    """
    counted = np.nan_to_num(inliers)
    passed = counted >= least
    any_passed: NDArray[np.bool_] = np.asarray(passed.any(axis=1))
    weights = np.where(any_passed[:, None], np.where(passed, counted, 0.0), match_weights(distances))
    return weighted_points(points, weights)


def reordered(matches: Sequence[Match], inliers: Sequence[int | None]) -> list[Match]:
    """Return a query's matches with their inliers, those that passed the check first, ranked anew.

    Args:
        matches: in the order of retrieval.
        inliers: of the first of them; the others were not checked and stay behind.
    """
    told = [*inliers, *([None] * (len(matches) - len(inliers)))]
    order = rerank(told)
    return [replace(matches[old], rank=rank, inliers=told[old]) for rank, old in enumerate(order, start=1)]
