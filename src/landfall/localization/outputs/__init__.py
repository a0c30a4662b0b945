"""Fixes as files, one format a file."""

from __future__ import annotations

from landfall.localization.outputs.text import UNCALIBRATED, to_geojson, to_text

__all__ = ["UNCALIBRATED", "to_geojson", "to_text"]
