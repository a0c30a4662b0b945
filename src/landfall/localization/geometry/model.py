"""One robust two-view model for the matches of two photos: which of them agree, and on what.

MAGSAC++: Barath, Noskova, Ivashechkin and Matas, "MAGSAC++, a fast, reliable and accurate robust
estimator", CVPR 2020, by OpenCV (USAC).

Two models are estimated. A fundamental matrix holds for any scene that stands still, but says of a match
only on which line it must lie. A homography says where, but holds only for planes and for a camera that
merely turned. On a plane the fundamental matrix is not determined: what the plane leaves free is spent on
explaining wrong matches (Chum, Werner and Matas, "Two-view geometry estimation unaffected by a dominant
plane", CVPR 2005). So the homography is taken where it explains nearly as many matches, and only its own
inliers count then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.localization.geometry.features import Features
from landfall.localization.geometry.overlays import on_overlay

Kind = Literal["fundamental", "homography"]
Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]

# A fundamental matrix has 7 degrees of freedom: with fewer than 8 matches nothing could disagree with it.
LEAST_MATCHES = 8


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a two-view model is estimated.

    Args:
        threshold_px: how far from its line or place an inlier may be, in pixels of the features' photos.
        planar_share: share of the fundamental matrix's inliers from which on the homography is taken.
        confidence: probability of having met a sample without outliers, at which the search ends.
        most_iterations: samples tried at most.
        seed: of the samples.

    Raises:
        UsageError: a number that is not above 0, or a share or confidence above 1.
    """

    threshold_px: float = 1.5
    planar_share: float = 0.8
    confidence: float = 0.999
    most_iterations: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.threshold_px, self.most_iterations) <= 0:
            raise UsageError(f"{self}: expected a threshold and a number of iterations above 0.")
        if not (0 < self.planar_share <= 1 and 0 < self.confidence < 1):
            raise UsageError(f"{self}: expected a share and a confidence between 0 and 1.")


@dataclass(frozen=True, eq=False, slots=True)
class Geometry:
    """What the matches of two photos agree on.

    Args:
        inliers: how many do.
        matches: (m, 2) rows of the two photos' features.
        inlier_mask: (m,) which of the matches agree.
        kind: the model that was taken; None where there is none.
        matrix: (3, 3) of the model: x_b' F x_a = 0, or x_b ~ H x_a, in pixels; None where there is none.
    """

    inliers: int
    matches: NDArray[np.int64]
    inlier_mask: Mask
    kind: Kind | None = None
    matrix: Matrix | None = None


def estimate_geometry(
    a: Features, b: Features, matches: NDArray[np.int64], options: ModelOptions
) -> Geometry:
    """Return the two-view model that most matches agree on; no model, and no inliers, where there is none.

    Matches on overlays (see ``overlays``) and those between the same two places again (SIFT gives a place one
    feature an orientation) count as none. The same input gives the same result, to the bit.

    Args:
        a: features of one photo.
        b: of the other.
        matches: (m, 2) rows of ``a`` and ``b``, of ``match_features``.
        options: how the model is estimated.
    """
    xy_a, xy_b = a.xy[matches[:, 0]], b.xy[matches[:, 1]]
    usable = distinct(xy_a, xy_b) & ~on_overlay(xy_a, xy_b, (a.height, a.width), (b.height, b.width))
    rows = np.flatnonzero(usable)
    mask = np.zeros(len(matches), np.bool_)
    if len(rows) < LEAST_MATCHES:
        return Geometry(0, matches, mask)
    kind, matrix, agreeing = choose_model(xy_a[rows], xy_b[rows], options)
    mask[rows[agreeing]] = True
    return Geometry(int(mask.sum()), matches, mask, kind, matrix)


def choose_model(
    xy_a: NDArray[np.float32], xy_b: NDArray[np.float32], options: ModelOptions
) -> tuple[Kind | None, Matrix | None, Mask]:
    """Return the kind, matrix (3, 3) and inliers (n,) of the model taken for points (n, 2) that match."""
    fundamental, on_lines = _estimate(cv2.findFundamentalMat, xy_a, xy_b, options)
    homography, on_places = _estimate(cv2.findHomography, xy_a, xy_b, options)
    if homography is not None and on_places.sum() >= options.planar_share * on_lines.sum():
        return "homography", homography, on_places
    if fundamental is not None:
        return "fundamental", fundamental, on_lines
    return None, None, np.zeros(len(xy_a), np.bool_)


def _estimate(
    find: Callable[..., Any],
    xy_a: NDArray[np.float32],
    xy_b: NDArray[np.float32],
    options: ModelOptions,
) -> tuple[Matrix | None, Mask]:
    """Return a model's matrix and inliers (n,); None and no inliers where the points determine none."""
    usac = cv2.UsacParams()
    usac.score = cv2.SCORE_METHOD_MAGSAC
    usac.loMethod = cv2.LOCAL_OPTIM_SIGMA
    usac.final_polisher = cv2.MAGSAC
    usac.sampler = cv2.SAMPLING_UNIFORM
    usac.threshold = options.threshold_px
    usac.confidence = options.confidence
    usac.maxIterations = options.most_iterations
    usac.randomGeneratorState = options.seed
    nothing = None, np.zeros(len(xy_a), np.bool_)
    try:
        matrix, mask = find(xy_a, xy_b, usac)
    except cv2.error:
        # OpenCV fails on some degenerate points instead of finding nothing: there is no model all the same.
        return nothing
    if matrix is None or mask is None or matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        return nothing
    return matrix, mask[:, 0].astype(np.bool_)


def distinct(xy_a: NDArray[np.float32], xy_b: NDArray[np.float32]) -> Mask:
    """Return which matches (n,) are the first between their two places."""
    _, first = np.unique(np.concatenate([xy_a, xy_b], axis=1), axis=0, return_index=True)
    mask = np.zeros(len(xy_a), np.bool_)
    mask[first] = True
    return mask
