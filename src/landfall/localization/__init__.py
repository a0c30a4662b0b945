"""From matches to a position: building and changing an index, localizing photos, writing the answers.

``build.py`` and ``localizer.py`` put the pieces of the floors below together, and so do the ways to change
an index: ``adding.py``, ``removing.py``, ``updating.py``, ``merging.py``, ``compacting.py``. What becomes of a
query's descriptor belongs in ``answering.py``; what turns matches into one position, in ``position.py``; how
sure that is, in ``calibration/``; comparing photos by their local features, in ``geometry/``; what a Fix is,
in ``fix.py``; which photos are asked about, in ``queries.py``; files that hold fixes, in ``outputs.py`` and
``page.py``.
"""

from landfall.localization.adding import add_photos
from landfall.localization.build import BuildReport, build_index
from landfall.localization.change_report import ChangeReport
from landfall.localization.compacting import compact_index
from landfall.localization.fix import Fix
from landfall.localization.localizer import localize
from landfall.localization.merging import merge_indexes
from landfall.localization.model_choice import choose_model
from landfall.localization.outputs import to_geojson, to_text
from landfall.localization.page import fixes_page
from landfall.localization.queries import Queries, find_queries
from landfall.localization.removing import remove_photos
from landfall.localization.updating import update_index

__all__ = [
    "BuildReport",
    "ChangeReport",
    "Fix",
    "Queries",
    "add_photos",
    "build_index",
    "choose_model",
    "compact_index",
    "find_queries",
    "fixes_page",
    "localize",
    "merge_indexes",
    "remove_photos",
    "to_geojson",
    "to_text",
    "update_index",
]
