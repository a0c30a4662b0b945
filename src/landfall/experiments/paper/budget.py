"""How much an experiment may spend: the paper's training, or less of it, the same for every variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from landfall.errors import UsageError

_QUICK_PIXELS = (
    "model.height=240",
    "model.width=320",
    "model.init_photos=250",
    "mining.queries_per_round=500",
    # Most of the network's work, done once: what makes two CPU cores enough.
    "memory.features_mb=8192",
)


@dataclass(frozen=True)
class Budget:
    """Changes that make a recipe cheaper.

    Attributes:
        name: as it was asked for.
        changes: ``key=value`` on a recipe, before a variant's own.
        queries: that each run trains on in all; None leaves it to the recipe and early stopping.
    """

    name: str
    changes: tuple[str, ...] = ()
    queries: int | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Return the budget called ``paper`` or ``quick``, or that of so many queries.

        ``quick`` trains for five epochs of at most 1000 queries on a quarter of the paper's pixels; a number
        is of queries, at the same size. Both go to the end and keep the best epoch, so that every variant
        takes equally many steps; ``paper`` stops early, as the paper does.

        Raises:
            UsageError: it is none of these.
        """
        if text == "paper":
            return cls(text)
        if text == "quick":
            limits = ("mining.queries_per_epoch=1000", "schedule.epochs=5", "schedule.patience=5")
            return cls(text, (*_QUICK_PIXELS, *limits))
        if text.isdecimal() and int(text) >= 1:
            return cls(text, _QUICK_PIXELS, queries=int(text))
        raise UsageError(
            f"The budget {text!r} is none: give paper, quick, or a number of training queries, such as 500."
        )

    def check(self, changes: Sequence[str]) -> None:
        """Refuse changes of what experiments and their budget decide themselves.

        Raises:
            UsageError: names the option that is for it.
        """
        decided = {"seed": "--seeds"}
        if self.queries is not None:
            decided |= dict.fromkeys(("schedule.epochs", "schedule.patience"), f"--budget {self.name}")
        for change in changes:
            key = change.partition("=")[0].rpartition(":")[2]
            if key in decided:
                raise UsageError(f"--set {key} has no say here: {decided[key]} decides it. Leave it out.")
