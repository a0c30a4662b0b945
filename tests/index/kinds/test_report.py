from __future__ import annotations

import json

import numpy as np
import pytest

from landfall.errors import UsageError
from landfall.index.kinds import build_structure
from landfall.index.kinds.report import measure_structure

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(1500, 16)).astype(np.float16)


def test_all_candidates_find_all_neighbours_and_few_find_fewer() -> None:
    structure = build_structure("binary", ROWS)
    report = measure_structure(structure, ROWS, queries=20, shortlists=(11, 200, 1500), build_s=1.5)
    recalls = [point.recall_10 for point in report.points]
    # With every row a candidate it is exact search itself.
    assert report.points[-1].recall_1 == recalls[-1] == 100
    assert recalls[0] < recalls[1] < recalls[2]
    assert report.resident_ratio == pytest.approx(4 * 1500 * 16 / structure.resident_bytes)
    told = json.loads(json.dumps(report.to_json()))
    assert told["photos"] == 1500
    assert told["queries"] == 20
    assert told["build_s"] == 1.5
    assert told["structure"]["kind"] == "binary"
    assert [point["shortlist"] for point in told["points"]] == [11, 200, 1500]
    assert all(point["batch_ms"] > 0 and point["single_ms"] > 0 for point in told["points"])
    assert report.plot().startswith(b"\x89PNG")


def test_duplicates_do_not_count_a_row_as_its_own_neighbour() -> None:
    rows = np.repeat(ROWS[:5], 30, axis=0)
    report = measure_structure(build_structure("exact", rows), rows, queries=30)
    assert report.points[-1].recall_10 == 100
    assert report.resident_ratio is None


def test_too_few_photos_are_refused() -> None:
    with pytest.raises(UsageError, match="3 or more"):
        measure_structure(build_structure("exact", ROWS[:2]), ROWS[:2])
