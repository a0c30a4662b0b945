"""The position that the nearest matches agree on, rather than the first match's alone.

A first match may be the one lookalike at the other end of town while the next five stand in one street. Each
match votes for its own position with a weight that falls with its descriptor distance; the position with the
most weight around it (a kernel density's mode) wins, and the answer is the weighted mean of votes near it.
Distances between positions are taken in geocentric metres, so neither UTM zones nor the date line matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landfall.geo import from_geocentric, to_geocentric

Floats = NDArray[np.float64]

# Votes within this distance of each other support the same place: the field's 25 m.
BANDWIDTH_M = 25.0
# How fast a match's weight falls as its distance grows beyond the first match's: a match 2.5 % further has
# lost one e-fold. Both numbers were chosen on a validation split of street views, for three untrained heads;
# from 24 to 48 and from 12.5 to 25 m the share within 25 m moves by less than its standard error.
SHARPNESS = 40.0


def match_weights(distances: Floats, sharpness: float = SHARPNESS) -> Floats:
    """Return each match's vote, 1 for the first and falling with its distance from the query.

    What counts is the ratio to the first match's distance, as in the ratio test of local features, so that
    models with other ranges of distances need no other setting. Beside a first match at distance zero, the
    very same photo, no other has a vote.

    Args:
        distances: (Q, K) descriptor distances, ascending; inf where there is no match.
        sharpness: e-folds lost by a match at twice the first's distance.

    Returns:
        (Q, K) weights in [0, 1].
    """
    there = np.isfinite(distances)
    first = np.where(there[:, :1], distances[:, :1], 1.0)
    known = np.where(there, distances, 0.0)
    excess = np.divide(known - first, first, out=np.where(known > first, np.inf, 0.0), where=first > 0)
    return np.where(there, np.exp(-sharpness * excess), 0.0)


def agreed_points(
    points: Floats, distances: Floats, bandwidth_m: float = BANDWIDTH_M, sharpness: float = SHARPNESS
) -> Floats:
    """Return the point that each query's matches agree on.

    Args:
        points: (Q, K, 2 or 3) where the matches were taken, in metres of one frame.
        distances: (Q, K) descriptor distances, ascending; inf where there is no match.
        bandwidth_m: standard deviation of the kernel that a vote is spread with.
        sharpness: see :func:`match_weights`.

    Returns:
        (Q, 2 or 3) metres, NaN for a query with no match at all.
    """
    return weighted_points(points, match_weights(distances, sharpness), bandwidth_m)


def weighted_points(points: Floats, weights: Floats, bandwidth_m: float = BANDWIDTH_M) -> Floats:
    """Return the point that the most weight agrees on.

    Args:
        points: (Q, K, 2 or 3) metres of one frame.
        weights: (Q, K) each point's vote, 0 or more.
        bandwidth_m: standard deviation of the kernel that a vote is spread with.

    Returns:
        (Q, 2 or 3) metres, NaN for a query with no vote at all.
    """
    # From the first match on, metres are small numbers and keep their precision when squared.
    local = np.where(weights[..., None] > 0, points - points[:, :1], 0.0)
    squares = np.einsum("qkd,qkd->qk", local, local)
    between = squares[:, :, None] + squares[:, None, :] - 2.0 * np.einsum("qid,qjd->qij", local, local)
    kernel = np.exp(-np.maximum(between, 0.0) / (2.0 * bandwidth_m**2))
    density = np.einsum("qij,qj->qi", kernel, weights)
    # argmax takes the first of equals, which is the nearer match.
    mode = np.where(weights > 0, density, -1.0).argmax(axis=1)
    near = kernel[np.arange(len(points)), mode] * weights
    total = near.sum(axis=1, keepdims=True)
    share = np.divide(near, total, out=np.zeros_like(near), where=total > 0)
    mean = points[:, 0] + np.einsum("qk,qkd->qd", share, local)
    return np.where(total > 0, mean, np.nan)


def agreed_positions(
    lat: Floats,
    lon: Floats,
    distances: Floats,
    bandwidth_m: float = BANDWIDTH_M,
    sharpness: float = SHARPNESS,
) -> tuple[Floats, Floats]:
    """Return the position that each query's matches agree on; :func:`agreed_points` on Earth.

    Args:
        lat: (Q, K) latitudes of the matches in degrees.
        lon: (Q, K) longitudes of the matches in degrees.
        distances: (Q, K) descriptor distances, ascending; inf where there is no match.
        bandwidth_m, sharpness: as there.

    Returns:
        Latitudes and longitudes (Q,), NaN for a query with no match at all.
    """
    xyz = to_geocentric(lat.ravel(), lon.ravel()).reshape(*lat.shape, 3)
    return from_geocentric(agreed_points(xyz, distances, bandwidth_m, sharpness))
