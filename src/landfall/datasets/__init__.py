"""Datasets: photos, where they were taken, and which of them are looked for among the others.

What belongs here: reading photos' positions from names, tables and EXIF (``names``, ``table_rows``,
``locating``), the ways datasets lie on disk (``layouts``), what a dataset holds and what is wrong with it
(``info``, ``check``), writing one anew (``convert``), what makes two evaluations comparable (``protocol``),
and the drawn city (``city``). Nothing here knows a network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landfall.datasets.check import check_dataset
from landfall.datasets.convert import Conversion, convert_dataset
from landfall.datasets.dataset import Dataset
from landfall.datasets.info import DatasetInfo, describe_dataset, map_coordinates
from landfall.datasets.layouts import LAYOUTS
from landfall.datasets.listing import PhotoListing, load_named, load_photos
from landfall.datasets.loading import dataset_splits, load_dataset
from landfall.datasets.photo_set import PhotoSet
from landfall.datasets.protocol import Protocol
from landfall.datasets.report import DatasetReport, Finding
from landfall.datasets.spots import spots

if TYPE_CHECKING:
    from landfall.datasets.city import draw_city

__all__ = [
    "LAYOUTS",
    "Conversion",
    "Dataset",
    "DatasetInfo",
    "DatasetReport",
    "Finding",
    "PhotoListing",
    "PhotoSet",
    "Protocol",
    "check_dataset",
    "convert_dataset",
    "dataset_splits",
    "describe_dataset",
    "draw_city",
    "load_dataset",
    "load_named",
    "load_photos",
    "map_coordinates",
    "spots",
]


def __getattr__(name: str) -> Any:
    if name != "draw_city":
        raise AttributeError(f"module 'landfall.datasets' has no attribute {name!r}")
    # Imported when it is first used: few who load a dataset draw one.
    from landfall.datasets.city import draw_city

    return draw_city
