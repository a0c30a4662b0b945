"""Geotagged photos that queries are found among: search, and the index folder on disk.

What belongs here: exact search (``exact``, the oracle for anything faster), a match (``match``), and the
index folder with its parts (``manifest``, ``records``), how it comes to be (``store``) and how it is read
(``reader``). Where descriptors come from is not known here: ``localization.build`` brings the two together.

Importing this package loads no torch; ``search_exact`` does when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landfall.index.match import Match
from landfall.index.reader import Index, IndexedPhoto
from landfall.index.records import PhotoRecord
from landfall.index.store import Building, begin

if TYPE_CHECKING:
    from landfall.index.exact import search_exact

__all__ = [
    "Building",
    "Index",
    "IndexedPhoto",
    "Match",
    "PhotoRecord",
    "begin",
    "search_exact",
]


def __getattr__(name: str) -> object:
    if name == "search_exact":
        from landfall.index.exact import search_exact

        return search_exact
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
