from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.errors import UsageError
from landfall.files import (
    beside,
    hash_bytes,
    hash_stream,
    hold,
    read_json,
    sync,
    write_bytes,
    write_json,
    write_text,
    written_beside,
)

ROOT = Path(__file__).parents[1]

KILLED = """
import sys
from pathlib import Path
from tests.dying import die_around
from landfall.files import write_text
die_around(sys.argv[2], "file")
write_text(Path(sys.argv[1]), "new", durable=True)
"""
HOLDING = """
import sys, time
from pathlib import Path
from landfall.files import hold
with hold(Path(sys.argv[1]), RuntimeError()):
    print("holding", flush=True)
    time.sleep(60)
"""


def start(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    return path


def test_a_file_is_replaced_by_the_whole_of_the_new_one(old: Path) -> None:
    with written_beside(old) as working:
        assert working == beside(old) == old.with_name("file.tmp")
        working.write_text("ne", encoding="utf-8")
        assert old.read_text(encoding="utf-8") == "old"
        working.write_text("new", encoding="utf-8")
    assert old.read_text(encoding="utf-8") == "new"
    assert names(old.parent) == ["file"]


@pytest.mark.parametrize(("moment", "left"), [("before", "old"), ("after", "new")])
def test_a_kill_around_the_rename_leaves_the_old_file_or_the_new_one(
    old: Path, moment: str, left: str
) -> None:
    process = start(KILLED, str(old), moment)
    _, told = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, told.decode()
    assert old.read_text(encoding="utf-8") == left
    write_text(old, "third")  # whatever the killed one left beside it
    assert old.read_text(encoding="utf-8") == "third"
    assert names(old.parent) == ["file"]


@pytest.mark.parametrize("error", [ValueError("no number"), KeyboardInterrupt()])
def test_a_block_that_raises_leaves_the_old_file_and_nothing_beside_it(
    old: Path, error: BaseException
) -> None:
    def fail() -> None:
        with written_beside(old) as working:
            working.write_text("half", encoding="utf-8")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert old.read_text(encoding="utf-8") == "old"
    assert names(old.parent) == ["file"]


def test_a_value_that_is_no_json_leaves_the_old_file(old: Path) -> None:
    with pytest.raises(TypeError):
        write_json(old, ["written before the end is looked at", object()])
    assert old.read_text(encoding="utf-8") == "old"
    assert names(old.parent) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_passes_through_as_what_it_is(
    old: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left on device") as told:
        write_bytes(old, b"new", durable=True)
    assert told.value.errno == errno.ENOSPC
    assert old.read_text(encoding="utf-8") == "old"
    assert names(old.parent) == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_is_really_full_passes_through(old: Path) -> None:
    beside(old).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        write_text(old, "new")
    assert old.read_text(encoding="utf-8") == "old"
    assert names(old.parent) == ["file"]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("old", encoding="utf-8")
    link, chained, hanging = tmp_path / "link", tmp_path / "chained", tmp_path / "hanging"
    link.symlink_to(Path("real") / "file")
    chained.symlink_to(link)
    hanging.symlink_to(Path("real") / "new")
    with written_beside(chained, durable=True) as working:
        assert working == tmp_path / "real" / "file.tmp"
        working.write_text("new", encoding="utf-8")
        assert link.read_text(encoding="utf-8") == "old"
    assert link.read_text(encoding="utf-8") == "new"
    write_text(hanging, "made")
    assert (tmp_path / "real" / "new").read_text(encoding="utf-8") == "made"
    assert all(path.is_symlink() for path in (link, chained, hanging))
    assert names(tmp_path) == ["chained", "hanging", "link", "real"]
    assert names(tmp_path / "real") == ["file", "new"]


def test_links_in_a_loop_pass_through(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        write_text(tmp_path / "loop", "new")
    assert (tmp_path / "loop").is_symlink()


def test_a_link_to_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path) == ["folder", "link"]


@pytest.mark.parametrize("durable", [False, True])
def test_a_fifo_gets_the_content_and_stays(tmp_path: Path, durable: bool) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # Opened for both, it neither waits for a writer nor loses what came before a reader.
    reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    try:
        write_json(fifo, {"a": 1}, durable=durable)
        assert os.read(reader, 100) == b'{"a": 1}'
    finally:
        os.close(reader)
    assert fifo.is_fifo()
    assert names(tmp_path) == ["fifo"]


def test_a_block_that_raises_leaves_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError), written_beside(tmp_path / "fifo"):
        raise ValueError
    assert (tmp_path / "fifo").is_fifo()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="there is no /dev/fd here")
