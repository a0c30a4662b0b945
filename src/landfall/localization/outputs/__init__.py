"""Fixes as text and as files, one format a file; ``words`` and ``tracks`` are what they share.

Every format has every photo: those without an answer with the reason, and those that are not in this index
marked so.
"""

from __future__ import annotations

from landfall.localization.outputs.csv_table import to_csv
from landfall.localization.outputs.geojson import to_geojson
from landfall.localization.outputs.gpx import to_gpx
from landfall.localization.outputs.kml import to_kml
from landfall.localization.outputs.text import UNCALIBRATED, says_uncalibrated, to_text

__all__ = [
    "UNCALIBRATED",
    "says_uncalibrated",
    "to_csv",
    "to_geojson",
    "to_gpx",
    "to_kml",
    "to_text",
]
