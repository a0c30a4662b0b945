"""The two splits of a training, as one list of photos, with what is near to what."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.cores import available_cores
from landfall.datasets import Dataset, Protocol, dataset_splits, load_dataset, spots
from landfall.errors import DatasetError, PhotoError
from landfall.evaluation.evaluation import check_evaluable
from landfall.geo import Neighbours, Positions, neighbours_within
from landfall.mining import check_negatives, usable_queries
from landfall.photos import read_metadata
from landfall.training.recipe import Recipe

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The splits of a training. Photos are numbered through: train database, train queries, val database, val
    queries.

    Training queries are numbered on their own: the split's, then, if the recipe says so, its database photos.

    Attributes:
        train, val: the splits.
        positives: for every training query, the database photos within the train radius.
        excluded: for every training query, the database photos that can't be its negatives.
        usable: (U,) int64 training queries that have a positive.
        query_rows: (Q,) int64 the photo of each training query.
    """

    train: Dataset
    val: Dataset
    positives: Neighbours
    excluded: Neighbours
    usable: Rows
    query_rows: Rows

    @classmethod
    def load(cls, dataset: str, recipe: Recipe, *, layout: str = "auto") -> TrainingData:
        """Load a dataset's training and validation splits, and check that they can be trained on.

        Raises:
            DatasetError: no such dataset or splits, or nothing to validate on.
            UsageError: no query has a positive, or one has too few negatives.
        """
        wanted = (recipe.data.train_split, recipe.data.val_split)
        splits = dataset_splits(dataset, layout=layout)
        missing = [split for split in wanted if split not in splits]
        if missing:
            raise DatasetError(
                f"{dataset} has {'the splits ' + ', '.join(splits) if splits else 'no splits'}; training "
                f"needs {' and '.join(wanted)}. Lay it out as images/{wanted[0]}/database, "
                f"images/{wanted[0]}/queries and the same for {wanted[1]}, or name other splits with "
                "--set data.train_split=NAME and --set data.val_split=NAME."
            )
        train, val = (load_dataset(dataset, split, layout=layout) for split in wanted)
        check_evaluable(train, (recipe.data.far_m,), (1,))
        check_evaluable(val, (recipe.data.far_m,), (1,))
        positives = training_positives(train, recipe)
        excluded = neighbours_within(train.database.positions, _asked(train, recipe), recipe.data.far_m)
        usable = usable_queries(positives)
        check_negatives(
            excluded, usable, len(train.database), 1 if recipe.mining.repeat else recipe.mining.negatives
        )
        first = len(train.database)
        query_rows = np.arange(first, first + len(train.queries))
        if recipe.data.database_queries:
            query_rows = np.concatenate([query_rows, np.arange(first)])
        return cls(train, val, positives, excluded, usable, query_rows)

    @cached_property
    def paths(self) -> list[Path]:
        """The files of all photos, by row."""
        sets = (self.train.database, self.train.queries, self.val.database, self.val.queries)
        return [path for photos in sets for path in photos.paths]

    @property
    def val_database(self) -> Rows:
        """Rows of the validation database."""
        start = len(self.train.database) + len(self.train.queries)
        return np.arange(start, start + len(self.val.database))

    @property
    def val_queries(self) -> Rows:
        """Rows of the validation queries."""
        return np.arange(len(self.paths) - len(self.val.queries), len(self.paths))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the photos' names and positions; another one is another training."""
        parts = [Protocol.of(split).hash for split in (self.train, self.val)]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()

    @cached_property
    def files_fingerprint(self) -> str:
        """A hash of the files as they are now: it also changes with where they lie, their sizes and times."""
        told = [[str(path), (stat := path.stat()).st_size, stat.st_mtime_ns] for path in self.paths]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()

    @property
    def unusable(self) -> int:
        """Training queries that have no positive."""
        return len(self.query_rows) - len(self.usable)

    def check_photos(self, *, workers: int | None = None) -> None:
        """Read every photo's header, so that a broken file stops a training before it starts.

        Raises:
            DatasetError: names those that can't be read.
        """

        def problem(path: Path) -> str | None:
            try:
                read_metadata(path)
            except PhotoError as error:
                return str(error)
            return None

        with ThreadPoolExecutor(workers or available_cores(), thread_name_prefix="landfall-header") as pool:
            problems = [told for told in pool.map(problem, self.paths) if told]
        if problems:
            shown = "\n".join(f"  {told}" for told in problems[:20])
            more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
            raise DatasetError(
                f"{len(problems)} of {len(self.paths)} photos of {self.train.name} can't be read; mend them "
                f"or take them out of the dataset:\n{shown}{more}"
            )


def training_positives(train: Dataset, recipe: Recipe) -> Neighbours:
    """Return, for every training query, the database photos within the train radius.

    A database photo that is a query has no positives at its own spot: the other headings of one panorama
    show another view, and the photo itself would always be the best.
    """
    near = neighbours_within(train.database.positions, _asked(train, recipe), recipe.data.train_radius_m)
    if not recipe.data.database_queries:
        return near
    spot = spots(train.database.positions)
    # The split's own queries stand at no spot of the database, by number.
    asked = np.concatenate([np.full(len(train.queries), -1), spot])
    return near.where(asked[near.queries] != spot[near.indices])


def _asked(train: Dataset, recipe: Recipe) -> Positions:
    """Return where the training queries are."""
    if not recipe.data.database_queries:
        return train.queries.positions
    return Positions.concatenate([train.queries.positions, train.database.positions])
