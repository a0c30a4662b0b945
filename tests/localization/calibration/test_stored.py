"""The calibration that an index keeps, and when it is learned anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.localization.calibration.conftest import World, make_world

from landfall.errors import IndexStoreError
from landfall.files import write_text
from landfall.index import FolderIndex, Index, PhotoRecord, begin, changing
from landfall.index.store import PLAN
from landfall.localization.calibration import (
    Calibration,
    NoCalibration,
    calibrate_index,
    index_calibration,
    keep_calibrated,
)
from landfall.localization.calibration.stored import NAME
from landfall.models import ModelCard

DEGREE_M = 68_677.0  # of longitude at 52 degrees north


def indexed(world: World, out: Path) -> FolderIndex:
    """Make an index of a street's photos; no photo and no model is ever read."""
    card = ModelCard(
        name="fake",
        family="fake",
        descriptor_dim=world.descriptors.shape[1],
        licence="MIT",
        source="tests",
        landfall_version="0",
    )
    with begin(out, {PLAN: "test"}) as building:
        model = building.folder / "fitted.safetensors"
        model.write_bytes(b"a model")
        records = [
            PhotoRecord(
                id=row + 1,
                photo=f"{row:05}.jpg",
                content_hash=f"hash{row}",
                lat=52.0,
                lon=east_m / DEGREE_M,
                altitude_m=None,
                heading_deg=None,
                taken_at=None,
                bytes=1,
                width=64,
                height=48,
                row=row,
            )
            for row, east_m in enumerate(world.positions.east_m.tolist())
        ]
        return building.commit(records, world.descriptors, model, card=card, root=None)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return indexed(make_world(100, noise=0.7), tmp_path / "street.lf")


def test_an_index_that_was_never_calibrated_says_how_to(index: Index) -> None:
    got = index_calibration(index)
    assert isinstance(got, NoCalibration)
    assert f"landfall index calibrate {index.path}" in got.reason


def test_it_is_kept_with_the_index_and_carried_over(index: Index) -> None:
    told: list[str] = []
    calibrated = calibrate_index(index.path, say=told.append)
    learned = index_calibration(calibrated)
    assert isinstance(learned, Calibration)
    assert (learned.photos, learned.matches) == (200, 20)
    assert any("Calibrated on" in sentence for sentence in told)
    with changing(index.path) as change:
        change.records.delete([5])
        later = change.commit()
    assert index_calibration(later) == learned
    assert index_calibration(Index.open(index.path)) == learned
    # The index opened before knows what it knew.
    assert isinstance(index_calibration(index), NoCalibration)


def test_it_is_learned_anew_when_the_index_has_changed_much(index: Index) -> None:
    calibrated = calibrate_index(index.path)
    with changing(index.path) as change:
        change.records.delete(list(range(1, 21)))
        tenth_gone = change.commit()
    assert keep_calibrated(tenth_gone) is tenth_gone
    with changing(index.path) as change:
        change.records.delete([30])
        more_gone = change.commit()
    again = keep_calibrated(more_gone)
    learned = index_calibration(again)
    assert isinstance(learned, Calibration)
    assert learned.photos == 179
    assert again.manifest.generation == calibrated.manifest.generation + 3


def test_why_it_can_not_be_calibrated_is_kept_and_not_tried_again(tmp_path: Path) -> None:
    told: list[str] = []
    few = keep_calibrated(indexed(make_world(10), tmp_path / "few.lf"), say=told.append)
    got = index_calibration(few)
    assert isinstance(got, NoCalibration)
    assert "20 photos" in got.reason
    assert "can't be calibrated" in told[-1]
    assert keep_calibrated(few) is few


def test_one_of_another_version_is_not_misread(index: Index) -> None:
    calibrated = calibrate_index(index.path)
    path = calibrated.derived(NAME)
    assert path is not None
    stored = json.loads(path.read_text())
    stored["calibration"]["features"] = ["something", "else"]
    with changing(index.path) as change:
        change.put(NAME, ".json", lambda to: write_text(to, json.dumps(stored)))
        changed = change.commit()
    got = index_calibration(changed)
    assert isinstance(got, NoCalibration)
    assert "another Landfall" in got.reason


def test_a_damaged_one_is_named(index: Index) -> None:
    with changing(index.path) as change:
        change.put(NAME, ".json", lambda to: write_text(to, "{}"))
        changed = change.commit()
    with pytest.raises(IndexStoreError, match="landfall index calibrate"):
        index_calibration(changed)


def test_the_same_index_learns_the_same_bytes(tmp_path: Path) -> None:
    world = make_world(100, noise=0.7)
    texts = [calibrate_index(indexed(world, tmp_path / name).path).note(NAME) for name in ("a.lf", "b.lf")]
    assert texts[0] == texts[1]
    assert np.isfinite(json.loads(texts[0] or "")["calibration"]["accept_from"])