def test_an_open_pipe_and_a_file_without_a_name_are_written_by_their_descriptors(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    try:
        write_text(Path(f"/dev/fd/{writer}"), "new")
        assert os.read(reader, 100) == b"new"
    finally:
        os.close(reader)
        os.close(writer)
    with (tmp_path / "file").open("w+", encoding="utf-8") as file:
        (tmp_path / "file").unlink()
        write_text(Path(f"/dev/fd/{file.fileno()}"), "new")
        assert file.read() == "new"
    assert not names(tmp_path)


def test_a_device_is_written_into_and_stays_one(tmp_path: Path) -> None:
    full = tmp_path / "full"
    try:
        os.mknod(full, stat.S_IFCHR | 0o666, os.makedev(1, 7))  # /dev/full's own numbers under Linux
        with full.open("wb"):
            pass
    except OSError:
        pytest.skip("devices can't be made here")
    with pytest.raises(OSError, match="No space left on device"):
        write_text(full, "new")
    assert full.is_char_device()
    assert names(tmp_path) == ["full"]


def test_a_missing_folder_and_a_folder_in_the_way_pass_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "none" / "file", "new")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path / "folder", "new")
    assert names(tmp_path) == ["folder"]


def test_a_folder_beside_it_is_not_ours_and_stays(tmp_path: Path) -> None:
    (tmp_path / "file.tmp").mkdir()
    (tmp_path / "file.tmp" / "photo.jpg").touch()
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path / "file", "new")
    assert names(tmp_path / "file.tmp") == ["photo.jpg"]


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def make(fail: bool) -> None:
        with written_beside(tmp_path / "folder") as working:
            working.mkdir()
            (working / "photo.jpg").touch()
            if fail:
                raise ValueError

    with pytest.raises(ValueError):
        make(fail=True)
    assert not names(tmp_path)
    make(fail=False)
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["photo.jpg"]


@pytest.mark.parametrize("durable", [False, True])
def test_only_what_is_durable_waits_for_the_disk_and_before_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    waited: list[tuple[bool, int]] = []

    def watch(descriptor: int) -> None:
        waited.append(((tmp_path / "file").exists(), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", watch)
    write_json(tmp_path / "file", [1, 2, 3], durable=durable)
    assert waited == ([(False, len("[1, 2, 3]"))] if durable else [])
    sync(tmp_path / "file")
    assert waited[-1] == (True, len("[1, 2, 3]"))


def test_text_is_utf8_with_the_line_ends_it_came_with(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "straße\nå\r\n")
    assert (tmp_path / "file").read_bytes() == b"stra\xc3\x9fe\n\xc3\xa5\r\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(value=JSON)
def test_json_reads_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    folder = tmp_path_factory.mktemp("json")
    write_json(folder / "file", value)
    assert json.loads((folder / "file").read_text(encoding="utf-8")) == value
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b'{"a": [1]}', {"a": [1]}),
        (b'{"a": [1]', None),
        (b"[1]", None),
        (b"", None),
        (b'{"a": "\xff"}', None),
        (None, None),
    ],
    ids=["an object", "half an object", "a list", "empty", "no UTF-8", "missing"],
)
def test_only_a_whole_object_is_read(tmp_path: Path, content: bytes | None, read: object) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    assert read_json(tmp_path / "file") == read


def test_what_cannot_be_read_is_not_taken_for_missing(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_json(tmp_path)


def test_a_held_lock_raises_the_callers_error_until_its_holder_dies(tmp_path: Path) -> None:
    lock = tmp_path / "made" / "on the way" / "lock"
    busy = UsageError("somebody is at work")
    process = start(HOLDING, str(lock))
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"holding\n"
        with pytest.raises(UsageError) as told:
            hold(lock, busy)
        assert told.value is busy
    finally:
        process.kill()
        process.communicate()
    with hold(lock, busy), pytest.raises(UsageError, match="somebody is at work"):
        hold(lock, busy)
    hold(lock, busy).close()


def test_a_lock_that_cannot_be_made_is_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        hold(tmp_path / "file" / "lock", UsageError("busy"))


def test_the_hash_is_blake2b_of_128_bits(tmp_path: Path) -> None:
    content = bytes(range(256)) * 3000  # more than is read at once
    expected = hashlib.blake2b(content, digest_size=16).hexdigest()
    (tmp_path / "file").write_bytes(content)
    assert hash_bytes(content) == expected
    with (tmp_path / "file").open("rb") as file:
        assert hash_stream(file) == expected
