"""``landfall demo`` as a command, on the smallest city, with the model that it takes by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
QUERIES = 8  # of the tiny city


def test_the_demo_says_where_its_page_is_and_a_broken_photo_ends_it_with_1(
    landfall: Run, tmp_path: Path
) -> None:
    done = landfall("demo", "--size", "tiny", "--out", "made", "--json", "told.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Open made/report.html" in done.stdout
    assert (tmp_path / "made" / "report.html").is_file()
    assert "Drawing: 56/56" in done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["report"] == "made/report.html"
    assert "synthetic" in told["data"]
    assert told["evaluation"]["queries"] == QUERIES
    assert told["evaluation"]["model"] == "densevlad"

    broken = next((tmp_path / "made/city/images/test/queries").glob("*.jpg"))
    broken.write_bytes(b"")
    again = landfall("demo", "--size", "tiny", "--out", "made", "--json", "-", "--quiet", cwd=tmp_path)
    assert again.returncode == 1, again.stderr
    told = json.loads(again.stdout)
    (failed,) = told["evaluation"]["failed"]
    assert failed["photo"] == f"images/test/queries/{broken.name}"
    assert "empty" in failed["reason"]
    # The city, all but the broken photo, and the index are those of the first run.
    assert told["seconds"]["build the index"] == pytest.approx(0.0, abs=1.0)
