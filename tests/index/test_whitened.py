"""An index whose descriptors are whitened: what is stored, searched, added, merged and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.localization.calibration.conftest import DIM, World, make_world
from tests.localization.calibration.test_stored import indexed

from landfall.errors import IndexStoreError, UsageError
from landfall.index import FolderIndex, Index, changing
from landfall.index.kinds.whitening import apply_whitening
from landfall.localization import compact_index, merge_indexes, remove_photos
from landfall.localization.calibration import Calibration, calibrate_index, index_calibration
from landfall.localization.searching import tune_index, whiten_index
from landfall.localization.upkeep import keep_up


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(120, views=2, noise=0.5)


@pytest.fixture
def index(world: World, tmp_path: Path) -> Index:
    return indexed(world, tmp_path / "street.lf")


def test_queries_of_the_model_s_length_find_what_whitened_descriptors_find(
    index: Index, world: World
) -> None:
    whitened = whiten_index(index.path, 16)
    assert whitened.whitening is not None
    assert whitened.descriptors.shape == (240, 16)
    assert whitened.manifest.model.descriptor_dim == DIM
    queries = world.look(np.linspace(0, 900, 7), 3)
    distances, rows = whitened.search_rows(queries, 5)
    stored = apply_whitening(whitened.whitening, np.asarray(index.descriptors, np.float32))
    asked = apply_whitening(whitened.whitening, queries)
    for query in range(7):
        apart = np.linalg.norm(stored.astype(np.float64) - asked[query], axis=1)
        assert rows[query].tolist() == np.argsort(apart, kind="stable")[:5].tolist()
        np.testing.assert_allclose(distances[query], np.sort(apart)[:5], rtol=1e-5)


def test_ids_stay_and_what_was_learned_before_goes(index: Index) -> None:
    calibrate_index(index.path)
    tune_index(index.path, "sq8")
    whitened = whiten_index(index.path, 16)
    assert whitened.ids.tolist() == index.ids.tolist()
    assert whitened.structure is None
    assert not isinstance(index_calibration(whitened), Calibration)
    assert isinstance(index_calibration(keep_up(whitened)), Calibration)


def test_what_is_added_later_is_whitened_as_well(index: Index, world: World) -> None:
    whiten_index(index.path, 16)
    new = world.look(np.array([123.0]), 8)
    with changing(index.path) as change:
        record = replace(change.index.records()[0], id=change.records.next_id(), photo="new.jpg")
        change.records.insert([replace(record, row=change.append_described(new))])
        later = change.commit()
    distances, rows = later.search_rows(new, 1)
    assert later.photos(rows[0])[0].photo == "new.jpg"
    assert distances[0, 0] == pytest.approx(0.0, abs=2e-3)


def test_compacting_and_removing_keep_it(index: Index, world: World) -> None:
    whiten_index(index.path, 16)
    remove_photos(index.path, ids=[1, 2])
    compacted = compact_index(index.path).index
    assert isinstance(compacted, FolderIndex)
    assert compacted.whitening is not None
    assert compacted.descriptors.shape == (238, 16)
    assert compacted.search_rows(world.look(np.array([80.0]), 1), 3)[1].shape == (1, 3)


def test_indexes_whitened_otherwise_are_not_merged(index: Index, world: World, tmp_path: Path) -> None:
    other = indexed(make_world(40, seed=5), tmp_path / "other.lf")
    whiten_index(index.path, 16)
    with pytest.raises(IndexStoreError, match="not whitened alike"):
        merge_indexes(index.path, [other.path])
    copied = merge_indexes(tmp_path / "copy.lf", [index.path]).index
    assert isinstance(copied, FolderIndex)
    assert copied.whitening is not None
    assert merge_indexes(copied.path, [index.path]).unchanged == 240


def test_twice_and_too_many_numbers_are_refused_and_nothing_changes(index: Index) -> None:
    with pytest.raises(UsageError, match="1 to 32"):
        whiten_index(index.path, 33)
    assert Index.open(index.path).manifest == index.manifest
    whitened = whiten_index(index.path, 8)
    with pytest.raises(UsageError, match="whitened already, to 8"):
        whiten_index(index.path, 4)
    assert Index.open(index.path).manifest == whitened.manifest
