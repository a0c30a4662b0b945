"""An index in an embedded store, from its build to its end, through the commands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import PLACES, picture, place_of

from landfall.photos import write_jpeg

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.usefixtures("milvus")


def test_an_index_in_a_store_lives(street: Path, street_index: Path, landfall: Run, tmp_path: Path) -> None:
    def told(*arguments: object, code: int = 0) -> Any:
        done = landfall(*arguments, "--json", "-", "--quiet", cwd=tmp_path)
        assert done.returncode == code, done.stderr
        assert not done.stderr
        return json.loads(done.stdout)

    index, store = tmp_path / "town.lf", "milvus:town.db/photos"
    built = told("index", "build", street / "photos", "--out", index, "--store", store)
    assert built["indexed"] == 2 * PLACES
    for place, fix in enumerate(told("localize", street / "queries", "--index", index)):
        assert [match["photo"][:13] for match in fix["matches"][:2]] == [f"first pass/{place}-"] * 2
        assert fix["lat"] == pytest.approx(place_of(place).lat, abs=1e-6)
    later = tmp_path / "later"
    later.mkdir()
    write_jpeg(later / "new.jpg", picture(20), location=place_of(20))
    added = told("index", "add", index, later)
    assert (added["added"], added["indexed"], added["failed"]) == (1, 2 * PLACES + 1, 0)
    removed = told("index", "remove", index, "first pass/0-0.jpg", "--match", "*/1-?.jpg")
    assert (removed["removed"], removed["indexed"]) == (3, 2 * PLACES - 2)
    (later / "new.jpg").rename(later / "moved.jpg")
    updated = told("index", "update", index)
    assert (updated["added"], updated["moved"], updated["indexed"]) == (3, 1, 2 * PLACES + 1)
    assert told("index", "verify", index, "--photos") == {"index": str(index), "problems": []}
    for verb, instead in (
        (("compact", index), "by itself"),
        (("tune", index, "--search", "sq8"), "index=flat, ivf_flat or hnsw"),
        (("tune", index, "--report", tmp_path / "report"), "index=flat, ivf_flat or hnsw"),
        (("tune", index, "--whiten", 4), "a model of shorter descriptors"),
    ):
        refused = landfall("index", *verb)
        assert refused.returncode == 2
        assert f"keeps its photos in milvus://{tmp_path}/town.db/photos" in refused.stderr
        assert instead in refused.stderr
    merged = landfall("index", "merge", index, street_index, "--json", "-")
    assert json.loads(merged.stdout)["added"] == 0, merged.stderr
    assert "Traceback" not in merged.stderr


@pytest.mark.parametrize(
    ("store", "why"),
    [
        ("milvus://root:secret@h/c", "LANDFALL_MILVUS_TOKEN"),
        ("elsewhere", "is no store"),
        ("milvus:///no/such/place/a.db/c", "is not there"),
    ],
)
def test_a_store_that_can_not_be_is_refused_at_once(
    street: Path, landfall: Run, tmp_path: Path, store: str, why: str
) -> None:
    done = landfall("index", "build", street / "photos", "--out", tmp_path / "i.lf", "--store", store)
    assert done.returncode == 2
    assert why in done.stderr
    assert "secret" not in done.stderr


def test_a_kind_of_search_of_folders_is_refused_before_anything_is_described(
    street: Path, landfall: Run, tmp_path: Path
) -> None:
    out, store = tmp_path / "i.lf", "milvus://db.example.org/town"
    done = landfall("index", "build", street / "photos", "--out", out, "--store", store, "--search", "sq8")
    assert done.returncode == 2
    assert "milvus://db.example.org:19530/town?index=hnsw" in done.stderr
    assert not out.exists()
