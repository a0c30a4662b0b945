"""A track as lines that formats can hold: cut where it crosses the date line."""

from __future__ import annotations

from collections.abc import Sequence

from landfall.localization.fix import Fix
from landfall.localization.sequence.track import Track

Place = tuple[float, float]
"""Longitude and latitude in degrees, in the order of GeoJSON and KML."""


def track_lines(fixes: Sequence[Fix], track: Track | None) -> list[list[Place]]:
    """Return the lines of a track, of at least two places each; none for no track or a single photo.

    A line that crosses the date line is cut there (RFC 7946, 3.1.9), at the latitude of the straight line in
    degrees.
    """
    lines: list[list[Place]] = [[]]
    for row in () if track is None else track.rows:
        location = fixes[row].location
        if location is None:
            continue
        here = (location.lon, location.lat)
        if lines[-1] and abs(here[0] - lines[-1][-1][0]) > 180.0:
            end, start = _crossing(lines[-1][-1], here)
            lines[-1].append(end)
            lines.append([start])
        lines[-1].append(here)
    return [line for line in lines if len(line) > 1]


def _crossing(before: Place, after: Place) -> tuple[Place, Place]:
    """Return where a step leaves the map on one side and comes in on the other."""
    side = 180.0 if before[0] > 0 else -180.0
    to_edge, beyond = abs(side - before[0]), abs(-side - after[0])
    share = to_edge / (to_edge + beyond) if to_edge + beyond > 0 else 0.5
    lat = before[1] + share * (after[1] - before[1])
    return (side, lat), (-side, lat)
