"""Broken files, hostile files, kills: each is named, the rest is done, nothing stored is half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PLACES = 6


def huge_png(path: Path, side: int) -> None:
    """Write a PNG whose header promises side x side pixels, as a decompression bomb does."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.fixture
def troubled(street: Path, tmp_path: Path) -> Path:
    """The street with every kind of trouble among its photos, all of them listed with a position in a CSV."""
    from PIL import Image

    photos = tmp_path / "mit Ärger"
    shutil.copytree(street / "photos", photos)
    good = (photos / "first pass" / "0-0.jpg").read_bytes()
    (photos / "truncated.jpg").write_bytes(good[: len(good) // 2])
    (photos / "empty.jpg").touch()
    (photos / "text.jpg").write_text("no photo at all")
    Image.new("RGB", (1, 1)).save(photos / "one pixel.jpg")
    huge_png(photos / "huge.png", 20_000)
    (photos / "fenêtre über allem.jpg").write_bytes(good)
    (photos / "loop").symlink_to(photos, target_is_directory=True)
    return photos


def test_each_broken_file_is_named_and_the_rest_indexed(
    troubled: Path, landfall: Run, tmp_path: Path
) -> None:
    done = landfall("index", "build", troubled, "--out", tmp_path / "i.lf", "--json", tmp_path / "told.json")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["indexed"] == 2 * PLACES + 1
    reasons = {skip["photo"]: skip["reason"] for skip in told["skipped"]}
    expected = {
        "truncated.jpg": "truncated",
        "empty.jpg": "empty",
        "text.jpg": "not a photo",
        "one pixel.jpg": "1 x 1",
        "huge.png": "pixels",
        "loop": "leads back",
    }
    assert set(reasons) == set(expected)
    for photo, word in expected.items():
        assert word in reasons[photo].lower().replace("1x1", "1 x 1"), (photo, reasons[photo])
        assert photo in done.stderr


def test_a_read_error_is_named_and_the_rest_indexed(street: Path, tmp_path: Path) -> None:
    # The disk fails under one file: injected, because root may read anything that can be made unreadable.
    arguments = ["index", "build", str(street / "photos"), "--out", str(tmp_path / "i.lf"), "--json", "-"]
    script = f"""
import pathlib, sys
real_open = pathlib.Path.open
def broken(self, *arguments, **options):
    if self.name == "2-1.jpg":
        raise OSError(5, "Input/output error")
    return real_open(self, *arguments, **options)
pathlib.Path.open = broken
from landfall.cli.main import main
sys.argv = ["landfall", *{arguments!r}]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["indexed"] == 2 * PLACES - 1
    (skip,) = told["skipped"]
    assert skip["photo"] == "first pass/2-1.jpg"
    assert "Input/output error" in skip["reason"]


def contents(index: Path) -> dict[str, bytes]:
    """Return the bytes of an index's files."""
    return {path.name: path.read_bytes() for path in sorted(index.iterdir())}


def test_a_build_killed_three_times_ends_as_an_undisturbed_one(street: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("landfall")

    def build(out: Path) -> list[str]:
        options = ["--batch-size", "1", "--workers", "1", "--quiet"]
        return [str(command), "index", "build", str(street / "photos"), "--out", str(out), *options]

    undisturbed, killed = tmp_path / "undisturbed.lf", tmp_path / "killed.lf"
    started = time.monotonic()
    subprocess.run(build(undisturbed), check=True, timeout=240)
    whole_s = time.monotonic() - started
    kills = 0
    for share in (0.5, 0.7, 0.85):
        process = subprocess.Popen(build(killed), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.communicate(timeout=whole_s * share)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
    if not (killed / "manifest.json").exists():
        subprocess.run(build(killed), check=True, timeout=240)
    assert kills >= 1
    assert contents(killed) == contents(undisturbed)


def test_an_interrupt_says_that_work_is_kept(street: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("landfall")
    arguments = [
        "index",
        "build",
        str(street / "photos"),
        "--out",
        str(tmp_path / "i.lf"),
        "--batch-size",
        "1",
    ]
    process = subprocess.Popen(
        [command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        # A shell starts what it runs in the background with Ctrl-C ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    # Its first words come when it has begun and is far from done.
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=240)
    assert process.returncode == 130, told
    assert "go on" in told
    assert "Traceback" not in told
