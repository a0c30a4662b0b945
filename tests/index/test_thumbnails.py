"""Thumbnails in an index: each photo's own, kept through every change, gone with it."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.index.changes import any_changes, built, check, enter, put_thumbnails, removed, thumbnail_of

from landfall.errors import IndexStoreError
from landfall.index import FolderIndex, ThumbnailsWriting, verify_index
from landfall.index.change import MOST_SEGMENTS, changing_folder
from landfall.index.manifest import entry_of


def add(path: Path, *ids: int) -> FolderIndex:
    with changing_folder(path) as change:
        enter(change, ids)
        return change.commit()


def remove(path: Path, *ids: int) -> FolderIndex:
    with changing_folder(path) as change:
        change.records.delete(ids)
        return change.commit()


def compact(path: Path) -> FolderIndex:
    with changing_folder(path) as change:
        change.compact()
        return change.commit()


def stored(index: FolderIndex) -> set[str]:
    """Return the hashes of every picture in the files, by a plain look into them."""
    told = index.manifest.thumbnails
    found: set[str] = set()
    for name in () if told is None else told.files:
        with closing(sqlite3.connect(index.path / name)) as file:
            found.update(each for (each,) in file.execute("SELECT content_hash FROM thumbnails"))
    return found


@settings(max_examples=8)
@given(any_changes(most_added=3, most=6))
def test_every_photo_has_its_own_thumbnail_after_any_changes(changes: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "i.lf"
        present, next_id = [1, 2, 3], 4
        index = built(path, present, thumbnails=True)
        for kind, number in changes:
            if kind == "add":
                fresh = list(range(next_id, next_id + number))
                index, present, next_id = add(path, *fresh), present + fresh, next_id + number
            elif kind == "remove":
                gone = removed(present, number)
                index = remove(path, *gone)
                present = [photo_id for photo_id in present if photo_id not in gone]
                assert [index.thumbnail(photo_id) for photo_id in gone] == [None] * len(gone)
            else:
                index = compact(path)
                assert stored(index) == {f"hash{photo_id}" for photo_id in present}
        check(index, present)
        assert verify_index(path) == []


def test_a_removed_photo_is_not_shown_and_compacting_takes_its_picture_out_of_the_files(
    tmp_path: Path,
) -> None:
    path = tmp_path / "i.lf"
    opened = built(path, [1, 2, 3], thumbnails=True)
    index = remove(path, 2)
    assert index.thumbnail(2) is None
    compacted = compact(path)
    assert not any(thumbnail_of(2)[2:-2] in file.read_bytes() for file in path.iterdir())
    check(compacted, [1, 3])
    # Whoever had opened it before goes on showing what it had.
    assert opened.thumbnail(2) == thumbnail_of(2)


def test_what_gives_back_no_room_copies_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2], thumbnails=True)
    with changing_folder(path) as change:
        change.compact(half=True)
        index = change.commit()
    assert index.manifest.shown_files == {"thumbnails-000001.sqlite"}
    check(index, [1, 2])


def test_adding_leaves_what_is_there_alone_and_many_small_files_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    index = built(path, range(1, 101), thumbnails=True)
    first = (path / "thumbnails-000001.sqlite").stat()
    for photo_id in range(101, 101 + MOST_SEGMENTS):
        index = add(path, photo_id)
    after = (path / "thumbnails-000001.sqlite").stat()
    assert (after.st_ino, after.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    told = index.manifest.thumbnails
    assert told is not None
    assert [segment.pictures for segment in told.segments] == [100, MOST_SEGMENTS]
    check(index, range(1, 101 + MOST_SEGMENTS))
    assert verify_index(path) == []


def test_an_index_without_thumbnails_is_written_as_before(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    index = add(built(path, [1, 2]).path, 3)
    told = json.loads((path / "manifest.json").read_text())
    assert told["format"] == 2
    assert "thumbnails" not in told
    assert (index.has_thumbnails, index.thumbnail(1), index.info()["thumbnails"]) == (False, None, None)
    with changing_folder(path) as change:
        change.show_photos(480)
        with change.writing_thumbnails() as file:
            put_thumbnails(file, [1, 3])
        index = change.commit()
    assert json.loads((path / "manifest.json").read_text())["format"] == 3
    assert [index.thumbnail(i) for i in (1, 2, 3, 4)] == [thumbnail_of(1), None, thumbnail_of(3), None]
    assert index.info()["thumbnails"]["stored"] == 2
    with changing_folder(path) as change:
        change.hide_photos()
        index = change.commit()
    assert (index.has_thumbnails, index.thumbnail(1)) == (False, None)
    assert json.loads((path / "manifest.json").read_text())["format"] == 2
    assert not [file for file in path.iterdir() if file.name.startswith("thumbnails")]


def test_unfinished_pictures_are_gone_on_with_and_never_reach_into_a_committed_file(tmp_path: Path) -> None:
    path = tmp_path / "i.lf"
    built(path, [1, 2, 3], thumbnails=True)
    with changing_folder(path) as change:
        change.work.mkdir()
        work = change.work / "pictures.sqlite"
        with ThumbnailsWriting(work) as file:
            put_thumbnails(file, [4])
        change.append_thumbnails(work)
        index = change.commit()
    # As a process that died right after its commit leaves it: the work file is still there.
    (name,) = index.manifest.shown_files - {"thumbnails-000001.sqlite"}
    before = (path / name).read_bytes()
    with ThumbnailsWriting(work) as file:
        assert file.held(["hash4", "hash5"]) == {"hash4"}
        put_thumbnails(file, [5])
        assert file.held(["hash4", "hash5"]) == {"hash4", "hash5"}
    assert (path / name).read_bytes() == before
    assert verify_index(path) == []


def test_a_damaged_thumbnail_is_told_by_verify_and_stops_no_answer(tmp_path: Path) -> None:
    path = built(tmp_path / "i.lf", [1, 2], thumbnails=True).path
    name = "thumbnails-000001.sqlite"
    whole = (path / name).read_bytes()
    at = whole.index(thumbnail_of(1)[2:40])
    (path / name).write_bytes(whole[:at] + b"x" + whole[at + 1 :])
    assert len(FolderIndex.open(path)) == 2
    (problem,) = verify_index(path)
    assert (problem.where, problem.reason) == (name, "its bytes are not those that were written")

    def spoil(statement: str) -> list[str]:
        (path / name).write_bytes(whole)
        with closing(sqlite3.connect(path / name)) as file, file:
            file.execute(statement)
        manifest: dict[str, Any] = json.loads((path / "manifest.json").read_text())
        manifest["files"][name] = entry_of(path / name).model_dump()
        (path / "manifest.json").write_text(json.dumps(manifest))
        return [problem.reason for problem in verify_index(path)]

    assert spoil("UPDATE thumbnails SET jpeg = x'00ff' WHERE content_hash = 'hash1'") == [
        "1 of its pictures are no whole JPEG"
    ]
    assert spoil("DELETE FROM thumbnails WHERE content_hash = 'hash1'") == [
        "it has 1 pictures, and the manifest tells of 2"
    ]
    os.truncate(path / name, 100)
    with pytest.raises(IndexStoreError, match=r"thumbnails-000001\.sqlite is damaged"):
        FolderIndex.open(path)
