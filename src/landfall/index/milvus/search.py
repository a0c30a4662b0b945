"""The nearest entities to queries, among those that meet conditions, with distances as in a folder index.

Milvus is given an expression that lets through too much rather than too little (``filters``) and asked for
more than is wanted; what does not meet the conditions exactly is left out, and where too few are left it is
asked for more. A query for which even that leaves too few, because nearly all that is near lies just outside,
or because a graph lost its way, is searched among the very ids that meet the conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.index.among import Among
from landfall.index.milvus.collection import MOST_RESULTS, Collection
from landfall.index.milvus.filters import FIELDS, expression, ids_in, meets

# Ids that one expression names.
_IDS_AT_ONCE = 8192
# A box around a circle holds a quarter more than the circle; this is room for uneven places.
_MORE, _AND_MORE = 2, 16
_GROW = 4

# Given a limit, the options of a search.
Options = Callable[[int], Mapping[str, Any]]


class Hit(NamedTuple):
    """An entity that was found.

    Args:
        id: its number.
        distance: Euclidean, as float32.
        entity: what was asked of it.
    """

    id: int
    distance: float
    entity: Mapping[str, Any]


def nearest(
    collection: Collection,
    queries: NDArray[np.floating],
    k: int,
    *,
    among: Among | None = None,
    fields: Sequence[str] = (),
    options: Options,
    half: bool = False,
) -> list[list[Hit]]:
    """Return, for each query, its ``k`` nearest entities, or all that there are, nearest first.

    Args:
        collection: loaded.
        queries: (Q, D), finite.
        k: how many.
        among: conditions that they meet.
        fields: what is told of them.
        options: of the search.
        half: whether the collection is in half precision.

    Raises:
        UsageError: ``k`` is below 1 or beyond what Milvus returns.
        IndexStoreError: the server can't be asked.
    """
    if not 1 <= k <= MOST_RESULTS:
        raise UsageError(f"k is {k}; 1 to {MOST_RESULTS} can be asked of an index in Milvus.")
    asked = np.ascontiguousarray(queries, np.float32)
    wanted = tuple(dict.fromkeys([*fields, *(FIELDS if among is not None else ())]))
    through = expression(among)
    found: list[list[Hit]] = [[] for _ in asked]
    open_rows, limit = list(range(len(asked))), k
    if among is not None:
        limit = min(MOST_RESULTS, _MORE * k + _AND_MORE)
    while open_rows:
        answers = collection.search(
            asked[open_rows],
            limit,
            expression=through,
            fields=wanted,
            options=options(limit),
            half=half,
        )
        again = []
        for row, answer in zip(open_rows, answers, strict=True):
            found[row] = _kept(answer, among)[:k]
            if len(found[row]) < k and len(answer) == limit < MOST_RESULTS:
                again.append(row)
        open_rows, limit = again, min(MOST_RESULTS, _GROW * limit)
    short = [row for row, hits in enumerate(found) if len(hits) < k]
    if short:
        ids = ids_among(collection, among)
        for row, hits in _among_ids(collection, asked, short, ids, k, wanted, options, half).items():
            found[row] = hits
    return found


def ids_among(collection: Collection, among: Among | None) -> NDArray[np.int64]:
    """Return the ids (M,), ascending, of the entities that meet all conditions."""
    parts = [np.empty(0, np.int64)]
    fields = ("id",) if among is None else ("id", *FIELDS)
    for part in collection.iterate(fields, expression(among)):
        ids = np.array([entity["id"] for entity in part], np.int64)
        parts.append(ids if among is None else ids[meets(among, part)])
    return np.sort(np.concatenate(parts))


def any_among(collection: Collection, among: Among) -> bool:
    """Tell whether an entity meets all conditions, from as few of them as that takes."""
    return any(
        bool(meets(among, part).any()) for part in collection.iterate(("id", *FIELDS), expression(among))
    )


def _among_ids(
    collection: Collection,
    asked: NDArray[np.float32],
    rows: Sequence[int],
    ids: NDArray[np.int64],
    k: int,
    fields: Sequence[str],
    options: Options,
    half: bool,
) -> dict[int, list[Hit]]:
    """Return the nearest of some ids for some rows of the queries."""
    best: dict[int, list[Hit]] = {row: [] for row in rows}
    for first in range(0, len(ids), _IDS_AT_ONCE):
        part = ids[first : first + _IDS_AT_ONCE].tolist()
        limit = min(k, len(part))
        answers = collection.search(
            asked[list(rows)],
            limit,
            expression=ids_in(part),
            fields=fields,
            options=options(limit),
            half=half,
        )
        for row, answer in zip(rows, answers, strict=True):
            best[row] = sorted([*best[row], *_kept(answer, None)], key=_order)[:k]
    return best


def _kept(answer: Sequence[Mapping[str, Any]], among: Among | None) -> list[Hit]:
    """Return the hits of an answer that meet the conditions, nearest first."""
    if among is not None and answer:
        answer = [entity for entity, kept in zip(answer, meets(among, answer), strict=True) if kept]
    # Milvus gives squares, and rounding may bring them below 0.
    squared = np.maximum(np.array([entity["distance"] for entity in answer], np.float64), 0.0)
    distances = np.sqrt(squared).astype(np.float32).tolist()
    hits = [
        Hit(int(entity["id"]), distance, entity) for entity, distance in zip(answer, distances, strict=True)
    ]
    return sorted(hits, key=_order)


def _order(hit: Hit) -> tuple[float, int]:
    return hit.distance, hit.id
