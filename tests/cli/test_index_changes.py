"""An index that is changed through its commands."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import PLACES, picture, place_of

from landfall.photos import write_jpeg

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def own_index(street_index: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(street_index, tmp_path / "own.lf"))


def test_an_index_lives(own_index: Path, street: Path, landfall: Run, tmp_path: Path) -> None:
    def told(*arguments: object, code: int = 0) -> Any:
        done = landfall("index", *arguments, "--json", "-", "--quiet")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    later = tmp_path / "later"
    later.mkdir()
    write_jpeg(later / "new.jpg", picture(20), location=place_of(20))
    (later / "empty.jpg").touch()
    added = told("add", own_index, later, "--model", "densevlad", code=1)
    assert (added["added"], added["indexed"], added["failed"]) == (1, 2 * PLACES + 1, 1)
    assert [skip["photo"] for skip in added["skipped"]] == ["empty.jpg"]
    removed = told("remove", own_index, "first pass/0-0.jpg", "--id", 2 * PLACES + 1, "--match", "*/1-?.jpg")
    assert (removed["removed"], removed["indexed"]) == (4, 2 * PLACES - 3)
    # What was removed is still in the street's folder, so an update of that brings it back.
    updated = told("update", own_index, street / "photos")
    assert (updated["added"], updated["unchanged"], updated["indexed"]) == (3, 2 * PLACES - 3, 2 * PLACES)
    assert told("compact", own_index)["indexed"] == 2 * PLACES
    info = json.loads(landfall("index", "info", own_index, "--photos", "--json", "-").stdout)
    assert (info["indexed"], info["dead_rows"], info["segments"]) == (2 * PLACES, 0, 1)
    assert len(info["photos"]) == 2 * PLACES
    assert told("verify", own_index, "--photos") == {"index": str(own_index), "problems": []}
    merged = told("merge", tmp_path / "all.lf", own_index)
    assert merged["added"] == merged["indexed"] == 2 * PLACES


def test_thumbnails_are_kept_and_taken_out(street: Path, landfall: Run, tmp_path: Path) -> None:
    def told(*arguments: object) -> Any:
        done = landfall("index", *arguments, "--json", "-", "--quiet")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    out = tmp_path / "pictured.lf"
    told("build", street / "photos", "--out", out, "--thumbnail-px", 32)
    assert told_of(landfall, out)["longest_side_px"] == 32
    told("remove", out, "--match", "*/1-?.jpg")
    told("compact", out)
    assert told_of(landfall, out)["stored"] == 2 * PLACES - 2
    assert told("thumbnails", out)["unchanged"] == 2 * PLACES - 2
    assert told("thumbnails", out, "--px", 64)["changed"] == 2 * PLACES - 2
    assert told("verify", out)["problems"] == []
    told("thumbnails", out, "--none")
    assert told_of(landfall, out) is None
    assert landfall("index", "thumbnails", out, "--none", "--px", 64).returncode == 2


def told_of(landfall: Run, index: Path) -> Any:
    return json.loads(landfall("index", "info", index, "--json", "-").stdout)["thumbnails"]


def test_a_damaged_index_ends_with_1_and_wrong_usage_with_2(
    own_index: Path, landfall: Run, tmp_path: Path
) -> None:
    wrong = landfall("index", "remove", own_index, "first pass/0-0.jpeg")
    assert wrong.returncode == 2
    assert "Did you mean first pass/0-0.jpg" in wrong.stderr
    file = own_index / "descriptors-000001.npy"
    file.write_bytes(file.read_bytes()[:-1])
    done = landfall("index", "verify", own_index, "--json", tmp_path / "told.json")
    assert done.returncode == 1
    assert "descriptors-000001.npy: it has" in done.stderr
    assert "1 problems" in done.stdout
    assert json.loads((tmp_path / "told.json").read_text())["problems"][0]["where"] == file.name
