"""Experiments on a street: what they leave, what is shared, what is not done twice, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.experiments.paper.street_run import NAME, SMALL, run_on_street
from tests.training.street import draw_street

from landfall import training
from landfall.datasets import load_dataset
from landfall.errors import TrainingError, UsageError
from landfall.evaluation import Evaluation
from landfall.experiments.evaluate import evaluate_model
from landfall.experiments.paper import EXPERIMENTS, Variant
from landfall.experiments.paper import run as run_module
from landfall.experiments.paper.report import write_report
from landfall.experiments.paper.store import ResultsFolder
from landfall.models import load_model
from landfall.training import start as start_module
from landfall.training.recipe_file import load_recipe

pytestmark = pytest.mark.xdist_group("experiments")


@pytest.fixture
def results(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of the undisturbed results."""
    return Path(shutil.copytree(undisturbed, tmp_path / "results"))


@pytest.fixture
def nothing_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid all that takes time."""

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("what is finished was done again")

    for module, name in (
        (training, "train"),
        (training, "resume"),
        (start_module, "start_network"),
        (run_module, "evaluate_model"),
    ):
        monkeypatch.setattr(module, name, forbidden)


def runs_of(out: Path, name: str = NAME) -> list[tuple[str, dict[str, Any]]]:
    """Return the folder and the result of every trained run of an experiment."""
    record = ResultsFolder(out).record(name)
    assert record is not None
    folders = [run["run"] for variant in record["variants"] for run in variant["runs"]]
    return [(folder, ResultsFolder(out).run(folder).result() or {}) for folder in folders]


def test_all_runs_take_equal_steps_and_tell_recipe_and_environment(undisturbed: Path) -> None:
    told = runs_of(undisturbed)
    assert len(told) == 2
    for folder, result in told:
        # 6 queries in steps of 2, rounds of 4.
        assert result["steps"] == 3
        assert [epoch["epoch"] for epoch in result["epochs"]] == [0, 1]
        assert result["best_epoch"] == 1
        assert folder == f"netvlad-{result['key']}"
        assert result["environment"]["torch"]
        assert result["recipe"]["model"]["weights"] is None
    raw = [result["recipe"]["model"]["init_normalise"] for _, result in told]
    assert raw == [True, False]


def test_a_measurement_is_what_evaluate_measures(undisturbed: Path, street: Path) -> None:
    folder = ResultsFolder(undisturbed)
    record = folder.record(NAME)
    assert record is not None
    store = folder.run(runs_of(undisturbed)[0][0])
    measurement = store.measurement(record["tests"][0]["key"])
    assert measurement is not None
    run = evaluate_model(load_dataset(street, "val"), load_model(store.model, device="cpu"), workers=1)
    evaluation: Evaluation = run.evaluation
    measured = measurement.within(25.0)
    assert measured.recall == pytest.approx(evaluation.recall)
    assert measured.protocol == evaluation.thresholds[0].protocol.hash
    assert measured.protocol == record["tests"][0]["protocols"]["25"]["hash"]
    assert [each.threshold_m for each in measurement.at] == [25.0, 10.0, 50.0]


@pytest.mark.usefixtures("nothing_computed")
def test_run_again_nothing_is_computed(results: Path, street: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in results.glob("runs/*/*")}
    run_on_street(street, results)
    assert {path: path.stat().st_mtime_ns for path in results.glob("runs/*/*")} == before


@pytest.mark.usefixtures("nothing_computed")
def test_an_experiment_of_runs_that_are_there_computes_nothing(results: Path, street: Path) -> None:
    record = run_on_street(street, results, [EXPERIMENTS["figure5"]])["figure5"]
    assert record["variants"][0]["runs"][0]["run"] == runs_of(results)[0][0]
    write_report(results)
    text = (results / "report.md").read_text(encoding="utf-8")
    assert "Figure 5" in text
    assert "| 25 m ceiling 75.0 |" in text  # one query of four stands alone


def test_a_training_from_a_shared_start_is_that_of_one_that_started_by_itself(
    street: Path, tmp_path: Path
) -> None:
    run_on_street(street, tmp_path, [EXPERIMENTS["figure5"]])
    store = ResultsFolder(tmp_path).run(runs_of(tmp_path, "figure5")[0][0])
    recipe = load_recipe(store.training.recipe)
    alone = training.train(recipe, street, tmp_path / "alone", machine=training.Machine("cpu", workers=1))
    shared = load_model(store.model, device="cpu").card
    assert load_model(alone.folder.best, device="cpu").card.sha256 == shared.sha256


def test_a_seed_more_trains_only_that(results: Path, street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    train = training.train

    def counted(recipe: training.Recipe, *arguments: Any, **options: Any) -> training.TrainingResult:
        trained.append(recipe.seed)
        return train(recipe, *arguments, **options)

    monkeypatch.setattr(training, "train", counted)
    one = replace(EXPERIMENTS["figure5"], name=NAME, variants=EXPERIMENTS[NAME].variants[:1])
    run_on_street(street, results, [one], seeds=2)
    assert trained == [1]


def test_a_changed_recipe_is_refused(results: Path, street: Path) -> None:
    changed = [*SMALL, "optimizer.weight_decay=0.01"]
    with pytest.raises(UsageError, match="the recipe of 'normalised'"):
        run_on_street(street, results, changes=changed)


def test_changed_data_is_refused(results: Path, street: Path, tmp_path: Path) -> None:
    elsewhere = draw_street(tmp_path / "street", places=6)
    run_on_street(elsewhere, results)  # the same photos: nothing to do
    photo = sorted((elsewhere / "images/val/queries").iterdir())[0]
    photo.write_bytes(photo.read_bytes() + b"another")
    with pytest.raises(UsageError, match="photos or positions") as raised:
        run_on_street(elsewhere, results)
    assert "street/val" in str(raised.value)


def test_a_training_that_fails_is_named_and_the_others_go_on(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = training.train

    def diverge(recipe: training.Recipe, data: str, out: Path, **options: Any) -> training.TrainingResult:
        if not recipe.model.init_normalise:
            raise TrainingError(f"{out}: the loss is nan.")
        return train(recipe, data, out, **options)

    monkeypatch.setattr(training, "train", diverge)
    said: list[str] = []
    record = run_on_street(street, tmp_path, say=said.append)[NAME]
    [failed] = record["failed"]
    assert (failed["label"], failed["seed"], failed["trained"]) == ("raw", 0, True)
    assert str(tmp_path) not in json.dumps(record)
    assert failed["error"].endswith(": the loss is nan.")
    assert any("the loss is nan" in line for line in said)
    # Its start, and the other variant, are there all the same.
    assert len(list(tmp_path.glob("runs/*/tests/*.json"))) == 3
    numbers = write_report(tmp_path).numbers["experiments"][NAME]
    assert numbers["runs_done"] == 3
    assert numbers["tests"][0]["rows"][1]["recall"] is None

    monkeypatch.setattr(training, "train", train)
    assert run_on_street(street, tmp_path)[NAME]["failed"] == []


def test_without_test_sets_or_with_one_twice_nothing_begins(street: Path, tmp_path: Path) -> None:
    from landfall.experiments.paper.task import Task, load_tests

    with pytest.raises(UsageError, match="--test DATASET"):
        load_tests(Task(str(street), ()))
    with pytest.raises(UsageError, match="give each once"):
        load_tests(Task(str(street), (str(street), str(street)), test_split="val"))


@pytest.mark.parametrize("product", ["costs", "attention"])
def test_products_are_made_once_of_the_same_runs(
    results: Path, street: Path, product: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = replace(
        EXPERIMENTS[NAME], variants=(Variant("NetVLAD", "netvlad"),), product=product, name=f"only-{product}"
    )
    record = run_on_street(street, results, [experiment])[experiment.name]
    made = record["products"][product]
    if product == "costs":
        # 4 clusters of 256 channels; centroids are not counted.
        assert made["parameters"] == {"NetVLAD": 4 * 256}
        assert (
            0
            < made["ms"]["NetVLAD"]["low"]
            <= made["ms"]["NetVLAD"]["median"]
            <= made["ms"]["NetVLAD"]["high"]
        )
        assert made["size"] == [48, 64]
        assert made["threads"] == 1
    else:
        [test] = made["tests"]
        # All of the street's queries, but the one that stands alone is never right.
        assert len(test["pictures"]) == 4
        assert [picture["right"]["NetVLAD"] for picture in test["pictures"]].count(False) >= 1
        for picture in test["pictures"]:
            content = (results / experiment.name / picture["png"]).read_bytes()
            assert content.startswith(b"\x89PNG")

    from landfall.experiments.paper.products import PRODUCTS

    monkeypatch.setitem(PRODUCTS._things, product, lambda _: pytest.fail("made again"))
    assert run_on_street(street, results, [experiment])[experiment.name] == record
