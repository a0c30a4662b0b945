"""The ways in which datasets lie on disk, one file each.

A layout recognises a root, names its splits and reads one of them (see ``layout.Layout``). To add one, write
its file and put it into the list below; ``load_dataset`` tries them in this order, the surest first.
"""

from __future__ import annotations

from landfall.datasets.layouts.exif import ExifLayout
from landfall.datasets.layouts.folders import FoldersLayout
from landfall.datasets.layouts.layout import Layout, Loaded
from landfall.datasets.layouts.standard import StandardLayout
from landfall.datasets.layouts.table import TableLayout
from landfall.registry import Registry

LAYOUTS: Registry[Layout] = Registry("layout")
for _layout in (StandardLayout(), FoldersLayout(), TableLayout(), ExifLayout()):
    LAYOUTS.register(_layout.name)(_layout)

__all__ = ["LAYOUTS", "Layout", "Loaded"]
