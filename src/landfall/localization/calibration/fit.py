"""Fit a calibration on the index itself: no labels but the positions that its photos have anyway.

Confidence is a logistic regression on the features of an answer (Platt, 1999, with the features of an image
search instead of a margin). The radius is split-conformal (Vovk et al., 2005; Romano et al., 2020):
in groups of like confidence, the error that 90 % of the sample keep to, with the finite-sample correction;
the confidences that group it are out of fold, from photos of other spots. Whether a place is in the index at
all is a second regression, of answers against those of the same photos with their place left out; its
threshold lets a stated share of such strangers pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import spots
from landfall.geo import Positions, metric_coordinates
from landfall.index.exact import search_exact
from landfall.index.rows import Matrix
from landfall.localization.calibration.calibration import Calibration, Logistic, RadiusSteps
from landfall.localization.calibration.features import (
    CHECKED_FEATURES,
    FEATURES,
    NEAR_M,
    answer_features,
    checked_features,
    confidence_columns,
)
from landfall.localization.calibration.learnt import LearntFrom
from landfall.localization.calibration.sample import Answers, Sample, SampleSearch, sample_answers
from landfall.localization.position import agreed_points
from landfall.localization.verified import verified_points

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]
# Given rows of photos (S,) and of their matches (S, K), -1 for none: their inliers (S, K), NaN if unchecked.
Check = Callable[[NDArray[np.int64], NDArray[np.int64]], Floats]
# Given queries (Q, D) and k: distances, ascending, and rows (Q, k).
Nearest = Callable[[NDArray[np.float32], int], tuple[NDArray[np.float32], NDArray[np.int64]]]

SAMPLE = 1000
MATCHES = 20
COVERAGE = 0.9
STRANGERS_ACCEPTED = 0.1
# Fewer than this say too little: at 60 answers a share of 80 % is known to 10 points.
LEAST_SAMPLE = 60
LEAST_SPOTS = 20
# A group's 90 % needs some ten answers beyond it to be known; 60 give six, and eight groups are enough.
LEAST_GROUP = 60
MOST_GROUPS = 8
FOLDS = 5


@dataclass(frozen=True)
class NoCalibration:
    """Why an index can't be calibrated, as its owner should read it."""

    reason: str


