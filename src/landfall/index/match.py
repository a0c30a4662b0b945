"""Match: one indexed photo that resembles a query."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Match:
    """An indexed photo found for a query.

    Args:
        id: the photo's number in the index; it stays the photo's own for the index's life.
        photo: its name, relative to the folder that was indexed.
        lat, lon: where it was taken, degrees WGS84.
        distance: between the descriptors; ``index.exact`` says which way it sorts.
        rank: its place among the query's matches, 1 for the first.
        inliers: local features that agree with the query's on one geometry; None where nobody looked.
    """

    id: int
    photo: str
    lat: float
    lon: float
    distance: float
    rank: int
    inliers: int | None = None
