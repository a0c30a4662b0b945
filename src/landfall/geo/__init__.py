"""Where on Earth: WGS84, UTM, geocentric metres, and who is near whom.

What belongs here is arithmetic on coordinates alone: numpy arrays in, numpy arrays out, with no idea of
photos, files or networks. One file a frame (``latlon``, ``utm``, ``geocentric``), then what is built on them
(``positions``, ``neighbours``).
"""

from __future__ import annotations

from landfall.geo.geocentric import from_geocentric, to_geocentric
from landfall.geo.latlon import LatLon, parse_latlon, valid_latlon
from landfall.geo.neighbours import Neighbours, neighbours_within
from landfall.geo.positions import Positions, distances_m, geodesic_m, metric_coordinates
from landfall.geo.utm import latlon_to_utm, utm_letter, utm_to_latlon, utm_zone

__all__ = [
    "LatLon",
    "Neighbours",
    "Positions",
    "distances_m",
    "from_geocentric",
    "geodesic_m",
    "latlon_to_utm",
    "metric_coordinates",
    "neighbours_within",
    "parse_latlon",
    "to_geocentric",
    "utm_letter",
    "utm_to_latlon",
    "utm_zone",
    "valid_latlon",
]
