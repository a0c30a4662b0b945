"""``landfall dataset``, ``models``, ``extract`` and ``evaluate`` as commands, on a drawn street."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from landfall.geo import LatLon
from landfall.photos import write_jpeg

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PLACES, STEP_DEG = 6, 0.001


@pytest.fixture(scope="module")
def pair(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bare folders: the street's photos, and queries that know where they were taken."""
    root = tmp_path_factory.mktemp("pair") / "paired@street"
    shutil.copytree(street / "photos", root / "database")
    (root / "queries").mkdir()
    for place in range(PLACES):
        pixels = np.asarray(Image.open(street / "queries" / f"{place}.jpg"))
        write_jpeg(root / "queries" / f"{place}.jpg", pixels, location=LatLon(52.0 + STEP_DEG * place, 0.5))
    return root


def test_info_counts_and_draws_the_positions(pair: Path, landfall: Run, tmp_path: Path) -> None:
    done = landfall("dataset", "info", pair, "--json", tmp_path / "info.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "info.json").read_text())
    assert (told["database"]["photos"], told["queries"]["photos"]) == (2 * PLACES, PLACES)
    assert told["without_positive"]["25"] == 0
    with Image.open(tmp_path / "paired@street.png") as picture:
        assert min(picture.size) > 300
    page = (tmp_path / "paired@street.html").read_text()
    assert "L.map" in page or "leaflet" in page.lower()


def test_info_of_photos_without_positions_draws_no_map(street: Path, landfall: Run, tmp_path: Path) -> None:
    for folder in ("database", "queries"):
        shutil.copytree(street / "queries", tmp_path / "toy" / folder)
    done = landfall("dataset", "info", tmp_path / "toy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No map" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]
    asked = landfall("dataset", "info", tmp_path / "toy", "--png", tmp_path / "map.png")
    assert asked.returncode == 2
    assert "position" in asked.stderr


def test_check_names_what_is_wrong_and_ends_with_1_for_broken_photos(
    pair: Path, landfall: Run, tmp_path: Path
) -> None:
    root = tmp_path / "pair"
    shutil.copytree(pair, root)
    good = landfall("dataset", "check", root, "--json", "-", "--quiet")
    assert good.returncode == 0
    (root / "database" / "empty.jpg").touch()
    shutil.copy(root / "database" / "first pass" / "1-0.jpg", root / "queries" / "copy.jpg")
    done = landfall("dataset", "check", root, "--json", "-", "--quiet")
    assert done.returncode == 1
    counts = json.loads(done.stdout)["counts"]
    assert counts["unreadable"] == 1
    assert counts["leakage"] == 2


def test_converted_to_standard_and_back_evaluates_alike(pair: Path, landfall: Run, tmp_path: Path) -> None:
    standard, table = tmp_path / "standard", tmp_path / "photos.csv"
    assert landfall("dataset", "convert", pair, standard, "--split", "test").returncode == 0
    assert landfall("dataset", "convert", standard, table, "--to", "csv").returncode == 0
    answers = []
    for dataset in (pair, standard, table):
        done = landfall("evaluate", dataset, "--model", "densevlad", "--json", "-", "--quiet")
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    assert answers[0]["recall"]["1"] == 100.0  # every query shows its own place
    assert all(answer["recall"] == answers[0]["recall"] for answer in answers)


def test_evaluate_writes_every_promised_key_and_its_pictures(
    pair: Path, landfall: Run, tmp_path: Path
) -> None:
    arguments = ["--model", "densevlad", "--threshold", 25, "--threshold", 150, "--out", tmp_path / "report"]
    done = landfall("evaluate", pair, *arguments, "--json", tmp_path / "told.json")
    assert done.returncode == 0, done.stderr
    assert "R@1" in done.stdout
    told = json.loads((tmp_path / "told.json").read_text())
    promised = {"dataset", "split", "protocol", "model", "descriptor_dim", "database", "queries"} | {
        "queries_without_positive", "threshold_m", "recall", "recall_ci95", "recalls",
        "extract_photos_per_s", "search_ms_per_query", "peak_rss_mb",
    }  # fmt: skip
    assert promised <= set(told)
    assert list(told["recall"]) == ["1", "5", "10", "20"]
    assert set(told["recalls"]) == {"25", "150"}
    assert told["threshold_m"] == 25.0
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "evaluation.json", "recall.png", "error_curve.png", "contact_sheet.png", "contact_sheet.html",
    }  # fmt: skip


def test_a_network_is_made_initialised_and_shown(pair: Path, landfall: Run, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    made = landfall(
        *("models", "create", "--head", "netvlad", "--head-option", "clusters=8", "--resize", 96, 128),
        *("--init", pair, "--seed", 3, "--out", out),
    )
    assert made.returncode == 0, made.stderr
    card = json.loads(landfall("models", "show", out, "--json", "-").stdout)
    assert (card["head"], card["descriptor_dim"], card["seed"]) == ("netvlad", 8 * 256, 3)
    assert (card["height"], card["width"]) == (96, 128)
    wrong = landfall("models", "create", "--head", "netvald", "--out", tmp_path / "no.safetensors")
    assert wrong.returncode == 2
    assert "netvlad" in wrong.stderr


def test_shards_make_the_whole(pair: Path, landfall: Run, tmp_path: Path) -> None:
    model = tmp_path / "net.safetensors"
    made = landfall("models", "create", "--head", "base", "--resize", 96, 128, "--out", model)
    assert made.returncode == 0, made.stderr
    common = ["extract", pair / "database", "--model", model, "--batch-size", 2, "--quiet", "--out"]
    assert landfall(*common, tmp_path / "whole.npy").returncode == 0
    for part in (1, 2):
        assert landfall(*common, tmp_path / f"part{part}.npy", "--shard", f"{part}/2").returncode == 0
    whole = np.load(tmp_path / "whole.npy")
    assert whole.shape == (2 * PLACES, 256)
    parts = [np.load(tmp_path / f"part{part}.npy") for part in (1, 2)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_name_under_the_datasets_folder_is_found(
    pair: Path, landfall: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASETS_FOLDER", str(pair.parent))
    assert landfall("dataset", "info", pair.name, "--no-map").returncode == 0
    wrong = landfall("dataset", "info", "paird@street", "--no-map")
    assert wrong.returncode == 2
    assert pair.name in wrong.stderr
