"""Changes that a user makes to experiments' recipes: of every variant, or with a label in front of one.

"optimizer.lr=3e-5" changes all; "Base:optimizer.lr=1e-5" the variant called Base, after those of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from landfall.errors import UnknownNameError
from landfall.experiments.paper.variant import Experiment


def of_all(changes: Iterable[str]) -> list[str]:
    """Return the changes without a label."""
    return [change for change in changes if not _label(change)]


def of_one(label: str, changes: Iterable[str]) -> list[str]:
    """Return the changes with this label, the label left out."""
    return [change[len(label) + 1 :] for change in changes if _label(change) == label]


def check_labels(experiments: Sequence[Experiment], changes: Iterable[str]) -> None:
    """Refuse a label that no variant of the experiments has.

    Raises:
        UnknownNameError: names the close ones.
    """
    known = {variant.label for experiment in experiments for variant in experiment.variants}
    for change in changes:
        label = _label(change)
        if label and label not in known:
            raise UnknownNameError("variant", label, known)


def _label(change: str) -> str:
    """Return what stands in front of the key's last colon; empty where there is none."""
    return change.partition("=")[0].rpartition(":")[0]
