"""One change after another: the same photos and answers as of a fresh build, whatever happens meanwhile."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.index.changes import (
    DIM,
    any_changes,
    built,
    check,
    descriptor_of,
    descriptors_of,
    enter,
    record,
    removed,
)

from landfall.errors import IndexStoreError
from landfall.index import FolderIndex, PhotoRecord, reader, verify_index
from landfall.index.change import MOST_SEGMENTS, changing_folder, join_from
from landfall.index.manifest import entry_of, read_manifest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("killed_changes.py")


def writes(text: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_text(text)

    return write


def add(path: Path, ids: Sequence[int]) -> FolderIndex:
    with changing_folder(path) as change:
        enter(change, ids)
        return change.commit()


def insert(path: Path, photo: PhotoRecord, descriptors: NDArray[np.floating]) -> FolderIndex:
    with changing_folder(path) as change:
        change.append(descriptors)
        change.records.insert([photo])
        return change.commit()


def remove(path: Path, ids: Sequence[int]) -> FolderIndex:
    with changing_folder(path) as change:
        change.records.delete(ids)
        return change.commit()


def compact(path: Path) -> FolderIndex:
    with changing_folder(path) as change:
        change.compact()
        return change.commit()


@settings(max_examples=12)
@given(st.integers(0, 3), any_changes(most_added=4, most=7))
def test_any_changes_end_as_a_fresh_build_of_the_same_photos(
    count: int, changes: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "i.lf"
        present, next_id = list(range(1, count + 1)), count + 1
        index = built(path, present)
        for kind, number in changes:
            if kind == "add":
                fresh = list(range(next_id, next_id + number))
                index = add(path, fresh)
                present, next_id = present + fresh, next_id + number
            elif kind == "remove":
                gone = removed(present, number)
                index = remove(path, gone)
                present = [photo_id for photo_id in present if photo_id not in gone]
            else:
                index = compact(path)
        check(index, present)
        assert verify_index(path) == []
        fresh_index = built(Path(folder) / "fresh.lf", present)
        queries = np.stack([descriptor_of(10_000 + i) for i in range(3)]).astype(np.float32)
        assert index.search(queries, 5) == fresh_index.search(queries, 5)


def test_an_open_index_answers_as_before_whatever_happens_to_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    opened = built(path, range(1, 9))
    queries = descriptors_of([3, 5]).astype(np.float32)
    before = opened.search(queries, 4)
    remove(path, [3, 4, 5])
    add(path, [20, 21])
    compact(path)
    assert not set(opened.manifest.files) - {"model.safetensors"} & {each.name for each in path.iterdir()}
    assert opened.search(queries, 4) == before
    check(opened, range(1, 9))
    # From another thread, too: the connection is shared.
    found: list[Any] = []
    thread = Thread(target=lambda: found.append(opened.photos(np.array([2, 0]))))
    thread.start()
    thread.join()
    assert [photo.id for photo in found[0]] == [3, 1]
    newest = opened.latest()
    check(newest, [1, 2, 6, 7, 8, 20, 21])
    assert newest.latest() is newest


def test_a_reader_that_meets_a_commit_takes_the_new_generation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2, 3])
    read = read_manifest
    changed: list[FolderIndex] = []

    def meet(folder: Path) -> Any:
        manifest = read(folder)
        if not changed:
            monkeypatch.setattr(reader, "read_manifest", read)
            changed.append(remove(path, [2]))
            compact(path)
        return manifest

    monkeypatch.setattr(reader, "read_manifest", meet)
    check(FolderIndex.open(path), [1, 3])


def test_a_second_writer_is_refused_at_once_and_nothing_happens_without_commit(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2])
    with changing_folder(path) as change:
        enter(change, [3])
        with (
            pytest.raises(IndexStoreError, match=r"i\.lf is being changed by another process"),
            changing_folder(path),
        ):
            pass
    check(FolderIndex.open(path), [1, 2])
    assert {each.name for each in path.iterdir()} == {
        "manifest.json", "lock", "model.safetensors", "photos-000001.sqlite", "descriptors-000001.npy",
    }  # fmt: skip
    check(add(path, [3]), [1, 2, 3])


def test_what_others_put_into_the_folder_stays(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, [1])
    (path / "notes-2024.txt").write_text("mine")
    (path / "descriptors-000009.npy").write_bytes(b"half-written by a change that was killed")
    add(path, [2])
    assert (path / "notes-2024.txt").read_text() == "mine"
    assert not (path / "descriptors-000009.npy").exists()


def test_a_number_is_never_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2])
    remove(path, [1, 2])
    compact(path)
    with changing_folder(path) as change:
        assert change.records.next_id() == 3


def test_derived_files_stay_until_they_are_replaced_or_dropped(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2])
    with changing_folder(path) as change:
        change.put("calibration", ".json", writes('{"generation": 1}'))
        index = change.commit()
    assert index.derived("calibration") == path / "calibration-000002.json"
    index = add(path, [3])
    file = index.derived("calibration")
    assert file is not None
    assert json.loads(file.read_text()) == {"generation": 1}
    assert (index.manifest.generation, index.manifest.numbering) == (3, 1)
    assert compact(path).manifest.numbering == 4
    with changing_folder(path) as change:
        change.put("calibration", ".json", writes("{}"))
        index = change.commit()
    assert [each.name for each in path.glob("calibration*")] == ["calibration-000005.json"]
    with changing_folder(path) as change:
        change.drop("calibration")
        assert change.commit().derived("calibration") is None
        with pytest.raises(ValueError, match="photos"):
            change.put("photos", ".json", Path.touch)
    assert verify_index(path) == []


def test_stored_rows_stay_until_the_numbering_changes(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, range(1, 6))
    assert remove(path, [2, 4]).stored_rows.tolist() == [0, 2, 4]
    assert add(path, [6]).stored_rows.tolist() == [0, 2, 4, 5]
    assert compact(path).stored_rows.tolist() == [0, 1, 2, 3]


def test_many_small_adds_leave_few_segments(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    index = built(path, range(1, 101))
    for photo_id in range(101, 101 + MOST_SEGMENTS):
        index = add(path, [photo_id])
    # The large first one was left alone; all the small ones were joined when they had become too many.
    assert [segment.rows for segment in index.manifest.segments] == [100, MOST_SEGMENTS]
    check(index, range(1, 101 + MOST_SEGMENTS))
    assert verify_index(path) == []


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40))
def test_joining_leaves_at_most_so_many_segments(rows: list[int]) -> None:
    first = join_from(rows, 5)
    assert (first == len(rows)) == (len(rows) <= 5)
    assert min(first + 1, len(rows)) <= 5


def test_joining_copies_each_row_some_log_n_times() -> None:
    # 4000 adds of one photo each: by log2(4000) = 12, far from 4000 / 16 copies of each row.
    rows: list[int] = []
    copied = 0
    for _ in range(4000):
        rows.append(1)
        if (first := join_from(rows)) < len(rows):
            rows[first:] = [sum(rows[first:])]
            copied += rows[-1]
    assert copied / 4000 < 12


def test_records_that_do_not_go_together_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2])
    for wrong in (record(1, 2), replace(record(3, 2), photo="1.jpg"), record(3, 1)):
        with pytest.raises(IndexStoreError, match="can't be indexed together"):
            insert(path, wrong, descriptors_of([3]))
    with pytest.raises(IndexStoreError, match="row 5 of 3"):
        insert(path, record(3, 5), descriptors_of([3]))
    with pytest.raises(IndexStoreError, match="another model"), changing_folder(path) as change:
        change.append(np.zeros((1, DIM + 1), np.float32))
    for strange in (np.nan, 1e30):  # the second is beyond half precision
        with pytest.raises(IndexStoreError, match="Descriptor 1 holds"), changing_folder(path) as change:
            change.append(np.array([[0.0] * DIM, [strange] * DIM], np.float32))
    check(FolderIndex.open(path), [1, 2])
    assert verify_index(path) == []


def test_an_index_of_format_1_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "old.lf"
    index = built(path, [1, 2, 3])
    full = descriptors_of([1, 2, 3]).astype(np.float32)
    np.save(path / "descriptors.npy", full)
    # The table and the manifest as format 1 had them, written down from a folder of that time.
    with closing(sqlite3.connect(path / "photos.sqlite")) as old, old:
        old.execute(
            "CREATE TABLE photos (id INTEGER PRIMARY KEY, photo TEXT NOT NULL UNIQUE, content_hash TEXT NOT "
            "NULL, lat REAL NOT NULL, lon REAL NOT NULL, altitude_m REAL, heading_deg REAL, taken_at TEXT, "
            'bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, "row" INTEGER NOT NULL '
            "UNIQUE)"
        )
        for each in index.records():
            values = [each.id, each.photo, each.content_hash, each.lat, each.lon, None, None, None]
            marks = ", ".join("?" * 12)
            old.execute(f"INSERT INTO photos VALUES ({marks})", [*values, each.bytes, 64, 48, each.row])
        old.execute("CREATE INDEX photos_by_hash ON photos (content_hash)")
    told = {
        "format": 1,
        "created_by": "landfall 0.1.0",
        "photos": 3,
        "descriptor_dim": DIM,
        "descriptor_dtype": "float32",
        "model": json.loads(index.manifest.model.model_dump_json()),
        "root": "/photos",
        "files": {
            name: entry_of(path / name).model_dump()
            for name in ("photos.sqlite", "descriptors.npy", "model.safetensors")
        },
    }
    (path / "manifest.json").write_text(json.dumps(told))
    for name in ("photos-000001.sqlite", "descriptors-000001.npy"):
        (path / name).unlink()
    before = {each.name: each.read_bytes() for each in path.iterdir()}
    opened = FolderIndex.open(path)
    assert opened.records() == [replace(record(i, i - 1), mtime_ns=None) for i in (1, 2, 3)]
    assert [folder.root for folder in opened.folders().values()] == ["/photos"]
    assert opened.path_of(2) == Path("/photos/2.jpg")
    assert opened.search(full[1:2], 1)[0][0].id == 2
    assert verify_index(path) == []
    assert {each.name: each.read_bytes() for each in path.iterdir()} == before
    added = add(path, [4])
    assert (added.manifest.format, added.manifest.descriptor_dtype) == (2, "float32")
    assert [photo.id for photo in added.photos()] == [1, 2, 3, 4]
    np.testing.assert_array_equal(np.asarray(added.descriptors), descriptors_of([1, 2, 3, 4]))
    assert sorted(added.manifest.files) == [
        "descriptors-000001.npy", "descriptors.npy", "model.safetensors", "photos-000001.sqlite",
    ]  # fmt: skip
    assert verify_index(path) == []
    with changing_folder(path) as change:
        change.compact(half=True)
        halved = change.commit()
    assert halved.manifest.descriptor_dtype == "float16"
    assert not (path / "descriptors.npy").exists()
    assert verify_index(path) == []


def kill_many(path: Path, rounds: int, seed: int) -> str:
    lookup = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": lookup, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(path), str(rounds), str(seed)],
        env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_changes_killed_at_random_moments_leave_a_whole_index(tmp_path: Path) -> None:
    assert "6 kills" in kill_many(tmp_path / "i.lf", 6, seed=1)


@pytest.mark.trial
def test_fifty_kills(tmp_path: Path) -> None:
    told = kill_many(tmp_path / "i.lf", 50, seed=2)
    # Kills that met no change would show nothing.
    assert int(told.split(" kills, ")[1].split()[0]) > 10


def test_a_full_disk_leaves_the_last_generation(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, range(1, 200))
    # Files of this process may not grow beyond 12 KB: the copy of the records is larger, descriptors are not.
    code = f"""
