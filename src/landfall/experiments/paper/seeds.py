"""How often each variant is run: with seeds 0, 1 and so on, some variants more often than others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from landfall.errors import UnknownNameError, UsageError
from landfall.experiments.paper.variant import Experiment


@dataclass(frozen=True)
class Seeds:
    """How many seeds.

    Args:
        count: of every variant.
        of_label: of the variants with these labels, instead.
    """

    count: int = 1
    of_label: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Seeds:
        """Read ``3`` for every variant and ``CRN2:3`` for one.

        Raises:
            UsageError: no such thing, or a number below 1.
        """
        count, of_label = 1, {}
        for text in texts:
            label, _, number = text.rpartition(":")
            if not number.isdecimal() or int(number) < 1:
                raise UsageError(f"{text!r} says not how many seeds; expected 3, or CRN2:3 for one variant.")
            if label:
                of_label[label] = int(number)
            else:
                count = int(number)
        return cls(count, MappingProxyType(of_label))

    def of(self, label: str) -> range:
        """Return a variant's seeds."""
        return range(self.of_label.get(label, self.count))

    @property
    def every(self) -> range:
        """The seeds that any variant may have."""
        return range(max([self.count, *self.of_label.values()]))

    def words(self) -> list[str]:
        """Return the options that ask for the same."""
        words = ["--seeds", str(self.count)]
        for label, count in self.of_label.items():
            words += ["--seeds", f"{label}:{count}"]
        return words

    def check_labels(self, experiments: Sequence[Experiment]) -> None:
        """Refuse a label that no variant of the experiments has.

        Raises:
            UnknownNameError: names the close ones.
        """
        known = {variant.label for experiment in experiments for variant in experiment.variants}
        for label in self.of_label:
            if label not in known:
                raise UnknownNameError("variant", label, known)
