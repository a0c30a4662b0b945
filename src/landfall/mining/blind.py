"""Negatives drawn blindly: any photo far enough away is as likely as any other."""

from __future__ import annotations

import numpy as np

from landfall.geo import Neighbours
from landfall.mining.exclusion import Rows
from landfall.mining.rounds import Round


def draw_negatives(planned: Round, near: Neighbours, negatives: int) -> Rows:
    """Return ``negatives`` database rows for each query (Q, N), none twice; -1 where there are no more.

    Each query has a stream of chance of its own, by the round's seed and its row, so that it draws the same
    whatever other queries are mined beside it.

    Args:
        planned: the round; negatives come from its ``sample``.
        near: for each of the Q queries, the rows that can't be negatives.
        negatives: N.
    """
    drawn = np.full((len(planned.queries), negatives), -1, np.int64)
    for place, (query, excluded) in enumerate(zip(planned.queries, near, strict=True)):
        rng = np.random.default_rng((planned.seed, int(query)))
        at = np.minimum(np.searchsorted(planned.sample, excluded), len(planned.sample) - 1)
        holes = at[planned.sample[at] == excluded]
        left = len(planned.sample) - len(holes)
        ranks = rng.choice(left, min(negatives, left), replace=False) if left else np.empty(0, np.int64)
        # A hole with no more than r free places before it lies before the free place that is number r.
        places = ranks + np.searchsorted(holes - np.arange(len(holes)), ranks, side="right")
        drawn[place, : len(ranks)] = planned.sample[places]
    return drawn
