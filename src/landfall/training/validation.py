"""Recall on the validation split, as `landfall evaluate` measures it.

Where database photos play queries in training, they do so here, too: a dataset with few queries has few to
validate on, and which epoch is best would be decided by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from landfall.datasets import spots
from landfall.errors import TrainingError, UsageError
from landfall.evaluation import evaluate_descriptors, own_hits
from landfall.training import ranks
from landfall.training.data import TrainingData
from landfall.training.describing import Describer, DescriptorSpace
from landfall.training.recipe import Recipe

RANKS = (1, 5, 10, 20)


def validate(
    data: TrainingData,
    recipe: Recipe,
    describer: Describer,
    space: DescriptorSpace,
    tell: Callable[[int, int], None],
) -> dict[int, float]:
    """Return recall in percent of all validation queries, by rank; the same in all processes.

    With the recipe's ``data.database_queries``, the database's photos that have a positive at another spot
    are queries, too, searched for at other spots than their own.

    Args:
        data: holds the validation split.
        recipe: says what is near.
        describer: describes with the weights of now.
        space: where descriptors are kept meanwhile; always in full precision.
        tell: called with the photos described and their number.

    Raises:
        PhotoError: a photo can't be used.
        TrainingError: a descriptor is not finite.
    """
    database_rows, query_rows = data.val_database, data.val_queries
    first, total = len(database_rows), len(database_rows) + len(query_rows)
    exact = replace(space, half=False)
    with (
        exact.matrix("val-database", first) as database,
        exact.matrix("val-queries", len(query_rows)) as queries,
    ):
        describer.describe(database_rows, database, lambda done: tell(done, total))
        describer.describe(query_rows, queries, lambda done: tell(first + done, total))
        recall: dict[int, float] = {}
        device = str(describer.network.mean.device)
        # One process measures: several might differ in the last bit, and then disagree on when to stop.
        if ranks.rank() == 0:
            try:
                evaluation = evaluate_descriptors(
                    data.val,
                    database,
                    queries,
                    thresholds_m=(recipe.data.far_m,),
                    ks=RANKS,
                    device=device,
                )
                recall = evaluation.recall
                if recipe.data.database_queries:
                    positions = data.val.database.positions
                    own = own_hits(
                        database, positions, spots(positions), recipe.data.far_m, RANKS, device=device
                    )
                    hits = np.concatenate([evaluation.thresholds[0].hits, own])
                    recall = dict(zip(RANKS, (100.0 * hits.mean(axis=0)).tolist(), strict=True))
            except UsageError as error:
                raise TrainingError(
                    f"Validation failed: {error} The last good checkpoint is kept; lower optimizer.lr."
                ) from error
        return ranks.broadcast(recall)
