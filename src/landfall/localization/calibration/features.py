"""What an answer looks like, before anyone knows whether it is right.

Three of the four features are ratios or metres, which another season or light moves less than the distance
of the first match; so confidence rests on those, and only the question "is this place in the index at all"
uses the distance, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landfall.localization.position import match_weights

Floats = NDArray[np.float64]

FEATURES = ("first_distance", "margin", "agreement", "spread")
"""Columns of :func:`answer_features`."""
CHECKED_FEATURES = (*FEATURES, "inlier_excess")
"""Columns of the features of answers whose matches were checked geometrically."""
# Not what confidence rests on: it is another one for all photos of another season.
_ABSOLUTE = "first_distance"
# Matches within this distance of the answer support it: what "right" means in the field.
NEAR_M = 25.0
# A query that is an indexed photo has distance 0; so small an addition keeps its margin finite.
_TINY = 1e-6


def confidence_columns(features: tuple[str, ...]) -> list[int]:
    """Return which of the features confidence rests on; presence rests on all."""
    return [column for column, name in enumerate(features) if name != _ABSOLUTE]


def answer_features(points: Floats, distances: Floats, fixes: Floats, near_m: float = NEAR_M) -> Floats:
    """Describe answers by their matches.

    Args:
        points: (Q, K, 2 or 3) where the matches were taken, in metres of one frame.
        distances: (Q, K) descriptor distances, ascending; inf where there is no match.
        fixes: (Q, 2 or 3) the answers, in the same frame.
        near_m: what counts as the answer's own place.

    Returns:
        (Q, 4): the distance of the first match; the log of how much further than the answer's own first
        match the first match *elsewhere* is (the last match stands in where all are near, so it says "at
        least"); the share of votes (:func:`match_weights`) near the answer; the log of the votes' mean
        distance from the answer in metres. NaN where there is no match at all.
    """
    there = np.isfinite(distances)
    weights = match_weights(distances)
    metres = np.where(there, np.linalg.norm(points - fixes[:, None], axis=2), 0.0)
    near = there & (metres <= near_m)
    last = np.max(np.where(there, distances, -np.inf), axis=1)
    own = _nearest(distances, near, last)
    other = _nearest(distances, there & ~near, last)
    votes = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        margin = np.log((other + _TINY) / (own + _TINY))
        features = np.stack(
            [
                distances[:, 0],
                margin,
                (weights * near).sum(axis=1) / votes,
                np.log1p((weights * metres).sum(axis=1) / votes),
            ],
            axis=1,
        )
    return np.where(np.asarray(there.any(axis=1))[:, None], features, np.nan)


def inlier_excess(points: Floats, inliers: Floats, fixes: Floats, near_m: float = NEAR_M) -> Floats:
    """Describe answers by the geometric check of their matches.

    Photos of different places have some inliers by chance, and the more the richer they are in detail: what
    counts is only how many more there are at the answer's own place than elsewhere.

    Args:
        points: (Q, K, 2 or 3) where the matches were taken, in metres of one frame.
        inliers: (Q, K) local features that agree; NaN where a match was not checked.
        fixes: (Q, 2 or 3) the answers, in the same frame.
        near_m: what counts as the answer's own place.

    Returns:
        (Q,): the log of the most inliers of a match near the answer over the most of one elsewhere; 0 where
        those elsewhere have as many, or more.
    """
    counted = np.nan_to_num(inliers)
    near = np.linalg.norm(points - fixes[:, None], axis=2) <= near_m
    own = np.max(np.where(near, counted, 0.0), axis=1, initial=0.0)
    other = np.max(np.where(near, 0.0, counted), axis=1, initial=0.0)
    return np.asarray(np.maximum(np.log1p(own) - np.log1p(other), 0.0))


def checked_features(points: Floats, distances: Floats, inliers: Floats, fixes: Floats) -> Floats:
    """Return (Q, 5): ``answer_features`` and ``inlier_excess`` side by side."""
    return np.column_stack([answer_features(points, distances, fixes), inlier_excess(points, inliers, fixes)])


def _nearest(distances: Floats, among: NDArray[np.bool_], otherwise: Floats) -> Floats:
    """Return (Q,) the smallest distance among some matches, or another number where there is none."""
    least = np.min(np.where(among, distances, np.inf), axis=1)
    return np.where(np.isfinite(least), least, otherwise)