def calibrate(
    descriptors: Matrix,
    positions: Positions,
    taken_s: Floats,
    heading_deg: Floats,
    *,
    matches: int = MATCHES,
    right_m: float = NEAR_M,
    sample: int = SAMPLE,
    coverage: float = COVERAGE,
    strangers_accepted: float = STRANGERS_ACCEPTED,
    learnt: LearntFrom | None = None,
    known_too_well: bool = False,
    seed: int = 0,
    device: str | None = None,
    check: Check | None = None,
    search: Nearest | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Calibration | NoCalibration:
    """Learn from N indexed photos how sure answers may be.

    Args:
        descriptors: (N, D), read in blocks.
        positions: of the photos, all known.
        taken_s: (N,) seconds since some moment, NaN where unknown.
        heading_deg: (N,) degrees clockwise from north, NaN where unknown.
        matches: that an answer's features are made of.
        right_m: what "right" means.
        sample: photos that play the queries, at most.
        coverage: the probability that a radius holds the truth with.
        strangers_accepted: share of queries from elsewhere that may be accepted.
        learnt: which of the photos the model learnt from: they can't play strangers as they are.
        known_too_well: the model learnt from photos of this index, so that not all distances are like a
            stranger's; then presence rests on no distance, but on ratios of distances only.
        seed: of the sample.
        device: where the search runs.
        check: looks at the matches of the sample geometrically; then answers are judged by that, too.
        search: what finds the nearest photos, where that is not exact search over the descriptors.
        say: told in a sentence what is being done.

    Returns:
        The calibration; or the reason why there can be none: too few photos, too few spots, photos too far
        apart for any to be found by another.
    """
    count = len(positions)
    if count < LEAST_SAMPLE:
        return NoCalibration(f"it has {count} photos, and calibrating takes at least {LEAST_SAMPLE}")
    say(f"Calibrating on {min(sample, count)} of the index's own photos")
    exact = partial(search_exact, descriptors, device=device)
    searched, candidates = _queries(descriptors, learnt, search or exact)
    drawn = sample_answers(
        searched,
        positions,
        taken_s,
        heading_deg,
        k=matches,
        photos=sample,
        reach_m=right_m,
        candidates=candidates,
        seed=seed,
    )
    (points,) = metric_coordinates(positions)
    reached = drawn.nearest_left_m <= right_m
    spot = spots(positions)[drawn.photos]
    trouble = _trouble(drawn, reached, spot, right_m)
    if trouble is not None:
        return NoCalibration(trouble)
    names = FEATURES if check is None else CHECKED_FEATURES
    columns = confidence_columns(names)
    features, errors = _judged(drawn.present, drawn.photos, points, check)
    elsewhere, _ = _judged(drawn.elsewhere, drawn.photos, points, check)
    features, errors, spot = features[reached], errors[reached], spot[reached]
    elsewhere = elsewhere[np.isfinite(elsewhere).all(axis=1)]
    if len(elsewhere) < LEAST_SAMPLE:
        return NoCalibration(
            f"only {len(elsewhere)} of its photos have others far enough away to be mistaken for; photos of "
            "one place alone can't tell what a wrong answer looks like"
        )
    right = errors <= right_m
    confidence = _fit(features[:, columns], right)
    presence = _fit(
        np.concatenate([features, elsewhere]),
        np.arange(len(features) + len(elsewhere)) < len(features),
        used=columns if known_too_well else None,
    )
    strangers = presence.probability(elsewhere)
    accept_from = float(np.quantile(strangers, 1.0 - strangers_accepted, method="higher"))
    own = presence.probability(features)
    return Calibration(
        features=names,
        matches=matches,
        right_m=right_m,
        coverage=coverage,
        confidence=confidence,
        presence=presence,
        accept_from=accept_from,
        strangers_accepted=float((strangers >= accept_from).mean()),
        own_accepted=float((own >= accept_from).mean()),
        radii=_radii(_out_of_fold(features[:, columns], right, spot), errors, coverage),
        sample=len(features),
        without_reach=int((~reached).sum()),
        right_share=float(right.mean()),
        nearest_left_m=_percentiles(drawn.nearest_left_m[reached]),
        moment_s=drawn.moment_s,
        photos=count,
        seed=seed,
    )


def _queries(
    descriptors: Matrix,
    learnt: LearntFrom | None,
    nearest: Nearest,
) -> tuple[SampleSearch, NDArray[np.int64] | None]:
    """Return what answers the photos that play the queries, and which may play them; None for all."""
    if learnt is not None and not learnt.strangers_play:
        return learnt.search, learnt.rows

    def search(rows: NDArray[np.int64], depth: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        return nearest(np.asarray(descriptors[rows], np.float32), depth)

    return search, None if learnt is None else learnt.strangers


def _trouble(
    drawn: Sample, reached: NDArray[np.bool_], spot: NDArray[np.int64], right_m: float
) -> str | None:
    """Return why the sample is of no use, if it is not."""
    usable, places = int(reached.sum()), len(np.unique(spot[reached]))
    if usable >= LEAST_SAMPLE and places >= LEAST_SPOTS:
        return None
    if len(drawn.photos) < LEAST_SAMPLE:
        return (
            f"its photos stand too close together ({drawn.crowded} of the sample have more others around "
            "them than can be left out)"
        )
    if usable < LEAST_SAMPLE:
        return (
            f"only {usable} of {len(drawn.photos)} sampled photos have another one, of another spot, within "
            f"{right_m:g} m, and it takes {LEAST_SAMPLE}: the photos stand too far apart to be found by each "
            "other"
        )
    return f"its sampled photos stand at {places} spots, and it takes {LEAST_SPOTS} to speak for others"


def _judged(
    answers: Answers, photos: NDArray[np.int64], points: Floats, check: Check | None
) -> tuple[Floats, Floats]:
    """Return features (S, F) of the sample's answers and their errors (S,) in metres."""
    matched = points[np.maximum(answers.rows, 0)]
    fixes = agreed_points(matched, answers.distances)
    if check is None:
        features = answer_features(matched, answers.distances, fixes)
    else:
        inliers = check(photos, answers.rows)
        fixes = verified_points(matched, answers.distances, inliers)
        features = checked_features(matched, answers.distances, inliers, fixes)
    errors = np.linalg.norm(fixes - points[photos], axis=1)
    return features, np.where(np.isnan(errors), np.inf, errors)


def _pipeline() -> Pipeline:
    # sklearn takes a second to import, and only a build needs it.
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0))


