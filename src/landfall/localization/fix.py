"""A Fix: where a photo was taken, and what that answer rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from landfall.geo import LatLon
from landfall.index import Match


@dataclass(frozen=True)
class Fix:
    """The answer for one photo.

    Attributes:
        photo: the photo, as its path was given or relative to the folder given, with forward slashes.
        location: the position found; None for a photo that could not be read.
        radius_m: radius that then holds the truth with 90 % probability; None where nothing was calibrated.
        confidence: probability that the truth lies within 25 m, given that the index has photos of the
            place; None where nothing was calibrated.
        accepted: whether the photo seems to be taken where the index has photos; None where nothing was
            calibrated.
        matches: the nearest photos of the index, nearest first; after a geometric check those that passed it
            come before the others.
        in_index: the name of the index's photo with the very same content, where there is one: such a query
            finds itself, which says nothing of how well others are found.
        error: why there is no answer; None where there is one.
    """

    photo: str
    location: LatLon | None = None
    radius_m: float | None = None
    confidence: float | None = None
    accepted: bool | None = None
    matches: tuple[Match, ...] = ()
    in_index: str | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fix as ``landfall localize --json`` writes it."""
        if self.error is not None or self.location is None:
            return {"photo": self.photo, "error": self.error}
        return {
            "photo": self.photo,
            "lat": self.location.lat,
            "lon": self.location.lon,
            "radius_m": self.radius_m,
            "confidence": self.confidence,
            "accepted": self.accepted,
            "in_index": self.in_index,
            "matches": [
                {
                    "id": match.id,
                    "photo": match.photo,
                    "lat": match.lat,
                    "lon": match.lon,
                    "distance": match.distance,
                    "rank": match.rank,
                    "inliers": match.inliers,
                }
                for match in self.matches
            ],
        }
