"""Variant and Experiment: what is trained and compared for one table or figure of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from landfall.registry import Registry

#: What the paper measured: by role of the test set, then by row, recall in percent by rank N.
Published = Mapping[str, Mapping[str, Mapping[int, float]]]

#: The roles of the first and the second test set, by the sets that the paper used.
ROLES = ("pitts30k", "St Lucia")

#: The distance within which a match is right, wherever it is not what varies.
MAIN_M = 25.0


@dataclass(frozen=True)
class Variant:
    """One setting of an experiment: a named recipe with a few keys replaced.

    Args:
        label: its row, as in the paper.
        recipe: a name that `landfall.training.load_recipe` takes.
        changes: ``key=value`` on top of it.
        scale: of height and width of the photos, after the budget has set them (figure 7).
        untrained: measure the network before training, too.
    """

    label: str
    recipe: str
    changes: tuple[str, ...] = ()
    scale: float = 1.0
    untrained: bool = False


@dataclass(frozen=True)
class Experiment:
    """One table or figure.

    Args:
        name: the command's.
        title: what it shows.
        where: in the paper; empty for what the paper has not.
        finding: what the paper found, in a sentence; empty where it says nothing.
        variants: what is trained, the reference of comparisons first; empty where nothing is.
        thresholds_m: positive distances of the tests; with several, each is a row (figure 5).
        published: the paper's figures by role and row label.
        product: the name of what else it makes (`landfall.experiments.paper.products`), or None.
        recall_told: whether a report shows its recall; table 2 and the visual results are of table 1's runs.
    """

    name: str
    title: str
    where: str = ""
    finding: str = ""
    variants: tuple[Variant, ...] = ()
    thresholds_m: tuple[float, ...] = (MAIN_M,)
    published: Published = field(default_factory=dict)
    product: str | None = None
    recall_told: bool = True

    def row(self, label: str, threshold_m: float) -> str:
        """Return the label of a variant's row."""
        if len(self.thresholds_m) == 1:
            return label
        return f"{threshold_m:g} m" if len(self.variants) == 1 else f"{label}, {threshold_m:g} m"


EXPERIMENTS: Registry[Experiment] = Registry("experiment")


def register(experiment: Experiment) -> Experiment:
    """Enter an experiment under its name."""
    return EXPERIMENTS.register(experiment.name)(experiment)
