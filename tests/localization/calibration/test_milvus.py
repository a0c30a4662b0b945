"""An index in Milvus learns from its own photos what one in a folder learns from the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.localization.calibration.conftest import World, make_world
from tests.localization.calibration.test_stored import indexed

from landfall.index import Index, begin
from landfall.index.milvus.address import parse_address
from landfall.index.milvus.building import MilvusBuilding
from landfall.localization.calibration import Calibration, calibrate_index, index_calibration, keep_calibrated


def indexed_in_milvus(world: World, out: Path, like: Index) -> Index:
    """Make an index in an embedded store of the photos of one in a folder."""
    with begin(out, {"photos": "test"}) as building:
        elsewhere = MilvusBuilding(building, parse_address(f"milvus://{out.parent}/town.db/photos"))
        np.save(building.folder / "described.npy", world.descriptors)
        model = building.folder / "fitted.safetensors"
        model.write_bytes(b"a model")
        records = [replace(record, id=0) for record in like.records()]
        return elsewhere.commit(
            records, building.folder / "described.npy", model, card=like.manifest.model, root=None
        )


@pytest.mark.usefixtures("milvus")
def test_it_learns_what_a_folder_index_learns(tmp_path: Path) -> None:
    world = make_world(100, noise=0.7)
    folder = indexed(world, tmp_path / "folder.lf")
    there = indexed_in_milvus(world, tmp_path / "there.lf", folder)
    expected = index_calibration(calibrate_index(folder.path))
    calibrated = calibrate_index(there.path)
    learned = index_calibration(calibrated)
    assert isinstance(expected, Calibration)
    assert isinstance(learned, Calibration)
    # All photos are sampled, in another order: the regressions are the same, their folds are not.
    assert (learned.photos, learned.matches) == (expected.photos, expected.matches)
    np.testing.assert_allclose(learned.confidence.weights, expected.confidence.weights, rtol=1e-2)
    assert learned.accept_from == pytest.approx(expected.accept_from, rel=1e-2)
    assert keep_calibrated(calibrated) is calibrated
    assert index_calibration(Index.open(there.path)) == learned
