from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from landfall.datasets import Dataset
from landfall.experiments import EvaluationRun, choose_queries, contact_rows, evaluate_model, write_report
from landfall.models import Model


@pytest.fixture
def run(street: Dataset, colours: Model) -> EvaluationRun:
    return evaluate_model(street, colours, thresholds_m=(25, 5))


def test_wrong_queries_come_first_and_the_rest_are_right(run: EvaluationRun) -> None:
    # Query 0 alone is wrong, by construction of the street.
    chosen = choose_queries(run.evaluation, 6)
    assert chosen[0] == 0
    assert len(set(chosen.tolist())) == 6
    assert (np.diff(chosen[1:]) > 0).all()


def test_the_sample_takes_what_there_is(run: EvaluationRun) -> None:
    assert sorted(choose_queries(run.evaluation, 100).tolist()) == list(range(12))
    all_wrong = replace(run.evaluation.thresholds[0], hits=np.zeros((12, 4), dtype=np.bool_))
    assert len(choose_queries(replace(run.evaluation, thresholds=(all_wrong,)), 8)) == 8


def test_the_sample_is_half_wrong_and_depends_on_the_seed(run: EvaluationRun) -> None:
    hits = np.repeat(np.arange(12)[:, None] % 2 == 0, 4, axis=1)
    evaluation = replace(run.evaluation, thresholds=(replace(run.evaluation.thresholds[0], hits=hits),))
    chosen = choose_queries(evaluation, 6, seed=1)
    assert hits[chosen, 0].tolist() == [False] * 3 + [True] * 3
    assert chosen.tolist() == choose_queries(evaluation, 6, seed=1).tolist()
    assert any(chosen.tolist() != choose_queries(evaluation, 6, seed=seed).tolist() for seed in range(2, 6))


def test_rows_tell_names_verdicts_and_metres(run: EvaluationRun, street: Dataset) -> None:
    wrong, right = contact_rows(street, run.evaluation, np.array([0, 4]), matches=3)
    assert wrong.query.name == street.queries.names[0]
    assert wrong.query.caption == ""
    assert wrong.matches[0].right is False
    # The place shown is 5 places of 100 m on; its photos stand at 0 and 5 m, the query at 3 m.
    assert sorted(round(match.error_m or 0) for match in wrong.matches[:2]) == [497, 502]
    assert [match.right for match in right.matches] == [True, True, False]
    assert sorted(round(match.error_m or 0) for match in right.matches[:2]) == [2, 3]
    first = run.evaluation.ranked[4, 0]
    assert right.matches[0].name == street.database.names[first]
    assert right.matches[0].jpeg is not None
    with Image.open(io.BytesIO(right.matches[0].jpeg)) as thumbnail:
        assert thumbnail.format == "JPEG"


def test_a_query_without_a_positive_says_so(run: EvaluationRun, street: Dataset) -> None:
    at_1_m = replace(run.evaluation.thresholds[0], threshold_m=1.0)
    (row,) = contact_rows(street, replace(run.evaluation, thresholds=(at_1_m,)), np.array([4]))
    assert row.query.caption == "no database photo within 1 m"


def test_unreadable_photos_have_no_thumbnail_and_no_matches(street: Dataset, colours: Model) -> None:
    street.queries.paths[2].write_bytes(b"no photo")
    broken = evaluate_model(street, colours)
    for path in street.database.paths:
        path.unlink()
    lost, found = contact_rows(street, broken.evaluation, np.array([2, 3]))
    assert lost.query.jpeg is None
    assert list(lost.matches) == []
    assert found.query.jpeg is not None
    assert len(found.matches) == 5
    assert all(match.jpeg is None for match in found.matches)


def test_a_report_is_files_that_open(run: EvaluationRun, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "street"
    written = write_report(run, folder, shown=4)
    assert {path.name for path in written} == {
        *("evaluation.json", "recall.png", "error_curve.png", "contact_sheet.png", "contact_sheet.html")
    }
    assert sorted(folder.iterdir()) == sorted(written)
    assert json.loads((folder / "evaluation.json").read_text()) == json.loads(json.dumps(run.to_dict()))
    for name in ("recall.png", "error_curve.png", "contact_sheet.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 200
    html = (folder / "contact_sheet.html").read_text()
    # Query 0 alone is wrong, by construction of the street.
    assert "4 of 12 queries, wrong ones first: up to half of the sample, not the error rate. " in html
    assert "1 of all 1 with a wrong first match, then 3 of 11 others." in html
    assert 'src="http' not in html
    assert write_report(run, folder, shown=4) == written
    write_report(run, folder, shown=12)
    html = (folder / "contact_sheet.html").read_text()
    assert "All 12 queries, first the 1 with a wrong first match." in html


def test_a_sample_with_few_right_queries_says_that_it_has_more_wrong_ones(
    run: EvaluationRun, tmp_path: Path
) -> None:
    hits = np.repeat(np.arange(12)[:, None] == 7, 4, axis=1)
    mostly_wrong = replace(run.evaluation.thresholds[0], hits=hits)
    evaluation = replace(run.evaluation, thresholds=(mostly_wrong,))
    write_report(replace(run, evaluation=evaluation), tmp_path, shown=4)
    html = (tmp_path / "contact_sheet.html").read_text()
    assert "(more, for want of right ones)" in html
    assert "3 of all 11 with a wrong first match, then 1 of 1 others." in html
