"""What can't be trained is refused before anything is computed, and says what to do."""

from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from tests.training.street import small_recipe

from landfall.errors import DatasetError, TrainingError, UsageError
from landfall.training import Machine, resume, train
from landfall.training.data import TrainingData
from landfall.training.state import Saved, write_state

CPU = Machine("cpu", workers=1)


def attempt(dataset: Path, out: Path, **changes: Any) -> None:
    train(small_recipe(**changes), dataset, out, machine=CPU)


def test_a_dataset_without_a_split_says_how_it_must_lie(street: Path, tmp_path: Path) -> None:
    shutil.copytree(street / "images" / "val", tmp_path / "data" / "images" / "val")
    with pytest.raises(DatasetError, match=r"has the splits val; training needs train and val"):
        attempt(tmp_path / "data", tmp_path / "run")
    with pytest.raises(DatasetError, match=r"no splits.*data\.train_split"):
        attempt(street / "images" / "val", tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()


def test_other_splits_may_be_named(street: Path) -> None:
    data = TrainingData.load(str(street), small_recipe(data={"train_split": "val", "val_split": "train"}))
    assert (len(data.train.queries), len(data.val.queries)) == (7, 13)


def test_no_positives_at_all(street: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"None of the 13 queries .* within 1 m"):
        attempt(street, tmp_path / "run", data={"train_radius_m": 1.0})


def test_fewer_negatives_than_asked(street: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fewer than 23 negatives in the database"):
        attempt(street, tmp_path / "run", mining={"negatives": 23})
    # Enough in the database, not in the sample: found when the round is mined.
    with pytest.raises(UsageError, match="sample more"):
        attempt(street, tmp_path / "sampled", mining={"negatives": 5, "sample": 5})
    attempt(street, tmp_path / "repeated", mining={"negatives": 5, "sample": 5, "repeat": True})


def test_a_broken_photo_is_named_before_training(street: Path, tmp_path: Path) -> None:
    shutil.copytree(street, tmp_path / "data")
    broken = sorted((tmp_path / "data" / "images" / "val" / "queries").iterdir())[2]
    broken.write_bytes(b"no photo")
    with pytest.raises(DatasetError, match=broken.name):
        attempt(tmp_path / "data", tmp_path / "run")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_is_not_writable(street: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(TrainingError, match="can't be written"):
        attempt(street, locked / "run")


def test_a_file_where_the_folder_should_be(street: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="can't be written"):
        attempt(street, tmp_path / "file" / "run")


def test_a_disk_without_room_is_told_with_numbers(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 2**20, 2**20))
    with pytest.raises(TrainingError, match=r"1 MiB free; this training writes up to \d+ MiB"):
        attempt(street, tmp_path / "run")
    assert not (tmp_path / "run" / "state.pt").exists()


def test_a_disk_that_fills_up_keeps_the_last_state(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Saved] = []

    def fill_up(path: Path, saved: Saved) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(saved)
        write_state(path, saved)

    monkeypatch.setattr("landfall.training.keeper.write_state", fill_up)
    with pytest.raises(TrainingError, match="No space left on device"):
        attempt(street, tmp_path / "run")
    monkeypatch.undo()
    assert resume(tmp_path / "run", machine=CPU).state.round == 4


def test_a_folder_that_holds_a_training_is_not_overwritten(street: Path, tmp_path: Path) -> None:
    attempt(street, tmp_path / "run", schedule={"epochs": 1})
    with pytest.raises(TrainingError, match="--resume"):
        attempt(street, tmp_path / "run")


def test_a_folder_without_a_training_can_not_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no training"):
        resume(tmp_path, machine=CPU)


def test_another_dataset_can_not_be_resumed_with(street: Path, tmp_path: Path) -> None:
    attempt(street, tmp_path / "run", schedule={"epochs": 1})
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps(about | {"fingerprint": "other"}))
    (tmp_path / "run" / "state.pt").unlink()
    with pytest.raises(TrainingError, match="other photos or positions"):
        resume(tmp_path / "run", machine=CPU)


def test_half_precision_steps_are_for_gpus(street: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"schedule\.precision is bf16"):
        attempt(street, tmp_path / "run", schedule={"precision": "bf16"})
