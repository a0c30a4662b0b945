"""Planning a round of mining: its queries, and the database photos that have to be described for them.

Paper, section 4, "Mining procedure". Strategies differ in where a query's negatives come from:

- ``partial``: one sample of the database for all queries of the round (the paper's);
- ``full``: the whole database;
- ``random``: the whole database, drawn from blindly, so that only positives need describing.

With ``partial``, each query's last hardest negatives may be looked at beside the sample, as Arandjelović et
al. (*NetVLAD*, CVPR 2016) keep them; with ``full`` they are looked at in any case.

Rows are those of the full lists of queries and database photos, here and in the triplets. Leaving queries out
makes a shorter list of rows, never a shorter list of photos: nothing is numbered anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landfall.errors import UsageError
from landfall.geo import Neighbours
from landfall.mining.exclusion import of_queries
from landfall.registry import Registry

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Strategy:
    """Where negatives come from.

    Args:
        draw: (database_size, sample, rng) to the candidates' rows, ascending, none twice.
        ranked: whether candidates are described and the nearest taken; else they are drawn from blindly.
    """

    draw: Callable[[int, int, np.random.Generator], Rows]
    ranked: bool


STRATEGIES: Registry[Strategy] = Registry("mining strategy")


def _draw_sample(database_size: int, sample: int, rng: np.random.Generator) -> Rows:
    rows = rng.choice(database_size, min(sample, database_size), replace=False, shuffle=False)
    return np.sort(rows).astype(np.int64)


def _take_all(database_size: int, _sample: int, _rng: np.random.Generator) -> Rows:
    return np.arange(database_size, dtype=np.int64)


STRATEGIES.register("partial")(Strategy(_draw_sample, ranked=True))
STRATEGIES.register("full")(Strategy(_take_all, ranked=True))
STRATEGIES.register("random")(Strategy(_take_all, ranked=False))


@dataclass(frozen=True, eq=False)
class Round:
    """What is mined together. A part of a round is mined by replacing ``queries`` and ``hardest`` by parts.

    Args:
        queries: (Q,) int64 rows of the queries.
        database: (P,) int64 rows of the database photos to describe, ascending: the queries' positives, and
            the negatives' candidates where they are ranked.
        sample: (S,) int64 rows of the candidates for negatives, ascending.
        hardest: (Q, H) int64 further candidates, a query's own; -1 for none. H may be 0.
        ranked: whether the nearest candidates are taken; else N are drawn from ``sample`` blindly.
        seed: what blind draws start from.
    """

    queries: Rows
    database: Rows
    sample: Rows
    hardest: Rows
    ranked: bool
    seed: int

    def cache_bytes(self, descriptor_dim: int, *, bytes_each: int = 4) -> int:
        """Return the size of the round's descriptors, queries and database, for a number of so many bytes."""
        return (len(self.queries) + len(self.database)) * descriptor_dim * bytes_each


def usable_queries(positives: Neighbours) -> Rows:
    """Return the rows (U,) of queries that have a positive, ascending.

    Args:
        positives: for every query, the database photos within the train radius.

    Raises:
        UsageError: no query has one.
    """
    rows = np.flatnonzero(positives.counts > 0)
    if len(rows) == 0:
        raise UsageError(
            f"None of the {len(positives)} queries has a database photo within {positives.radius_m:g} m: "
            "there is nothing to learn from. Check that queries and database show the same places and that "
            "their positions are right (landfall dataset check), or raise the train radius."
        )
    return rows


def plan_round(
    strategy: str,
    queries: ArrayLike,
    positives: Neighbours,
    database_size: int,
    *,
    rng: np.random.Generator,
    sample: int = 1000,
    hardest: Rows | None = None,
) -> Round:
    """Choose the candidates for negatives, and list the database photos that have to be described.

    Every database photo is equally likely to be sampled, and none twice.

    Args:
        strategy: one of `STRATEGIES`.
        queries: (Q,) rows of the queries to mine, each with a positive (`usable_queries`), in any order.
        positives: for every query, the database photos within the train radius.
        database_size: how many database photos there are.
        rng: where chance comes from; the same state plans the same round.
        sample: how many candidates ``partial`` draws; all of the database where it has fewer.
        hardest: (all queries, H) database rows, each query's negatives of the last time; -1 for none.

    Raises:
        UnknownNameError: no such strategy.
        UsageError: a query outside the list or without a positive, a sample below 1, or neighbours that don't
            belong to this database.
    """
    chosen = STRATEGIES[strategy]
    rows = np.asarray(queries, dtype=np.int64)
    if sample < 1:
        raise UsageError(f"A sample of {sample} negatives was asked for; give at least 1.")
    if positives.indices.size and int(positives.indices.max()) >= database_size:
        raise UsageError(
            f"Positives name database photo {int(positives.indices.max())}, and the database has "
            f"{database_size}: the two are not of one dataset."
        )
    if rows.size and not (rows.min() >= 0 and rows.max() < len(positives)):
        raise UsageError(f"Queries {rows.min()} to {rows.max()} were asked for; there are {len(positives)}.")
    lonely = rows[positives.counts[rows] == 0]
    if len(lonely):
        raise UsageError(
            f"{len(lonely)} of {len(rows)} queries have no database photo within {positives.radius_m:g} m, "
            f"query {lonely[0]} first. Mine the rows that usable_queries returns."
        )
    candidates = chosen.draw(database_size, sample, rng)
    own = np.empty((len(rows), 0), np.int64)
    if hardest is not None and chosen.ranked:
        own = np.asarray(hardest, np.int64)[rows]
    needed = [of_queries(positives, rows).indices]
    if chosen.ranked:
        needed += [candidates, own[own >= 0]]
    return Round(
        queries=rows,
        database=np.unique(np.concatenate(needed)),
        sample=candidates,
        hardest=own,
        ranked=chosen.ranked,
        seed=int(rng.integers(2**63)),
    )
