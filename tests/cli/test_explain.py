"""``landfall explain`` as its users call it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def networks(landfall: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random networks: what is tested here is not how well they attend."""
    folder = tmp_path_factory.mktemp("networks")
    for head in ("crn2", "gem"):
        out = folder / f"{head}.safetensors"
        done = landfall("models", "create", "--head", head, "--resize", 96, 128, "--out", out)
        assert done.returncode == 0, done.stderr
    return {head: folder / f"{head}.safetensors" for head in ("crn2", "gem")}


def test_photos_and_models_give_a_picture_and_numbers(
    street: Path, networks: dict[str, Path], landfall: Run, tmp_path: Path
) -> None:
    photos = [street / "queries" / "0.jpg", street / "queries" / "1.jpg"]
    out = tmp_path / "pictures" / "attention.png"
    models = ("--model", networks["crn2"], "--model", networks["gem"])
    done = landfall("explain", *photos, *models, "--out", out, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert f"Wrote {out}" in done.stderr
    told = json.loads(done.stdout)
    assert [(one["photo"], one["model"]) for one in told] == [
        (photo.as_posix(), model) for photo in photos for model in ("resnet18-crn2", "resnet18-gem")
    ]
    assert [[one["map"] for one in each["maps"]] for each in told[:2]] == [
        ["mask", "residual energy"],
        ["share"],
    ]
    for one in told:
        for each in one["maps"]:
            assert each["shape"] == [6, 8]
            assert 0 <= each["min"] <= each["mean"] <= each["max"]
            assert 0 < each["max_at"]["x"] < 1
            assert 0 < each["max_at"]["y"] < 1
    # The mean share is one (tests/oracles/test_attention.py).
    assert told[1]["maps"][0]["mean"] == pytest.approx(1, abs=1e-4)
    with Image.open(io.BytesIO(out.read_bytes())) as picture:
        image = np.asarray(picture.convert("RGB"))
    # A column for the photo and three for maps, two rows; and not a blank page.
    assert image.shape[1] > image.shape[0] > 500
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 500


def test_a_broken_photo_is_named_and_the_others_are_drawn(
    street: Path, networks: dict[str, Path], landfall: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(street / "queries" / "2.jpg", folder / "good.jpg")
    (folder / "broken.jpg").write_bytes((folder / "good.jpg").read_bytes()[:150])
    out, numbers = tmp_path / "a.svg", tmp_path / "a.json"
    arguments = ("--model", networks["crn2"], "--out", out, "--resize", 64, 80, "--quiet", "--json", numbers)
    done = landfall("explain", folder, *arguments)
    assert done.returncode == 1
    assert "failed broken.jpg:" in done.stderr
    assert "Wrote" not in done.stderr
    good, broken = json.loads(numbers.read_text())
    assert good["photo"] == "good.jpg"
    assert good["maps"][0]["shape"] == [4, 5]
    assert set(broken) == {"photo", "error"}
    assert out.read_bytes().startswith(b"<?xml")
    assert done.stdout.splitlines()[0] == "good.jpg"


def test_nothing_is_written_where_no_photo_can_be_read(
    networks: dict[str, Path], landfall: Run, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"not a photo")
    out = tmp_path / "a.png"
    done = landfall("explain", tmp_path / "broken.jpg", "--model", networks["gem"], "--out", out)
    assert done.returncode == 1
    assert "broken.jpg" in done.stderr
    assert not out.exists()


def test_an_index_adds_what_it_finds_first(
    street: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    photo, out = street / "queries" / "3.jpg", tmp_path / "a.png"
    done = landfall("explain", photo, "--index", street_index, "--out", out, "--json", "-")
    assert done.returncode == 0, done.stderr
    query, found = json.loads(done.stdout)
    assert query["retrieved_for"] is None
    # Two photos of each place are indexed, seen from a little aside.
    assert found["photo"].startswith("first pass/3-")
    assert found["retrieved_for"] == photo.as_posix()
    assert found["distance"] > 0
    assert {one["model"] for one in (query, found)} == {"densevlad"}
    assert out.exists()


def test_an_index_of_another_model_is_wrong_usage(
    street: Path, street_index: Path, networks: dict[str, Path], landfall: Run, tmp_path: Path
) -> None:
    arguments = ("--index", street_index, "--model", networks["gem"], "--out", tmp_path / "a.png")
    done = landfall("explain", street / "queries" / "3.jpg", *arguments)
    assert done.returncode == 2
    assert "densevlad" in done.stderr


def test_a_photo_is_not_written_over(
    street: Path, networks: dict[str, Path], landfall: Run, tmp_path: Path
) -> None:
    with Image.open(street / "queries" / "0.jpg") as opened:
        opened.save(tmp_path / "photo.png")
    shutil.copy(street / "queries" / "0.jpg", tmp_path / "photo.jpg")
    for out in (tmp_path / "photo.png", tmp_path / "photo.jpg"):
        before = out.read_bytes()
        done = landfall("explain", out, "--model", networks["gem"], "--out", out)
        assert done.returncode == 2
        assert str(out) in done.stderr
        assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--model"),
        (("--model", "densevlad"), "not fitted"),
        (("--model", "missing.safetensors"), "missing.safetensors"),
        (("--index", "i.lf", "--resize", 48, 64), "--resize"),
    ],
)
def test_wrong_usage_is_told(
    street: Path, landfall: Run, tmp_path: Path, arguments: tuple[object, ...], told: str
) -> None:
    done = landfall("explain", street / "queries" / "0.jpg", *arguments, "--out", tmp_path / "a.png")
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
