"""Which of an index's photos a search is to look among: those near a place, of a time, in a direction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.geo import LatLon, geodesic_m, to_geocentric

if TYPE_CHECKING:
    from landfall.index.interface import Index


@dataclass(frozen=True)
class Among:
    """Conditions that a photo must all meet; one left at None asks nothing.

    A photo whose time or heading is unknown doesn't meet a condition on it. A time without a zone, here or of
    a photo, is a clock's as it stands and is compared as though it were UTC.

    Args:
        near, within_m: taken at most so many metres from there, along the ellipsoid.
        taken_from, taken_to: taken then or later, then or earlier.
        heading_deg, heading_within_deg: looked in this direction, give or take so many degrees, 0 to 180.

    Raises:
        UsageError: half of a condition, or a value outside its range.
    """

    near: LatLon | None = None
    within_m: float | None = None
    taken_from: datetime | None = None
    taken_to: datetime | None = None
    heading_deg: float | None = None
    heading_within_deg: float | None = None

    def __post_init__(self) -> None:
        if (self.near is None) != (self.within_m is None):
            raise UsageError("A place and a distance in metres go together: give both, or neither.")
        if (self.heading_deg is None) != (self.heading_within_deg is None):
            raise UsageError("A heading and its tolerance in degrees go together: give both, or neither.")
        if self.within_m is not None and not (math.isfinite(self.within_m) and self.within_m >= 0):
            raise UsageError(f"Photos can't be within {self.within_m} m; give a finite number, 0 or more.")
        if self.heading_deg is not None and not math.isfinite(self.heading_deg):
            raise UsageError(f"{self.heading_deg} is no heading; give degrees clockwise from north.")
        if self.heading_within_deg is not None and not 0 <= self.heading_within_deg <= 180:
            raise UsageError(
                f"A heading can't be met within {self.heading_within_deg} degrees; give 0 to 180."
            )
        if (
            self.taken_from is not None
            and self.taken_to is not None
            and seconds_of(self.taken_from) > seconds_of(self.taken_to)
        ):
            raise UsageError(f"No time is from {self.taken_from} on and up to {self.taken_to}. Swap the two.")


def rows_among(index: Index, among: Among) -> NDArray[np.int64]:
    """Return the rows (M,), ascending, of an index's photos that meet all conditions.

    Raises:
        UsageError: none does; the message tells how many photos each condition leaves.
    """
    masks = _masks(index, among)
    kept = np.ones(len(index), np.bool_)
    for mask in masks.values():
        kept &= mask
    if not kept.any() and masks:
        counts = "; ".join(f"{what}: {int(mask.sum())}" for what, mask in masks.items())
        raise UsageError(
            f"None of the {len(index)} photos of {index.path} meets what was asked ({counts}). Ask for less."
        )
    return np.flatnonzero(kept)


def near_mask(
    lat: NDArray[np.float64], lon: NDArray[np.float64], near: LatLon, within_m: float
) -> NDArray[np.bool_]:
    """Tell which positions (N,) lie within a distance of a place, measured along the ellipsoid."""
    # The straight line through the Earth is never longer than the way along it, so what it leaves out is out.
    straight_m = np.linalg.norm(to_geocentric(lat, lon) - to_geocentric(near.lat, near.lon), axis=-1)
    mask: NDArray[np.bool_] = straight_m <= within_m
    mask[mask] = geodesic_m(lat[mask], lon[mask], near) <= within_m
    return mask


def heading_mask(heading_deg: NDArray[np.float64], wanted_deg: float, within_deg: float) -> NDArray[np.bool_]:
    """Tell which headings (N,), NaN where unknown, differ by at most so many degrees around the circle."""
    # A comparison with NaN is False, which is the answer wanted.
    return np.asarray(np.abs((heading_deg - wanted_deg + 180.0) % 360.0 - 180.0) <= within_deg)


def seconds_of(time: datetime) -> float:
    """Return a time as seconds since 1970; one without a zone as though it were UTC."""
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()


def _masks(index: Index, among: Among) -> dict[str, NDArray[np.bool_]]:
    """Return, for each condition in words, which photos (N,) meet it."""
    masks: dict[str, NDArray[np.bool_]] = {}
    if among.near is not None and among.within_m is not None:
        mask = near_mask(*index.latlon, among.near, among.within_m)
        masks[f"within {among.within_m:g} m of {among.near}"] = mask
    if among.taken_from is not None:
        mask = index.taken_s >= math.floor(seconds_of(among.taken_from))
        masks[f"taken from {among.taken_from} on"] = mask
    if among.taken_to is not None:
        masks[f"taken up to {among.taken_to}"] = index.taken_s <= seconds_of(among.taken_to)
    if among.heading_deg is not None and among.heading_within_deg is not None:
        mask = heading_mask(index.heading_deg, among.heading_deg, among.heading_within_deg)
        masks[f"heading {among.heading_deg:g} give or take {among.heading_within_deg:g} degrees"] = mask
    return masks