def _fit(features: Floats, right: NDArray[np.bool_], used: list[int] | None = None) -> Logistic:
    """Fit a logistic regression; where all are right, or all wrong, it says how often that may yet fail.

    Columns other than those ``used`` get no weight.
    """
    if used is not None:
        blank = np.zeros_like(features)
        blank[:, used] = features[:, used]
        features = blank
    if right.all() or not right.any():
        width = features.shape[1]
        # Laplace's rule of succession: n of n right leaves (n + 1) / (n + 2).
        share = (right.sum() + 1.0) / (len(right) + 2.0)
        bias = math.log(share / (1.0 - share))
        return Logistic(mean=(0.0,) * width, scale=(1.0,) * width, weights=(0.0,) * width, bias=bias)
    fitted = _pipeline().fit(features, right)
    scaler, regression = fitted[0], fitted[1]
    return Logistic(
        mean=tuple(scaler.mean_.tolist()),
        scale=tuple(scaler.scale_.tolist()),
        weights=tuple(regression.coef_[0].tolist()),
        bias=float(regression.intercept_[0]),
    )


def _out_of_fold(features: Floats, right: NDArray[np.bool_], spot: NDArray[np.int64]) -> Floats:
    """Return (S,) confidences, each from a regression that saw no photo of its spot."""
    from sklearn.model_selection import GroupKFold

    told = np.empty(len(right))
    for train, held in GroupKFold(FOLDS).split(features, right, spot):
        told[held] = _fit(features[train], right[train]).probability(features[held])
    return told


def _radii(confidence: Floats, errors_m: Floats, coverage: float) -> RadiusSteps:
    """Return the radius of each group of like confidence, the least sure first."""
    groups = int(np.clip(len(errors_m) // LEAST_GROUP, 1, MOST_GROUPS))
    # Confidences that occur, so that no group is empty, however many are the same.
    starts = np.unique(np.quantile(confidence, np.linspace(0.0, 1.0, groups + 1)[:-1], method="higher"))
    starts[0] = 0.0
    group = np.searchsorted(starts, confidence, side="right") - 1
    radii = np.array([_conformal(errors_m[group == each], coverage) for each in range(len(starts))])
    # A surer answer gets no larger a radius: chance alone would have it so here and there.
    radii = np.maximum.accumulate(radii[::-1])[::-1]
    return RadiusSteps(from_confidence=tuple(starts.tolist()), radius_m=tuple(radii.tolist()))


def _conformal(errors_m: Floats, coverage: float) -> float:
    """Return what holds a new error with a coverage c: the ceil((n + 1) c)-th smallest of n."""
    rank = min(math.ceil((len(errors_m) + 1) * coverage), len(errors_m))
    return float(np.sort(errors_m)[rank - 1])


def _percentiles(metres: Floats) -> tuple[float, float, float]:
    low, middle, high = np.quantile(metres, [0.1, 0.5, 0.9])
    return float(low), float(middle), float(high)
