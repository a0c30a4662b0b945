"""Where outputs go: stdout alone and pure, never over a photo, a model or somebody's folder."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import landfall as package
from landfall.errors import UsageError

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PLACES = 6


def test_geojson_on_stdout_is_nothing_but_geojson(street: Path, street_index: Path, landfall: Run) -> None:
    done = landfall("localize", street / "queries", "--index", street_index, "--geojson", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["type"] == "FeatureCollection"
    both = landfall("localize", street / "queries", "--index", street_index, "--geojson", "-", "--json", "-")
    assert both.returncode == 2
    assert both.stdout == ""


def test_an_output_never_goes_over_a_photo(
    street: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    photo = tmp_path / "query.jpg"
    shutil.copy(street / "queries" / "0.jpg", photo)
    before = photo.read_bytes()
    done = landfall("localize", photo, "--index", street_index, "--json", photo)
    assert done.returncode == 2
    assert "photo" in done.stderr
    assert photo.read_bytes() == before


def test_a_model_is_not_written_over_and_others_may_read_it(landfall: Run, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    arguments = ("models", "create", "--head", "netvlad", "--resize", 96, 128, "--out", out)
    made = landfall(*arguments, "--json", "-")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["head"] == "netvlad"
    # What was left out makes a model that describes little, so it is said.
    assert "--weights" in made.stderr
    assert "--init" in made.stderr
    (tmp_path / "other").touch()
    assert stat.S_IMODE(out.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)
    before = out.read_bytes()
    again = landfall(*arguments)
    assert again.returncode == 2
    assert str(out) in again.stderr
    assert out.read_bytes() == before


def test_a_demo_is_not_poured_over_other_things(street: Path, landfall: Run) -> None:
    done = landfall("demo", "--out", street / "photos", "--size", "tiny")
    assert done.returncode == 2
    assert "first pass" in done.stderr
    assert [path.name for path in (street / "photos").iterdir()] == ["first pass"]


def test_the_weight_free_model_is_fitted_and_kept_by_extract(
    street: Path, landfall: Run, tmp_path: Path
) -> None:
    out = tmp_path / "d.npy"
    done = landfall("extract", street / "photos", "--model", "densevlad", "--out", out, "--resize", 96, 128)
    assert done.returncode == 0, done.stderr
    described = np.load(out)
    assert len(described) == 2 * PLACES
    model = package.load_network(tmp_path / "d.npy.model.safetensors")
    assert (model.card.height, model.card.width) == (96, 128)
    paths = sorted((street / "photos" / "first pass").iterdir())
    np.testing.assert_allclose(package.describe(paths, model), described, atol=1e-6)


def test_a_fit_that_fails_leaves_nothing_and_tells_what_was_left_out(
    street: Path, landfall: Run, tmp_path: Path
) -> None:
    table = tmp_path / "photos.csv"
    photo = street / "queries" / "0.jpg"
    table.write_text(f"path,lat,lon\n{photo},52,0.5\n{photo.with_name('missing.jpg')},52,0.5\n")
    done = landfall("index", "build", table, "--out", tmp_path / "i.lf")
    assert done.returncode == 2
    assert "missing.jpg" in done.stderr
    assert not (tmp_path / "i.lf").exists()


@pytest.mark.parametrize("option", ["out_dim=abc", "out_dim=2.5", "whitening=3"])
def test_an_option_of_the_wrong_kind_is_told(landfall: Run, tmp_path: Path, option: str) -> None:
    done = landfall("models", "create", "--head", "gem", "--head-option", option, "--out", tmp_path / "m")
    assert done.returncode == 2
    assert option.partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_device_that_is_not_there_is_refused_whatever_the_model(
    street: Path, landfall: Run, tmp_path: Path
) -> None:
    done = landfall("index", "build", street / "photos", "--out", tmp_path / "i.lf", "--device", "gpu")
    assert done.returncode == 2
    assert "'gpu'" in done.stderr


def test_paths_where_things_are_expected_are_told(street: Path, street_index: Path) -> None:
    photos = [street / "queries" / "0.jpg"]
    with pytest.raises(UsageError, match=r"Index\.open"):
        package.localize(photos, str(street_index))  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(UsageError, match="load_network"):
        package.describe(photos, "model.safetensors")  # type: ignore[arg-type]  # likewise
    with pytest.raises(UsageError, match="list of photos"):
        package.describe(str(photos[0]), package.Index.open(street_index).model)
