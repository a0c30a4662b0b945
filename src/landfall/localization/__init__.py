"""From matches to a position: building and changing an index, localizing photos, writing the answers.

``build.py`` and ``localizer.py`` put the pieces of the floors below together, and so do the ways to change an
index: ``adding.py``, ``removing.py``, ``updating.py``, ``merging.py``, ``compacting.py``, ``thumbnails.py``.
What becomes of a query's descriptor belongs in ``answering.py``; what turns matches into one position, in
``position.py``; how sure that is, in ``calibration``; comparing photos by their local features, in
``geometry``; photos joined into one way, in ``sequence``; what a Fix is, in ``fix.py``; which photos are
asked about, in ``queries.py``; files that hold fixes, in ``outputs`` and ``page.py``; positions written into
photos, in ``exif_writing.py``.
"""

from landfall.localization.adding import add_photos
from landfall.localization.build import BuildReport, build_index
from landfall.localization.change_report import ChangeReport
from landfall.localization.compacting import compact_index
from landfall.localization.exif_writing import ExifReport, write_positions
from landfall.localization.fix import Fix
from landfall.localization.localizer import localize
from landfall.localization.merging import merge_indexes
from landfall.localization.model_choice import choose_model
from landfall.localization.outputs import to_csv, to_geojson, to_gpx, to_kml, to_text
from landfall.localization.page import fixes_page
from landfall.localization.queries import Queries, find_queries
from landfall.localization.removing import remove_photos
from landfall.localization.sequence import SequenceAnswer, SequenceOptions, Track, apply_sequence, read_times
from landfall.localization.thumbnails import add_thumbnails, remove_thumbnails
from landfall.localization.updating import update_index

__all__ = [
    "BuildReport",
    "ChangeReport",
    "ExifReport",
    "Fix",
    "Queries",
    "SequenceAnswer",
    "SequenceOptions",
    "Track",
    "add_photos",
    "add_thumbnails",
    "apply_sequence",
    "build_index",
    "choose_model",
    "compact_index",
    "find_queries",
    "fixes_page",
    "localize",
    "merge_indexes",
    "read_times",
    "remove_photos",
    "remove_thumbnails",
    "to_csv",
    "to_geojson",
    "to_gpx",
    "to_kml",
    "to_text",
    "update_index",
    "write_positions",
]
