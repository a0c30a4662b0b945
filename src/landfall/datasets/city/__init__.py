"""The drawn city: a synthetic town, photographed on several passes from known places.

What belongs here: the town (``plan``, ``houses``, ``buildings``, ``furniture``, gathered in ``town``), the
passes through it (``passes``, ``route``), and the drawing of photos (``renderer`` and what it calls:
``raycast``, ``facades``, ``windows``, ``shops``, ``solids``, ``ground``, ``sky``, ``billboards``,
``develop``). ``draw`` writes a dataset. Only what draws needs torch, which is imported when a drawing starts.
"""

from __future__ import annotations

from landfall.datasets.city.draw import draw_city
from landfall.datasets.city.sizes import SIZES, CitySize

__all__ = ["SIZES", "CitySize", "draw_city"]
