"""Geotagged photos that queries are found among: search, and the index folder on disk.

What belongs here: exact search (``exact``, the oracle for anything faster), a match (``match``), and the
index folder: its parts (``manifest``, ``records``, ``rows``, ``thumbnails``), how it comes to be (``store``),
how it is read (``reader``, ``among``), changed (``change``) and checked (``verification``). Where descriptors
come from is not known here: ``localization.build`` and its neighbours bring the two together.

Importing this package loads no torch; ``search_exact`` does when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landfall.index.among import Among
from landfall.index.interface import Change, Index, IndexedPhoto
from landfall.index.match import Match
from landfall.index.opening import changing
from landfall.index.reader import FolderIndex
from landfall.index.records import Folder, PhotoRecord
from landfall.index.store import Building, begin
from landfall.index.thumbnails_writing import ThumbnailsWriting
from landfall.index.verification import IndexProblem, verify_index

if TYPE_CHECKING:
    from landfall.index.exact import search_exact

__all__ = [
    "Among",
    "Building",
    "Change",
    "Folder",
    "FolderIndex",
    "Index",
    "IndexProblem",
    "IndexedPhoto",
    "Match",
    "PhotoRecord",
    "ThumbnailsWriting",
    "begin",
    "changing",
    "search_exact",
    "verify_index",
]


def __getattr__(name: str) -> object:
    if name == "search_exact":
        from landfall.index.exact import search_exact

        return search_exact
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
