"""A round's loader: every triplet once, each photo where its place says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.datasets import load_dataset
from landfall.mining import Triplets
from landfall.training import ranks
from landfall.training.batches import RoundLoader
from landfall.training.inputs import InputReader
from landfall.training.photo_cache import PhotoCache

FIRST_QUERY = 12


@pytest.fixture
def reader(street: Path) -> Iterator[InputReader]:
    photos = PhotoCache(
        load_dataset(street, "train").database.paths, height=8, width=8, budget_bytes=10**6, workers=1
    )
    yield InputReader(photos, None)
    photos.close()


@pytest.fixture
def triplets() -> Triplets:
    rng = np.random.default_rng(0)
    return Triplets(np.arange(7), rng.integers(0, 12, 7), rng.integers(0, 12, (7, 3)))


def loader(triplets: Triplets, reader: InputReader, *, share_photos: bool) -> RoundLoader:
    return RoundLoader(
        triplets,
        reader,
        query_rows=FIRST_QUERY + np.arange(100),
        batch_queries=3,
        share_photos=share_photos,
        as_pixels=False,
    )


def all_rows(triplets: Triplets) -> NDArray[np.int64]:
    return np.column_stack([triplets.queries + FIRST_QUERY, triplets.positives, triplets.negatives])


@pytest.mark.parametrize("share_photos", [True, False])
def test_every_triplet_comes_once_with_its_photos(
    triplets: Triplets, reader: InputReader, share_photos: bool
) -> None:
    opened = loader(triplets, reader, share_photos=share_photos)
    batches = list(opened)
    assert len(opened) == len(batches) == 3
    assert opened.photos == 35
    np.testing.assert_array_equal(np.concatenate([batch.rows for batch in batches]), all_rows(triplets))
    for batch in batches:
        assert batch.weight == 1.0
        distinct = len(np.unique(batch.rows))
        assert len(batch.inputs) == (distinct if share_photos else batch.rows.size)
        shown = batch.inputs.pixels[batch.places.ravel()]
        np.testing.assert_array_equal(shown, reader.photos.read(batch.rows.ravel()))


@pytest.mark.parametrize("world", [2, 3, 4])
def test_processes_share_each_step_and_together_weigh_as_one(
    triplets: Triplets, reader: InputReader, monkeypatch: pytest.MonkeyPatch, world: int
) -> None:
    monkeypatch.setattr(ranks, "world", lambda: world)
    by_rank = []
    for rank in range(world):
        monkeypatch.setattr(ranks, "rank", lambda rank=rank: rank)
        by_rank.append(list(loader(triplets, reader, share_photos=True)))
    for step, size in enumerate((3, 3, 1)):
        parts = [batches[step] for batches in by_rank]
        counted = [part for part in parts if part.weight > 0]
        rows = np.concatenate([part.rows for part in counted])
        np.testing.assert_array_equal(rows, all_rows(triplets)[3 * step : 3 * step + size])
        # The mean over processes of weight times mean is the mean over triplets: each counts 1 / size.
        for part in counted:
            assert part.weight / world / len(part.rows) == pytest.approx(1 / size)
        assert all(len(part.rows) == 1 for part in parts if part.weight == 0)
