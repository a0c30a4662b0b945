"""A calibration: the few numbers that turn what an answer looks like into how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from landfall.localization.calibration.features import FEATURES, confidence_columns

Floats = NDArray[np.float64]


class Logistic(BaseModel):
    """A logistic regression on standardised features: ``1 / (1 + exp(-(w . (x - mean) / scale + bias)))``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, features: Floats) -> Floats:
        """Return (Q,) probabilities of (Q, F) features."""
        logits = ((features - np.array(self.mean)) / np.array(self.scale)) @ np.array(
            self.weights
        ) + self.bias
        # tanh doesn't overflow where exp does.
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


class RadiusSteps(BaseModel):
    """Radii by confidence: an answer whose confidence is ``from_confidence[i]`` or more gets ``radius_m[i]``.

    Both ascend and descend together: a surer answer never has a larger radius.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_confidence: tuple[float, ...]
    radius_m: tuple[float, ...]

    def radius(self, confidence: Floats) -> Floats:
        """Return (Q,) metres."""
        step = np.searchsorted(np.array(self.from_confidence), confidence, side="right") - 1
        return np.array(self.radius_m)[np.maximum(step, 0)]


@dataclass(frozen=True, eq=False)
class Certainty:
    """What Q answers may say of themselves.

    Attributes:
        confidence: (Q,) probability that the truth lies within ``right_m``, given that the index has photos
            of the place; NaN for an answer without matches.
        radius_m: (Q,) radius that then holds the truth with probability ``coverage``.
        accepted: (Q,) whether the index seems to have photos of the place at all.
    """

    confidence: Floats
    radius_m: Floats
    accepted: NDArray[np.bool_]


class Calibration(BaseModel):
    """How an index's answers look when they are right, and when the place isn't in it.

    Attributes:
        features: names of the features, so that another version's are not misread.
        matches: how many matches of an answer they are made of.
        right_m: what "right" means, metres.
        coverage: with what probability the radius holds the truth.
        confidence: P(right | the place is in the index).
        presence: how much an answer looks like one of a place in the index, for ``accept_from``.
        accept_from: presence from which an answer is accepted.
        strangers_accepted: share of the sample's answers that are accepted when the place is not in the
            index: what ``accept_from`` was set by.
        own_accepted: share that is accepted when it is.
        radii: by confidence.
        sample: photos of the index that played the queries, and had a photo of another moment within reach.
        without_reach: sampled photos that had none, and say nothing about confidence.
        right_share: share of the sample's answers that are right.
        nearest_left_m: (10th, 50th, 90th) percentile of the distance from a sampled photo to the nearest one
            that was left to find; a query further from the index than this is less likely right than said.
        moment_s: photos within this time of a sampled one were left out; None where times were not used.
        photos: of the index when this was made.
        seed: of the sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...] = FEATURES
    matches: int = Field(ge=1)
    right_m: float
    coverage: float
    confidence: Logistic
    presence: Logistic
    accept_from: float
    strangers_accepted: float
    own_accepted: float
    radii: RadiusSteps
    sample: int
    without_reach: int
    right_share: float
    nearest_left_m: tuple[float, float, float]
    moment_s: float | None
    photos: int
    seed: int

    def judge(self, features: Floats) -> Certainty:
        """Say how sure answers are by their ``features`` (Q, F)."""
        known: NDArray[np.bool_] = np.asarray(np.isfinite(features).all(axis=1))
        safe = np.where(known[:, None], features, 0.0)
        confidence = self.confidence.probability(safe[:, confidence_columns(self.features)])
        presence = self.presence.probability(safe)
        return Certainty(
            confidence=np.where(known, confidence, np.nan),
            radius_m=np.where(known, self.radii.radius(confidence), np.nan),
            accepted=known & (presence >= self.accept_from),
        )

    def describe(self) -> str:
        """Return in a sentence or two what this was learned from."""
        low, middle, high = self.nearest_left_m
        moment = "" if self.moment_s is None else f" and {self.moment_s:g} s"
        return (
            f"Calibrated on {self.sample} of the index's own {self.photos} photos, each with its own spot"
            f"{moment} left out; the nearest photo left stood {middle:.0f} m away "
            f"({low:.0f} to {high:.0f} m). "
            f"{100 * self.right_share:.0f} % of their answers are within {self.right_m:g} m; "
            f"{100 * self.own_accepted:.0f} % are accepted, and {100 * self.strangers_accepted:.0f} % when "
            "the place itself is left out."
        )