import resource
from tests.index.test_change import add, remove, compact
resource.setrlimit(resource.RLIMIT_FSIZE, (12000, 12000))
from pathlib import Path
from landfall.errors import IndexStoreError
for change in (lambda path: add(path, [300]), lambda path: remove(path, [1]), compact):
    try:
        change(Path({str(path)!r}))
    except IndexStoreError as error:
        assert "can't be written" in str(error), error
    else:
        raise AssertionError("it was written")
"""
    lookup = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": lookup}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    check(FolderIndex.open(path), range(1, 200))
    assert verify_index(path) == []
    check(add(path, [300]), [*range(1, 200), 300])


def test_a_folder_that_can_only_be_read_is_read_and_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2])
    real_open = Path.open

    # Root may write anywhere, so the refusal is made where the system would.
    def read_only(self: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if set(mode) & set("wa+x") and self.is_relative_to(path):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))
        return real_open(self, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", read_only)
    check(FolderIndex.open(path), [1, 2])
    with pytest.raises(IndexStoreError, match=r"can't be written: Read-only file system"):
        add(path, [3])


def spoil(path: Path, statement: str) -> None:
    """Change the records behind the manifest's back, and its hash with them."""
    manifest = json.loads((path / "manifest.json").read_text())
    name = manifest["records"]
    with closing(sqlite3.connect(path / name)) as records, records:
        records.execute(statement)
    manifest["files"][name] = entry_of(path / name).model_dump()
    (path / "manifest.json").write_text(json.dumps(manifest))


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    whole = built(tmp_path / "whole.lf", [1, 2, 3]).path
    assert verify_index(whole) == []

    def after(change: Any) -> str:
        path = tmp_path / "spoilt.lf"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(whole, path)
        change(path)
        (problem,) = verify_index(path)
        return f"{problem.where}: {problem.reason}"

    def put_nan(path: Path) -> None:
        name = "descriptors-000001.npy"
        array = descriptors_of([1, 2, 3])
        array[1, 2] = np.nan
        np.save(path / name, array)
        manifest = json.loads((path / "manifest.json").read_text())
        manifest["files"][name] = entry_of(path / name).model_dump()
        (path / "manifest.json").write_text(json.dumps(manifest))

    def other_model(path: Path) -> None:
        manifest = json.loads((path / "manifest.json").read_text())
        manifest["model"]["sha256"] = "0" * 64
        (path / "manifest.json").write_text(json.dumps(manifest))

    def cut(path: Path) -> None:
        file = path / "descriptors-000001.npy"
        file.write_bytes(file.read_bytes()[:-1] + b"x")

    assert "descriptors-000001.npy: its bytes are not" in after(cut)
    assert "2.jpg: descriptor 1 holds NaN" in after(put_nan)
    assert "model.safetensors: its weights are" in after(other_model)
    assert "rows 0 to 9 are used; 3 are stored" in after(
        lambda p: spoil(p, 'UPDATE photos SET "row" = 9 WHERE id = 3')
    )
    assert "it has 2 photos" in after(lambda p: spoil(p, "DELETE FROM photos WHERE id = 3"))
    assert "of no known folder" in after(lambda p: spoil(p, "UPDATE photos SET folder = 7 WHERE id = 3"))
    assert "outside -90 to 90" in after(lambda p: spoil(p, "UPDATE photos SET lat = 91 WHERE id = 3"))


def test_verify_looks_at_photos_when_asked(tmp_path: Path) -> None:
    path = built(tmp_path / "i.lf", [1, 2]).path
    assert verify_index(path) == []
    problems = verify_index(path, photos=True)
    assert [problem.where for problem in problems] == ["1.jpg", "2.jpg"]
