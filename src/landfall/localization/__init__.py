"""From matches to a position: building an index, localizing photos, writing the answers.

``build.py`` and ``localize.py`` put the pieces of the floors below together; what turns matches into one
position belongs in ``position.py``; what a Fix is, in ``fix.py``; files that hold fixes, in ``outputs.py``.
"""

from landfall.localization.build import BuildReport, build_index
from landfall.localization.fix import Fix
from landfall.localization.localize import localize

__all__ = ["BuildReport", "Fix", "build_index", "localize"]
