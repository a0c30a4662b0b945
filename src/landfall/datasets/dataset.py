"""A dataset: photos whose positions are known, and photos to be found among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from landfall.datasets.photo_set import PhotoSet
from landfall.geo import Neighbours, neighbours_within
from landfall.photos import PhotoProblem


@dataclass(frozen=True, eq=False)
class Dataset:
    """One split of a dataset.

    Attributes:
        name: the dataset's own name, its folder's unless told otherwise.
        split: "train", "val", "test", ...; None where the layout knows no splits.
        layout: the name of the layout it was read with.
        root: what was loaded, a folder or a CSV file.
        database: the photos that are searched.
        queries: the photos that are looked for; none in a mere folder of photos.
        problems: photos that have no position or can't be read, and fields that make no sense, each with
            its reason. These photos stay in ``database`` or ``queries``, so that no count changes silently.
        left_out: what is in neither: bad rows of a table, folders that can't be entered, links in a loop.
    """

    name: str
    split: str | None
    layout: str
    root: Path
    database: PhotoSet
    queries: PhotoSet
    problems: tuple[PhotoProblem, ...] = ()
    left_out: tuple[PhotoProblem, ...] = ()

    @property
    def label(self) -> str:
        """``name/split``, or the name alone where there is no split."""
        return self.name if self.split is None else f"{self.name}/{self.split}"

    def positives(self, radius_m: float) -> Neighbours:
        """Return, for each query, the database photos taken within ``radius_m`` of it.

        Raises:
            PositionError: planar and geographic positions in one dataset.
        """
        return neighbours_within(self.database.positions, self.queries.positions, radius_m)
