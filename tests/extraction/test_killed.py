"""kill -9 of a real process at many moments; run again, the result is that of an undisturbed run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.extraction.conftest import GridModel

from landfall.errors import UsageError
from landfall.extraction import Descriptors, extract

SCRIPT = Path(__file__).with_name("killed_extraction.py")
ROOT = Path(__file__).parents[2]


def start(folder: Path, out: Path, seconds: float, *kill: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(folder), str(out), str(seconds), *kill]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def undisturbed(paths: list[Path], out: Path) -> tuple[bytes, dict[str, Any]]:
    extract(paths, [path.name for path in paths], GridModel(), out, batch_size=2)
    return contents(out)


def contents(out: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the array's bytes and the JSON but for how long it took."""
    told = json.loads(out.with_name(out.name + ".json").read_text(encoding="utf-8"))
    del told["seconds"]
    return out.read_bytes(), told


def journal_lines(out: Path) -> int:
    journal = out.with_name(out.name + ".partial") / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def test_killed_three_times_while_it_describes_it_goes_on(broken_paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "killed.npy"
    reached = [0]
    for goal in (1, 4, 8):  # of eleven batches
        process = start(broken_paths[0].parent, out, 0.1)
        deadline = time.monotonic() + 60
        while journal_lines(out) < goal and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        _, told = process.communicate()
        assert process.returncode == -signal.SIGKILL, told.decode()
        reached.append(journal_lines(out))
        with pytest.raises(UsageError, match="not finished"):
            Descriptors.open(out)
    assert reached == sorted(set(reached)), "each run goes on from the one before"

    model = GridModel()
    seen: list[int] = []
    extract(
        broken_paths,
        [path.name for path in broken_paths],
        model,
        out,
        batch_size=2,
        progress=lambda progress: seen.append(progress.done),
    )
    assert seen[0] == 2 * reached[-1]
    # One call for the probe, and none again for the batches in the journal; no batch lost both its photos.
    assert len(model.shapes) == 1 + 11 - reached[-1]
    assert contents(out) == undisturbed(broken_paths, tmp_path / "undisturbed.npy")
    assert not out.with_name("killed.npy.partial").exists()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "name", ["header.json", "descriptors.npy", "kept.npy", "result.json", "out.npy", "out.npy.json"]
)
def test_killed_around_any_rename_it_goes_on(
    broken_paths: list[Path], tmp_path: Path, moment: str, name: str
) -> None:
    out = tmp_path / "out.npy"
    process = start(broken_paths[0].parent, out, 0.0, moment, name)
    _, told = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, told.decode()

    extract(broken_paths, [path.name for path in broken_paths], GridModel(), out, batch_size=2)
    assert contents(out) == undisturbed(broken_paths, tmp_path / "undisturbed.npy")
    assert not out.with_name("out.npy.partial").exists()


def test_a_second_process_is_kept_out(paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.npy"
    process = start(paths[0].parent, out, 0.2)
    try:
        deadline = time.monotonic() + 60
        while journal_lines(out) < 1 and time.monotonic() < deadline:
            time.sleep(0.005)
        with pytest.raises(UsageError, match="Another process is extracting"):
            extract(paths, [path.name for path in paths], GridModel(), out, batch_size=2)
    finally:
        process.kill()
        process.communicate()
