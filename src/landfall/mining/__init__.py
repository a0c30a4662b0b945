"""Mining: which photos are shown together in a training step. Paper, section 4, "Mining procedure".

Arrays and `geo.Neighbours` in, index tuples out. What belongs here: planning a round (``rounds``: which
photos must be described), which database photos can't be a query's negatives (``exclusion``), the nearest of
those that can (``nearest``, ``distances``) or ones drawn blindly (``blind``), and the triplets
(``triplets``). Datasets, photos and networks are not known here: whoever trains describes the photos that a
round names.

Importing this package loads no torch; ``mine`` does when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landfall.mining.exclusion import check_negatives
from landfall.mining.rounds import STRATEGIES, Round, plan_round, usable_queries

if TYPE_CHECKING:
    from landfall.mining.triplets import Triplets, mine

__all__ = ["STRATEGIES", "Round", "Triplets", "check_negatives", "mine", "plan_round", "usable_queries"]


def __getattr__(name: str) -> object:
    if name in ("Triplets", "mine"):
        from landfall.mining import triplets

        return getattr(triplets, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
