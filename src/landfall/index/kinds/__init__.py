"""Search that looks at some rows of an index instead of all, and measures those exactly.

``build_structure`` makes a structure of a kind over an index's descriptors (one kind a file: ``exact``,
``sq8``, ``binary``, ``ivfpq``, ``hnsw``; a new one is registered in ``KINDS`` and covered by the contract
tests), ``load_structure`` opens a saved one, and ``search_with`` finds a query's nearest with it: candidates
by the structure, distances by the descriptors. ``choose_kind`` says which kind suits an index, ``report``
measures one, and ``whitening`` changes descriptors before they are compared, which is off unless asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from landfall.index.kinds import binary, exact, hnsw, ivfpq, sq8
from landfall.index.kinds.choice import Choice, choose_kind
from landfall.index.kinds.header import read_header
from landfall.index.kinds.interface import (
    KINDS,
    Options,
    RowProgress,
    Say,
    SearchStructure,
    unheard,
    unseen,
)
from landfall.index.kinds.search import default_shortlist, search_with
from landfall.index.rows import Matrix

__all__ = [
    "KINDS",
    "Choice",
    "Matrix",
    "Options",
    "SearchStructure",
    "build_structure",
    "choose_kind",
    "default_shortlist",
    "load_structure",
    "search_with",
]

# Importing the kinds' files registers them; the names are used no further here.
_REGISTERED = (binary, exact, hnsw, ivfpq, sq8)


def build_structure(
    kind: str,
    rows: Matrix,
    *,
    options: Options | None = None,
    seed: int = 0,
    say: Say = unheard,
    progress: RowProgress = unseen,
) -> SearchStructure[Any]:
    """Build a structure of the kind of that name; ``SearchStructure.build`` says the rest.

    Raises:
        UnknownNameError: no kind has that name.
        UsageError: too few rows for it, options that don't fit, or rows that are not finite.
    """
    return KINDS[kind].build(rows, options=options, seed=seed, say=say, progress=progress)


def load_structure(folder: Path) -> SearchStructure[Any]:
    """Open a saved structure of whatever kind it is.

    Raises:
        IndexStoreError: there is none, or it is not whole.
        UnknownNameError: its kind is not known here.
    """
    return KINDS[read_header(folder).kind].load(folder)
