"""Which kind of search suits an index: exact for as long as that is quick, then what memory holds."""

from __future__ import annotations

from typing import NamedTuple

from landfall.index.kinds.interface import KINDS

#: Time of an exact search for one query, by the number: a half that comes from memory, is widened, multiplied
#: and squared. Measured on one core as 2.3 ns of CPU time at 100 000 x 512 (`benchmarks/search_kinds.py`);
#: at 2 bytes that is far below what memory delivers, so that widening bounds it. A hundred queries at once
#: share the widening and take a fortieth of that each.
EXACT_NS_PER_NUMBER = 2.0
#: How long a query by itself may wait for an exact search: near a million photos at 512 numbers.
LONGEST_EXACT_MS = 1000.0
#: Kinds that are chosen where exact search is slow, the surest first.
_BY_MEMORY = ("binary", "ivfpq")


class Choice(NamedTuple):
    """A kind of search and, in a sentence, why."""

    kind: str
    reason: str


def exact_ms(photos: int, dim: int) -> float:
    """Return roughly how long exact search takes for one query, in milliseconds, its file in memory."""
    return photos * dim * EXACT_NS_PER_NUMBER / 1e6


def choose_kind(photos: int, dim: int, memory_bytes: int, wanted: str | None = None) -> Choice:
    """Return the kind of search for an index.

    Exact search where a query takes less than ``LONGEST_EXACT_MS`` and the halves fit into memory beside it;
    else the first of ``binary`` and ``ivfpq`` whose structure fits and whose training has photos enough:
    the first missed fewest neighbours of all small kinds that were measured (`docs/search_kinds.md`).

    Args:
        photos: N.
        dim: D of the descriptors.
        memory_bytes: what search may hold.
        wanted: a kind that the user asked for, which is then chosen.

    Raises:
        UnknownNameError: no kind has the wanted name.
        UsageError: the wanted kind needs more photos than there are.
    """
    if wanted is not None:
        KINDS[wanted].require(photos)
        return Choice(wanted, f"{wanted} search, as asked for.")
    ms = exact_ms(photos, dim)
    fits = 2 * photos * dim <= memory_bytes
    what = f"{photos} photos of {dim} numbers"
    if ms <= LONGEST_EXACT_MS and fits:
        return Choice("exact", f"Exact search: {what} take about {ms:.0f} ms a query.")
    why = f"exact search of {what} would take about {ms:.0f} ms a query"
    if not fits:
        why = (
            f"the {2 * photos * dim / 2**20:.0f} MiB of {what} don't fit into {memory_bytes / 2**20:.0f} MiB"
        )
    for kind in _BY_MEMORY:
        held = KINDS[kind].estimated_bytes(photos, dim)
        if held <= memory_bytes and photos >= KINDS[kind].least_rows:
            return Choice(kind, f"{kind} search, about {held / 2**20:.0f} MiB: {why}.")
    return Choice("exact", f"Exact search, though {why}: no structure fits into that memory.")
