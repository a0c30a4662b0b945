"""From matches to a position: building an index, localizing photos, writing the answers.

``build.py`` and ``localizer.py`` put the pieces of the floors below together; what turns matches into one
position belongs in ``position.py``; what a Fix is, in ``fix.py``; which photos are asked about, in
``queries.py``; photos joined into one way, in ``sequence``; files that hold fixes, in ``outputs`` and
``page.py``; positions written into the photos, in ``exif_writing.py``.
"""

from landfall.localization.build import BuildReport, build_index
from landfall.localization.exif_writing import ExifReport, write_positions
from landfall.localization.fix import Fix
from landfall.localization.localizer import localize
from landfall.localization.model_choice import choose_model
from landfall.localization.outputs import to_csv, to_geojson, to_gpx, to_kml, to_text
from landfall.localization.page import fixes_page
from landfall.localization.queries import Queries, find_queries
from landfall.localization.sequence import SequenceAnswer, SequenceOptions, Track, apply_sequence, read_times

__all__ = [
    "BuildReport",
    "ExifReport",
    "Fix",
    "Queries",
    "SequenceAnswer",
    "SequenceOptions",
    "Track",
    "apply_sequence",
    "build_index",
    "choose_model",
    "find_queries",
    "fixes_page",
    "localize",
    "read_times",
    "to_csv",
    "to_geojson",
    "to_gpx",
    "to_kml",
    "to_text",
    "write_positions",
]
