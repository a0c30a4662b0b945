from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landfall.datasets import Dataset, PhotoSet, load_dataset
from landfall.errors import DatasetError, UsageError
from landfall.evaluation import evaluate_descriptors
from landfall.experiments import evaluate_model
from landfall.extraction import Progress, describe
from landfall.geo import Positions
from landfall.models import Model
from landfall.photos import InputSpec, PhotoProblem


def test_the_planted_street(street: Dataset, colours: Model) -> None:
    # By construction: query 0 shows the place 500 m on (503 or 498 m), the 11 others are within 3 m.
    evaluation = evaluate_model(street, colours, thresholds_m=(25, 600), batch_size=5).evaluation
    assert evaluation.recall[1] == pytest.approx(100 * 11 / 12)
    assert evaluation.thresholds[1].recall[1] == 100.0
    assert evaluation.errors_m[0] == pytest.approx(500, abs=5)
    assert evaluation.errors_m[1:].max() <= 3.001
    assert (evaluation.database, evaluation.queries, evaluation.spots) == (24, 12, 12)
    told = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert (told["model"], told["descriptor_dim"], told["queries_without_positive"]) == ("colours", 48, 0)
    assert told["extract_photos_per_s"] > 0
    assert told["search_ms_per_query"] > 0


def test_equals_describing_and_evaluating_by_hand(street: Dataset, colours: Model) -> None:
    by_hand = evaluate_descriptors(
        street, describe(street.database.paths, colours), describe(street.queries.paths, colours)
    )
    run = evaluate_model(street, colours, batch_size=7)
    np.testing.assert_array_equal(run.evaluation.ranked, by_hand.ranked)
    assert run.evaluation.recall == by_hand.recall
    assert run.evaluation.thresholds[0].recall_ci95 == by_hand.thresholds[0].recall_ci95
    assert run.evaluation.thresholds[0].protocol == by_hand.thresholds[0].protocol


def test_broken_photos_are_named_and_the_others_go_on(street: Dataset, colours: Model) -> None:
    broken_query, broken_photo = street.queries.paths[3], street.database.paths[0]
    broken_query.write_bytes(broken_query.read_bytes()[:200])
    broken_photo.write_bytes(b"")
    evaluation = evaluate_model(street, colours).evaluation
    # Query 3 is a miss beside query 0; place 0 has another photo in the database.
    assert evaluation.recall[1] == pytest.approx(100 * 10 / 12)
    assert evaluation.queries == 12
    failed = {problem.photo for problem in evaluation.failed}
    assert failed == {f"queries/{street.queries.names[3]}", f"database/{street.database.names[0]}"}
    assert all(problem.reason and problem.reason != "has no descriptor" for problem in evaluation.failed)
    assert 0 not in evaluation.ranked


def test_what_the_table_left_out_is_told(street: Dataset, colours: Model) -> None:
    rows = [f"database/{name},{{role}},{{at}}" for name in street.database.names]
    lines = [
        row.format(role="db" if number else "Datenbank", at=f"{52 + number / 1000:.3f},13")
        for number, row in enumerate(rows)
    ]
    lines += [f"queries/{name},q,52.005,13" for name in street.queries.names]
    table = street.root / "t.csv"
    table.write_text("path,role,lat,lon\n" + "\n".join(lines))
    evaluation = evaluate_model(load_dataset(table), colours).evaluation
    assert evaluation.database == len(street.database) - 1
    assert evaluation.warnings[0].startswith("Neither searched nor counted as queries, 1 left out: ")
    assert "line 2 of t.csv: role 'Datenbank'" in evaluation.warnings[0]
    assert f"WARNING: {evaluation.warnings[0]}" in evaluation.to_text()

    all_of_them = "\n".join(line.replace(",db,", ",Datenbank,") for line in lines)
    table.write_text("path,role,lat,lon\n" + all_of_them)
    with pytest.raises(DatasetError, match=r"no database photos.*line 2 of t\.csv: role 'Datenbank'"):
        evaluate_model(load_dataset(table), colours)


def test_a_long_list_of_what_was_left_out_is_cut(street: Dataset, colours: Model) -> None:
    left_out = tuple(PhotoProblem(f"{row}.jpg", "gone") for row in range(7))
    [warning] = evaluate_model(replace(street, left_out=left_out), colours).evaluation.warnings
    assert "7 left out: 0.jpg: gone; " in warning
    assert warning.endswith("4.jpg: gone; and 2 more, which `landfall dataset check` names.")
    assert not evaluate_model(street, colours).evaluation.warnings


def test_no_readable_database_is_an_error(street: Dataset, colours: Model) -> None:
    for path in street.database.paths:
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match="database photos has a descriptor"):
        evaluate_model(street, colours)


def test_a_model_to_be_fitted_is_fitted_on_the_database_alone(street: Dataset, unfitted_colours: Any) -> None:
    run = evaluate_model(street, unfitted_colours, seed=7, resize=InputSpec(64, 64))
    assert not unfitted_colours.fitted
    fitted: Any = run.model
    assert fitted.photos == street.database.paths
    assert (fitted.seed, fitted.spec) == (7, InputSpec(64, 64))
    again = evaluate_model(street, fitted, resize=InputSpec(64, 64))
    assert again.model is fitted
    assert again.evaluation.recall == run.evaluation.recall


def test_a_cache_is_used_again_and_refused_for_another_size(
    street: Dataset, colours: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "some" / "cache"
    first = evaluate_model(street, colours, cache=cache)
    describe_now, described = colours.describe, list[int]()

    def counting(images: np.ndarray) -> np.ndarray:
        described.append(len(images))
        return describe_now(images)

    monkeypatch.setattr(colours, "describe", counting)
    second = evaluate_model(street, colours, cache=cache)
    np.testing.assert_array_equal(first.evaluation.ranked, second.evaluation.ranked)
    # One probe a side tells whether the model is still the same; no photo is described again.
    assert sum(described) <= 2
    with pytest.raises(UsageError, match=r"database\.npy"):
        evaluate_model(street, colours, cache=cache, resize=InputSpec(64, 64))


def test_progress_tells_both_sides_to_the_end(street: Dataset, colours: Model) -> None:
    told: list[tuple[str, Progress]] = []
    evaluate_model(street, colours, batch_size=4, progress=lambda side, at: told.append((side, at)))
    last = {side: (at.done, at.total) for side, at in told}
    assert last == {"database": (24, 24), "queries": (12, 12)}


def test_unusable_splits_are_refused_before_any_photo_is_read(street: Dataset, colours: Model) -> None:
    def never(side: str, at: Progress) -> None:
        raise AssertionError("nothing should have been extracted")

    without = replace(street, queries=PhotoSet.empty(street.queries.root))
    with pytest.raises(DatasetError, match="no queries"):
        evaluate_model(without, colours, progress=never)
    lost = replace(street, queries=replace(street.queries, positions=Positions.unknown(12)))
    with pytest.raises(DatasetError, match="known position"):
        evaluate_model(lost, colours, progress=never)
    with pytest.raises(UsageError, match="increase"):
        evaluate_model(street, colours, ks=(5, 1), progress=never)
    with pytest.raises(UsageError, match="metres above 0"):
        evaluate_model(street, colours, thresholds_m=(), progress=never)
