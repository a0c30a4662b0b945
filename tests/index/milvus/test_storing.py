"""Photos on their way to the server: killed, refused, retried; nothing is lost and nothing is there twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.index.milvus.killed_storing import ADDED, COUNT
from tests.index.milvus.photos import build_milvus, descriptors_of, records_of

from landfall.errors import IndexStoreError
from landfall.files import write_text
from landfall.index import Index, changing, verify_index
from landfall.index.milvus import writing
from landfall.index.milvus.collection import Collection
from landfall.index.milvus.pending import STORING, is_pending
from landfall.index.milvus.reader import MilvusIndex
from landfall.index.milvus.schema import photo_id

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("killed_storing.py")

Upsert = Callable[[Collection, Sequence[Mapping[str, Any]]], None]


def run(index: Path, verb: str, moment: str) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, str(SCRIPT), str(index), verb, moment]
    return subprocess.run(command, env=environment, cwd=ROOT, timeout=300).returncode


def check(index: Index, removed: set[str] = frozenset(), *, added: int = 0) -> None:  # type: ignore[assignment]
    """Check that an index has the photos that were stored, each once, with its own descriptor."""
    expected = {
        record.photo: row
        for record, row in [
            *zip(records_of(COUNT), descriptors_of(COUNT), strict=True),
            *zip(records_of(added, first=1000), descriptors_of(added, seed=9), strict=True),
        ]
        if record.photo not in removed
    }
    there = Counter(photo.photo for photo in index.photos())
    assert there == Counter(expected.keys())
    rows = np.stack([expected[photo.photo] for photo in index.photos()])
    np.testing.assert_array_equal(np.asarray(index.descriptors), rows)
    assert len(index) == len(expected)


@pytest.mark.usefixtures("milvus")
def test_a_killed_build_and_a_killed_change_end_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    # Four batches are acknowledged, two of them flushed and told in the journal.
    assert run(path, "build", "3") == -signal.SIGKILL
    with pytest.raises(IndexStoreError, match="not finished"):
        Index.open(path)
    assert json.loads((path / "building" / "stored.json").read_text())["stored"] == 32
    assert run(path, "build", "never") == 0
    assert run(path, "add", "2") == -signal.SIGKILL
    assert is_pending(path)
    assert next(problem.where for problem in verify_index(path)) == STORING
    opened = Index.open(path)
    first_ids = sorted(photo_id("/photos", record.photo) for record in records_of(COUNT))[:10]
    removed = {record.photo for record in records_of(COUNT) if photo_id("/photos", record.photo) in first_ids}
    # Whoever changes it next ends what was begun.
    with changing(path) as change:
        check(change.index, removed, added=ADDED)
    assert not (path / STORING).exists()
    assert opened.latest().manifest.generation == 2
    assert verify_index(path) == []


def failing(upsert: Upsert, calls: int) -> Upsert:
    """Return a server that stores ``calls`` batches, then one that it doesn't acknowledge, then no more."""
    left = calls

    def refused(self: Collection, entities: Sequence[Mapping[str, Any]]) -> None:
        nonlocal left
        if left >= 0:
            upsert(self, entities)
        left -= 1
        if left < 0:
            raise IndexStoreError("the server went away")

    return refused


def add_with_note(path: Path) -> None:
    with changing(path) as change:
        folder = change.records.folder("/more", "/more")
        change.append(descriptors_of(ADDED, seed=9))
        change.records.insert(replace(each, folder=folder) for each in records_of(ADDED, first=1000))
        change.put("calibration", ".json", lambda file: write_text(file, "{}"))
        change.commit()


def add_one(path: Path, descriptors: NDArray[np.float32]) -> None:
    with changing(path) as change:
        change.append(descriptors)
        change.records.insert([replace(records_of(1)[0], photo="new.jpg")])
        change.commit()


@pytest.fixture
def small_batches(milvus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "at_once", lambda _dim: 16)
    monkeypatch.setattr(writing, "FLUSH_BYTES", 16 * 4 * 12)


