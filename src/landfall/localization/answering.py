"""From descriptors to answers: search, the position that the matches agree on, how sure, and a closer look.

``localizer`` describes photos and makes fixes of what is answered here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from landfall.geo import LatLon, to_geocentric
from landfall.index import Among, Index, Match
from landfall.localization.calibration import (
    Calibration,
    NoCalibration,
    answer_features,
    checked_calibration,
    checked_features,
    index_calibration,
)
from landfall.localization.calibration.features import NEAR_M
from landfall.localization.fix import Fix
from landfall.localization.photo_check import PhotoCheck
from landfall.localization.position import agreed_points
from landfall.localization.verified import reordered, verified_points

Floats = NDArray[np.float64]
Verify = Literal["never", "auto", "always"]

# An answer as sure as this is given unchecked by "auto".
SURE = 0.9


class Search:
    """What each batch of queries is put to.

    Args:
        index: that they are searched in.
        k: matches that a fix rests on.
        among: which of its photos they are searched among.
        verify: whose matches are checked geometrically.
        workers: threads of that.
        say: told, once, what the user must know of the check.
    """

    def __init__(
        self,
        index: Index,
        k: int,
        *,
        among: Among | None,
        verify: Verify,
        workers: int | None,
        say: Callable[[str], None],
    ) -> None:
        self.index = index
        self.k = k
        learned = index_calibration(index)
        self._calibration = None if isinstance(learned, NoCalibration) else learned
        self._verify = verify
        self._check = None if verify == "never" else PhotoCheck(index, workers=workers)
        self._checked = None if verify == "never" else checked_calibration(index)
        self._among = among
        self._say = say
        self._told = False
        if among is not None:
            index.check_among(among)  # nothing left to look among is told before any photo is described

    def answer(self, paths: Sequence[Path], descriptors: NDArray[np.float32]) -> Answers:
        """Return the answers to Q queries."""
        deepest = max(self.k, *(each.matches for each in (self._calibration, self._checked) if each), 1)
        found = self.index.search(descriptors, deepest, among=self._among)
        lat, lon, distances = _padded(found)
        points = to_geocentric(lat, lon)
        places = agreed_points(points[:, : self.k], distances[:, : self.k])
        answers = Answers(found, places, *_judged(self._calibration, points, distances))
        if self._check is not None:
            self._look_closer(self._check, answers, paths, points, distances)
        answers.matches = [matches[: self.k] for matches in answers.matches]
        return answers

    def _look_closer(
        self, check: PhotoCheck, answers: Answers, paths: Sequence[Path], points: Floats, distances: Floats
    ) -> None:
        """Check the matches of those queries that are to be, and mend their answers."""
        rows = np.flatnonzero((self._verify == "always") | self._in_doubt(answers))
        asked = rows.tolist()
        counted = check.matches([paths[row] for row in asked], [answers.matches[row] for row in asked])
        inliers = np.full(distances.shape, np.nan)
        for row, (found, _) in zip(asked, counted, strict=True):
            inliers[row, : len(found)] = [np.nan if each is None else each for each in found]
            answers.matches[row] = reordered(answers.matches[row], found)
        looked = rows[~np.isnan(inliers[rows]).all(axis=1)]
        self._tell(len(rows), len(looked))
        if not len(looked):
            return
        places = verified_points(
            points[looked, : self.k], distances[looked, : self.k], inliers[looked, : self.k]
        )
        if self._checked is not None:
            answers.set_certainty(
                looked, *_judged_checked(self._checked, points[looked], distances[looked], inliers[looked])
            )
        else:
            # What was said of the answer as it was holds for one that moved no further than "right" reaches.
            moved = np.linalg.norm(places - answers.places[looked], axis=1) > NEAR_M
            answers.forget_certainty(looked[moved])
        answers.places[looked] = places

    def _tell(self, wanted: int, looked: int) -> None:
        """Say, the first time, that photos are missing or that checked answers have no confidence."""
        if self._told or not wanted:
            return
        if looked < wanted:
            self._told = True
            self._say(
                f"{wanted - looked} answers could not be checked geometrically: none of the photos they were "
                f"found by can be read where they were indexed. Are the folders of {self.index.path} there?"
            )
        elif self._checked is None and self._calibration is not None:
            self._told = True
            self._say(
                "Answers that the geometric check moves have no confidence, for it was not calibrated; "
                f"`landfall index calibrate {self.index.path} --verify` does that."
            )

    def _in_doubt(self, answers: Answers) -> NDArray[np.bool_]:
        """Tell which of Q answers are not sure enough to be given unchecked."""
        return ~((answers.confidence >= SURE) & answers.accepted)


class Answers:
    """Answers to Q queries: matches, places (Q, 3) in geocentric metres, how sure; NaN where not known."""

    def __init__(
        self,
        matches: list[list[Match]],
        places: Floats,
        confidence: Floats,
        radius_m: Floats,
        accepted: NDArray[np.bool_],
    ) -> None:
        self.matches = matches
        self.places = places
        self.confidence = confidence
        self.radius_m = radius_m
        self.accepted = accepted

    def set_certainty(
        self, rows: NDArray[np.int64], confidence: Floats, radius_m: Floats, accepted: NDArray[np.bool_]
    ) -> None:
        """Say something else of some answers."""
        self.confidence[rows], self.radius_m[rows], self.accepted[rows] = confidence, radius_m, accepted

    def forget_certainty(self, rows: NDArray[np.int64]) -> None:
        """Say nothing of some answers."""
        self.confidence[rows] = self.radius_m[rows] = np.nan

    def fix(self, row: int, photo: str, location: LatLon, in_index: str | None) -> Fix:
        """Return the answer to one query."""
        known = bool(np.isfinite(self.confidence[row]))
        return Fix(
            photo=photo,
            location=location,
            radius_m=float(self.radius_m[row]) if known else None,
            confidence=float(self.confidence[row]) if known else None,
            accepted=bool(self.accepted[row]) if known else None,
            matches=tuple(self.matches[row]),
            in_index=in_index,
        )


def _judged(
    calibration: Calibration | None, points: Floats, distances: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return confidence, radius and acceptance (Q,), by as many matches as were calibrated with."""
    if calibration is None:
        nothing = np.full(len(points), np.nan)
        return nothing, nothing.copy(), np.zeros(len(points), np.bool_)
    points, distances = points[:, : calibration.matches], distances[:, : calibration.matches]
    features = answer_features(points, distances, agreed_points(points, distances))
    said = calibration.judge(features)
    return said.confidence, said.radius_m, said.accepted


def _judged_checked(
    calibration: Calibration, points: Floats, distances: Floats, inliers: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the same of answers whose matches were checked."""
    used = slice(calibration.matches)
    points, distances, inliers = points[:, used], distances[:, used], inliers[:, used]
    places = verified_points(points, distances, inliers)
    said = calibration.judge(checked_features(points, distances, inliers, places))
    return said.confidence, said.radius_m, said.accepted


def _padded(found: list[list[Match]]) -> tuple[Floats, Floats, Floats]:
    """Return latitudes, longitudes and distances (Q, K) of matches, of which every query has as many."""
    table = np.array([[(match.lat, match.lon, match.distance) for match in matches] for matches in found])
    return table[..., 0], table[..., 1], table[..., 2]
