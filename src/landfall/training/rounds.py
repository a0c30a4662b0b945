"""Epochs of rounds: which queries each mines, and its triplets. Paper, "Mining procedure".

An epoch goes through the usable queries in a new order, each at most once; a round of them is mined with the
weights of that moment. Several processes describe and mine a share each and then know all triplets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from landfall.mining import Round, Triplets, mine, plan_round
from landfall.training import ranks
from landfall.training.data import TrainingData
from landfall.training.describing import Describer, DescriptorSpace, Matrix
from landfall.training.randomness import Purpose, numpy_generator
from landfall.training.recipe import Recipe

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Rounds:
    """The rounds of a training, counted from 0 through all epochs.

    Args:
        recipe: how many queries, and how they are mined.
        data: the training split.
    """

    recipe: Recipe
    data: TrainingData

    @property
    def queries_per_epoch(self) -> int:
        """How many queries an epoch has."""
        return min(self.recipe.mining.queries_per_epoch, len(self.data.usable))

    @property
    def per_epoch(self) -> int:
        """How many rounds an epoch has."""
        return -(-self.queries_per_epoch // self.recipe.mining.queries_per_round)

    @property
    def total(self) -> int:
        """How many rounds there are in all epochs."""
        return self.per_epoch * self.recipe.schedule.epochs

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has; each round's last one may have fewer triplets."""
        size, batch = self.recipe.mining.queries_per_round, self.recipe.schedule.batch_queries
        full, rest = divmod(self.queries_per_epoch, size)
        return full * -(-size // batch) + -(-rest // batch)

    def place(self, number: int) -> tuple[int, int]:
        """Return epoch and round within it, both from 0."""
        return divmod(number, self.per_epoch)

    def queries(self, number: int) -> Rows:
        """Return the query rows (Q,) of a round."""
        epoch, part = self.place(number)
        order = numpy_generator(self.recipe.seed, Purpose.EPOCH, epoch).permutation(self.data.usable)
        size = self.recipe.mining.queries_per_round
        return order[: self.queries_per_epoch][part * size : (part + 1) * size]

    def plan(self, number: int) -> Round:
        """Return what a round mines."""
        mining = self.recipe.mining
        return plan_round(
            mining.strategy,
            self.queries(number),
            self.data.positives,
            len(self.data.train.database),
            rng=numpy_generator(self.recipe.seed, Purpose.ROUND, *self.place(number)),
            sample=mining.sample,
        )

    def mine(
        self,
        number: int,
        describer: Describer,
        space: DescriptorSpace,
        tell: Callable[[int, int], None],
    ) -> Triplets:
        """Return a round's triplets, the same in all processes.

        Args:
            number: of the round.
            describer: describes with the weights of now.
            space: where descriptors are kept meanwhile.
            tell: called with the photos described and their number.

        Raises:
            PhotoError: a photo can't be used.
            UsageError: a query has too few negatives, or a descriptor is not finite.
        """
        planned = self.plan(number)
        query_rows = self.data.query_rows[planned.queries]
        total = len(query_rows) + len(planned.database)
        describer.reader.photos.hold(np.concatenate([query_rows, planned.database]))
        with (
            space.matrix("database", len(planned.database)) as database,
            space.matrix("queries", len(query_rows)) as queries,
        ):
            describer.describe(planned.database, database, lambda done: tell(done, total))
            before = len(planned.database)
            describer.describe(query_rows, queries, lambda done: tell(before + done, total))
            return self._mine_shared(planned, queries, database, describer.network.mean.device)

    def _mine_shared(
        self, planned: Round, queries: Matrix, database: Matrix, device: torch.device
    ) -> Triplets:
        """Mine this process's part of the queries, and return all processes' triplets."""
        mining, count = self.recipe.mining, len(planned.queries)
        # No process is left without queries: those beyond their number mine the last one again.
        shares = min(ranks.world(), count)
        own = np.array_split(np.arange(count), shares)[min(ranks.rank(), shares - 1)]
        part = slice(int(own[0]), int(own[-1]) + 1)
        found = mine(
            replace(planned, queries=planned.queries[part], hardest=planned.hardest[part]),
            queries[part],
            database,
            self.data.positives,
            self.data.excluded,
            negatives=mining.negatives,
            shortage="repeat" if mining.repeat else "refuse",
            device=device,
        )
        parts = ranks.gather((found.queries, found.positives, found.negatives))[:shares]
        return Triplets(*(np.concatenate(column) for column in zip(*parts, strict=True)))
