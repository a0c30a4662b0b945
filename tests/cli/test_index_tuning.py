"""How sure and how fast: the verbs and options that rest on more than descriptors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import PLACES, Run, place_of


@pytest.fixture(scope="module")
def index(street: Path, landfall: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "street.lf"
    done = landfall("index", "build", street / "photos", "--out", out)
    assert done.returncode == 0, done.stderr
    # Twelve photos teach nothing, and the build says so.
    assert "can't be calibrated: it has 12 photos" in done.stderr
    return out


def test_an_index_too_small_to_calibrate_says_why_and_answers_have_no_confidence(
    index: Path, street: Path, landfall: Run
) -> None:
    done = landfall("index", "calibrate", index, "--json", "-")
    assert done.returncode == 1
    assert json.loads(done.stdout)["calibration"] is None
    assert "at least 60" in json.loads(done.stdout)["reason"]
    found = json.loads(landfall("localize", street / "queries", "--index", index, "--json", "-").stdout)
    assert {(fix["confidence"], fix["radius_m"], fix["accepted"]) for fix in found} == {(None, None, None)}
    told = landfall("index", "info", index).stdout
    assert "calibration      none: it has 12 photos" in told


def test_tune_changes_how_it_is_searched_and_not_what_is_found(
    index: Path, street: Path, landfall: Run, tmp_path: Path
) -> None:
    before = json.loads(landfall("localize", street / "queries", "--index", index, "--json", "-").stdout)
    done = landfall("index", "tune", index, "--search", "sq8", "--report", tmp_path / "report", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["search"]["kind"] == "sq8"
    assert json.loads((tmp_path / "report" / "search.json").read_text())["photos"] == 2 * PLACES
    assert json.loads(landfall("index", "info", index, "--json", "-").stdout)["search"]["kind"] == "sq8"
    after = json.loads(landfall("localize", street / "queries", "--index", index, "--json", "-").stdout)
    assert after == before
    assert landfall("index", "verify", index).returncode == 0
    assert landfall("index", "tune", index, "--quiet").returncode == 0
    assert json.loads(landfall("index", "info", index, "--json", "-").stdout)["search"] is None


def test_unknown_kinds_are_told_with_the_close_ones(index: Path, landfall: Run) -> None:
    done = landfall("index", "tune", index, "--search", "binery")
    assert done.returncode == 2
    assert "binary" in done.stderr


def test_photos_are_looked_for_near_a_place(index: Path, street: Path, landfall: Run) -> None:
    near = f"{place_of(2).lat},{place_of(2).lon}"
    done = landfall(
        "localize", street / "queries", "--index", index, "--near", near, "--within", "50m", "--json", "-"
    )
    assert done.returncode == 0, done.stderr
    names = {match["photo"].split("/")[-1] for fix in json.loads(done.stdout) for match in fix["matches"]}
    assert names == {"2-0.jpg", "2-1.jpg"}
    nowhere = landfall("localize", street / "queries", "--index", index, "--near", "0,0", "--within", "1km")
    assert nowhere.returncode == 2
    assert "None of the 12 photos" in nowhere.stderr


def test_the_geometric_check_counts_what_agrees(index: Path, street: Path, landfall: Run) -> None:
    done = landfall(
        "localize", street / "queries", "--index", index, "--verify", "always", "--json", "-", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    for place, fix in enumerate(json.loads(done.stdout)):
        assert fix["matches"][0]["photo"].split("/")[-1].startswith(f"{place}-")
        assert all(match["inliers"] is not None for match in fix["matches"])
    assert landfall("localize", street / "queries", "--index", index, "--verify", "maybe").returncode == 2


def test_a_kind_that_is_none_is_told_before_anything_is_described(
    street: Path, landfall: Run, tmp_path: Path
) -> None:
    done = landfall("index", "build", street / "photos", "--out", tmp_path / "new.lf", "--search", "hmsw")
    assert done.returncode == 2
    assert "hnsw" in done.stderr
    assert not (tmp_path / "new.lf").exists()
