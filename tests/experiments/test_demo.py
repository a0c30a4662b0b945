"""The demo from end to end on the smallest city, with a network that is quick and finds little."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from landfall.datasets import load_dataset
from landfall.errors import UsageError
from landfall.experiments.demo import Demo, run_demo
from landfall.index import Index
from landfall.models import Model, create_network

if TYPE_CHECKING:
    from tests.conftest import Visitor

DATABASE, QUERIES, PHOTOS = 20, 8, 56  # of the tiny city


def network(name: str | None = None, seed: int = 0) -> Model:
    torch.manual_seed(seed)
    return create_network("resnet18", "base", height=48, width=64, name=name).eval()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "landfall-demo"


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def made(out: Path, told: list[tuple[str, int, int]]) -> Demo:
    return run_demo(out, network(), size="tiny", advance=lambda *step: told.append(step))


def test_every_answer_is_measured_against_the_truth(made: Demo, out: Path) -> None:
    dataset = load_dataset(out / "city", "test")
    index = Index.open(out / "city.lf")
    assert (len(index), len(dataset.queries), len(made.fix_errors_m)) == (DATABASE, QUERIES, QUERIES)
    # No answer can lie further off than the two photos that lie furthest apart.
    positions = [dataset.database.positions, dataset.queries.positions]
    extent_m = math.hypot(
        *(np.ptp(np.concatenate([getattr(p, axis) for p in positions])) for axis in ("east_m", "north_m"))
    )
    assert ((made.fix_errors_m >= 0) & (made.fix_errors_m <= extent_m)).all()
    numbers = made.to_dict()
    within = 100.0 * sum(error <= 25.0 for error in made.fix_errors_m.tolist()) / QUERIES
    assert numbers["fix_error_m"]["within_25_percent"] == pytest.approx(within)
    fourth, fifth = sorted(made.fix_errors_m.tolist())[3:5]  # of eight
    assert numbers["fix_error_m"]["median"] == pytest.approx((fourth + fifth) / 2)
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert made.evaluation.failed == ()


def test_each_step_tells_how_far_it_is(made: Demo, told: list[tuple[str, int, int]]) -> None:
    del made
    ends = {what: (done, total) for what, done, total in told}
    assert ends == {
        "Drawing": (PHOTOS, PHOTOS),
        "Describing": (DATABASE, DATABASE),
        "Localizing": (QUERIES, QUERIES),
    }
    assert list(ends) == ["Drawing", "Describing", "Localizing"]


def test_run_again_it_goes_on_from_what_is_there(made: Demo, out: Path) -> None:
    kept = [*out.rglob("city/images/**/*.jpg"), *(out / "city.lf").iterdir()]
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert len(before) > PHOTOS
    again = run_demo(out, network(), size="tiny")
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    np.testing.assert_array_equal(again.fix_errors_m, made.fix_errors_m)


@pytest.mark.usefixtures("made")
def test_what_is_there_of_another_model_or_city_is_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="another model: resnet18-base"):
        run_demo(out, network(name="another"), size="tiny")
    other = network(seed=1)
    other.save(tmp_path / "other.safetensors")  # now its card knows the weights
    with pytest.raises(UsageError, match="another model"):
        run_demo(out, other, size="tiny")
    with pytest.raises(UsageError, match="seed"):
        run_demo(out, network(), size="tiny", seed=1)
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "city.lf").symlink_to(out / "city.lf", target_is_directory=True)
    with pytest.raises(UsageError, match="another city"):
        run_demo(moved, network(), size="tiny", seed=1)


def test_broken_photos_are_named_and_the_rest_is_done(made: Demo, out: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(out, tmp_path / "copied")
    query = sorted((copied / "city/images/test/queries").glob("*.jpg"))[2]
    query.write_bytes(query.read_bytes()[: query.stat().st_size // 2])
    again = run_demo(copied, network(), size="tiny")
    (problem,) = again.evaluation.failed
    assert problem.photo == f"images/test/queries/{query.name}"
    assert "truncated" in problem.reason
    assert np.isnan(again.fix_errors_m).tolist() == [row == 2 for row in range(QUERIES)]
    others = np.arange(QUERIES) != 2
    np.testing.assert_allclose(again.fix_errors_m[others], made.fix_errors_m[others], atol=1e-6)


@pytest.mark.browser
def test_a_browser_shows_the_report_with_no_network(made: Demo, visit: Visitor) -> None:
    visitor = visit()
    tab = visitor.open(made.report)
    assert visitor.complaints == []
    assert tab.locator("h1").inner_text() == "Landfall: where was this photo taken?"
    assert "synthetic" in tab.locator("header").inner_text()
    facts = tab.locator("dl.facts").inner_text()
    assert f"photos indexed\n{DATABASE}" in facts
    assert f"photos localized\n{QUERIES}" in facts
    # Those further down are loaded when they are scrolled to.
    widths = tab.evaluate("""Promise.all([...document.querySelectorAll("main section img")].map(
        async image => { image.loading = "eager"; await image.decode(); return image.naturalWidth }))""")
    # Two plots, and each query beside its five first matches.
    assert len(widths) == 2 + QUERIES * 6
    assert all(width > 0 for width in widths)
    assert "landfall demo --out landfall-demo --model resnet18-base --size tiny --seed 0" in tab.content()