@pytest.mark.usefixtures("small_batches")
def test_a_server_that_goes_away_in_a_build_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole = tmp_path / "i.lf", Collection.upsert
    for calls in (0, 1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(Collection, "upsert", failing(whole, calls))
            with pytest.raises(IndexStoreError, match="went away"):
                build_milvus(path, COUNT)
    sent: list[int] = []

    def counted(self: Collection, entities: Sequence[Mapping[str, Any]]) -> None:
        sent.append(len(entities))
        whole(self, entities)

    monkeypatch.setattr(Collection, "upsert", counted)
    check(build_milvus(path, COUNT))
    # 0 + 1 + 2 batches were acknowledged and flushed before, and are not sent again.
    assert sent == [16, 16, 16, 4]
    assert verify_index(path) == []


@pytest.mark.usefixtures("small_batches")
def test_a_server_that_goes_away_in_a_change_leaves_it_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "i.lf"
    build_milvus(path, COUNT)
    with monkeypatch.context() as patch:
        patch.setattr(Collection, "upsert", failing(Collection.upsert, 1))
        with pytest.raises(IndexStoreError, match="went away"):
            add_with_note(path)
    assert Index.open(path).info()["unfinished_change"]
    with changing(path):
        pass
    index = Index.open(path)
    check(index, added=ADDED)
    assert index.note("calibration") == "{}"
    assert [folder.root for folder in index.folders().values()] == ["/photos", "/more"]


@pytest.mark.usefixtures("small_batches")
def test_photos_that_the_server_lost_after_all_are_missed_and_stored_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole = tmp_path / "i.lf", Collection.upsert
    with monkeypatch.context() as patch:
        patch.setattr(Collection, "upsert", lambda self, entities: whole(self, entities[1:]))
        with pytest.raises(IndexStoreError, match=r"acknowledged 100 photos and has lost 7 of them"):
            build_milvus(path, COUNT)
    check(build_milvus(path, COUNT))


def test_a_photo_keeps_its_descriptor_under_a_new_name(stored: MilvusIndex) -> None:
    old = stored.stored_records.of_names([records_of(40)[7].photo])[0]
    with changing(stored.path) as change:
        change.records.delete([old.id])
        change.records.insert([replace(old, photo="moved.jpg")])
        changed = change.commit()
    (found,) = changed.search(descriptors_of(40)[7:8].astype(np.float32), 1)
    assert (found[0].photo, found[0].distance) == ("moved.jpg", 0.0)
    assert len(changed) == 40
    assert verify_index(stored.path) == []


def test_photos_may_take_each_others_names(stored: MilvusIndex) -> None:
    one, other = (stored.stored_records.of_names([records_of(40)[at].photo])[0] for at in (3, 8))
    with changing(stored.path) as change:
        change.records.delete([one.id, other.id])
        change.records.insert([replace(one, photo=other.photo), replace(other, photo=one.photo)])
        changed = change.commit()
    matches = changed.search(descriptors_of(40)[[3, 8]].astype(np.float32), 1)
    assert [found[0].photo for found in matches] == [other.photo, one.photo]
    assert len(changed) == 40


def test_two_photos_of_one_number_are_refused(stored: MilvusIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = int(stored.ids[0])
    monkeypatch.setattr("landfall.index.milvus.change.photo_id", lambda _root, _photo: taken)
    with changing(stored.path) as change:
        change.append(descriptors_of(1))
        with pytest.raises(IndexStoreError, match=r"new\.jpg and straße .* have the same number"):
            change.records.insert([replace(records_of(1)[0], photo="new.jpg")])


def test_descriptors_that_can_not_be_stored_are_refused(stored: MilvusIndex) -> None:
    wrong = np.full((1, 12), np.nan, np.float32)
    for descriptors, why in ((wrong, "holds NaN"), (wrong[:, 1:], "another model")):
        with pytest.raises(IndexStoreError, match=why):
            add_one(stored.path, descriptors)
    assert len(Index.open(stored.path)) == 40
    assert not is_pending(stored.path)


def test_a_collection_that_is_taken_or_gone_is_told(stored: MilvusIndex, tmp_path: Path) -> None:
    with pytest.raises(IndexStoreError, match="exists already"):
        build_milvus(tmp_path / "second.lf", 40, store=stored.manifest.store)
    stored.collection.drop()
    with pytest.raises(IndexStoreError, match="has no collection photos"):
        Index.open(stored.path)
    build_milvus(tmp_path / "third.lf", 40, store=stored.manifest.store)
    with pytest.raises(IndexStoreError, match="is not the one that"):
        Index.open(stored.path)


def test_a_server_that_is_not_there_is_told(stored: MilvusIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landfall.index.milvus.collection._CONNECT_S", 1.0)
    monkeypatch.setenv("LANDFALL_MILVUS_TOKEN", "root:hunter2")
    manifest = json.loads((stored.path / "manifest.json").read_text())
    manifest["store"] = "milvus://127.0.0.1:9/photos"
    (stored.path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        IndexStoreError, match=r"milvus://127.0.0.1:9/photos: .*Is the server there"
    ) as caught:
        Index.open(stored.path)
    assert "hunter2" not in str(caught.value)


def test_what_is_wrong_is_found(stored: MilvusIndex) -> None:
    collection = stored.collection
    entity = collection.get([int(stored.ids[4])], ("*",))[0]
    collection.upsert([{**entity, "lat": 95.0}])
    collection.upsert([{**entity, "id": 77, "root": "/strange"}])
    collection.delete([int(stored.ids[5])])
    collection.delete([int(stored.ids[6])])
    reasons = " ".join(problem.reason for problem in verify_index(stored.path))
    assert "outside -90 to 90" in reasons
    assert "its number is 77, not" in reasons
    assert "of /strange, which the index folder doesn't know" in reasons
    assert "it has 39 photos, and the manifest tells of 40" in reasons
