from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landfall.datasets import Dataset, PhotoSet
from landfall.errors import DatasetError, ModelError, PositionError, UsageError
from landfall.evaluation import Evaluation, evaluate_descriptors
from landfall.geo import Positions
from landfall.photos import PhotoProblem


def photo_set(positions: Positions, folder: str) -> PhotoSet:
    return PhotoSet.of(Path(folder), tuple(f"{i:03d}.jpg" for i in range(len(positions))), positions)


def dataset_of(database: Positions, queries: Positions) -> Dataset:
    return Dataset(
        name="town",
        split="test",
        layout="folders",
        root=Path("town"),
        database=photo_set(database, "town/database"),
        queries=photo_set(queries, "town/queries"),
    )


def along_a_street(east_m: list[float]) -> Positions:
    return Positions.planar(np.array(east_m), np.zeros(len(east_m)))


def descriptors_of(angles: list[float]) -> np.ndarray:
    """Unit vectors in a plane: nearer angles are nearer descriptors."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@pytest.fixture
def planted() -> Evaluation:
    """Three database photos at 0, 100 and 120 m; four queries.

    Query 0 at 0 m looks like photo 0. Query 1 at 100 m looks like photo 0 (100 m away), then 1. Query 2 at
    110 m looks like photo 2 (10 m). Query 3 at 500 m has no positive and looks like photo 1 (400 m).
    """
    dataset = dataset_of(along_a_street([0, 100, 120]), along_a_street([0, 100, 110, 500]))
    return evaluate_descriptors(
        dataset,
        descriptors_of([0.0, 0.5, 1.5]),
        descriptors_of([0.1, 0.2, 1.4, 0.5]),
        thresholds_m=(25.0, 5.0, 2.5),
        ks=(1, 2, 20),
    )


def test_the_planted_case_by_hand(planted: Evaluation) -> None:
    assert planted.ranked.tolist() == [[0, 1, 2], [0, 1, 2], [2, 1, 0], [1, 0, 2]]
    assert planted.errors_m.tolist() == [0.0, 100.0, 10.0, 400.0]
    assert planted.recall == {1: 50.0, 2: 75.0, 20: 75.0}
    assert planted.thresholds[1].recall == {1: 25.0, 2: 50.0, 20: 50.0}
    assert [result.queries_without_positive for result in planted.thresholds] == [1, 2, 2]
    assert [result.ceiling for result in planted.thresholds] == [75.0, 50.0, 50.0]
    assert (planted.first_match.median_m, planted.first_match.p90_m) == (10.0, 400.0)
    assert dict(planted.first_match.within)[25.0] == planted.recall[1]


def test_json_has_the_agreed_keys_and_no_nan(planted: Evaluation) -> None:
    told = json.loads(json.dumps(planted.to_dict(), allow_nan=False))
    assert {
        *("dataset", "split", "protocol", "protocol_hash", "model", "descriptor_dim", "database", "queries"),
        *("queries_without_positive", "threshold_m", "recall", "recall_ci95", "recalls", "recalls_ci95"),
        *(
            "extract_photos_per_s",
            "search_ms_per_query",
            "peak_rss_mb",
            "first_match_error_m",
            "failed",
            "seed",
        ),
    } <= told.keys()
    assert (told["dataset"], told["split"], told["database"], told["queries"]) == ("town", "test", 3, 4)
    assert told["threshold_m"] == 25.0
    assert told["recall"] == {"1": 50.0, "2": 75.0, "20": 75.0}
    assert list(told["recalls"]) == ["25", "5", "2.5"]
    assert told["recalls"]["25"] == told["recall"]
    assert told["recalls_ci95"]["25"] == told["recall_ci95"]
    low, high = told["recall_ci95"]["1"]
    assert low <= 50.0 <= high
    assert told["queries_without_positive_within"] == {"25": 1, "5": 2, "2.5": 2}
    assert told["protocol_hash"] == told["protocol_hashes"]["25"]
    assert len(set(told["protocol_hashes"].values())) == 3
    assert told["error_curve"]["metres"][-1] == 100_000.0
    assert told["error_curve"]["percent"][-1] == 100.0
    assert told["descriptor_dim"] == 2
    assert told["model"] is None


def test_text_says_what_a_reader_needs(planted: Evaluation) -> None:
    named = planted.with_extraction(
        model="gem", photos_per_s=3.0, failed=[PhotoProblem("queries/x.jpg", "truncated")]
    )
    text = named.to_text()
    lines = text.splitlines()
    assert lines[0] == "town, split test: 4 queries at 4 spots, 3 database photos"
    hashes = [result.protocol.hash for result in planted.thresholds]
    assert lines[1] == f"Protocol town/test 25 m, all queries ({hashes[0]})"
    assert "in percent of all queries" in text
    row = next(line for line in lines if line.lstrip().startswith("25 m"))
    assert row.split()[2] == "50.0"
    assert row.split()[-3:] == ["75.0", "1", hashes[0]]
    assert "queries/x.jpg: truncated" in text
    assert "WARNING" not in text


def test_equals_a_plain_loop_on_random_places() -> None:
    rng = np.random.default_rng(0)
    database = Positions.planar(rng.uniform(0, 300, 60), rng.uniform(0, 300, 60))
    queries = Positions.planar(rng.uniform(0, 300, 25), rng.uniform(0, 300, 25))
    described = rng.standard_normal((60, 8)).astype(np.float32)
    asked = rng.standard_normal((25, 8)).astype(np.float32)
    evaluation = evaluate_descriptors(dataset_of(database, queries), described, asked, thresholds_m=(25, 50))
    for result in evaluation.thresholds:
        for k in (1, 5, 10, 20):
            right = 0
            for q in range(25):
                order = sorted(range(60), key=lambda d: float(((described[d] - asked[q]) ** 2).sum()))
                right += any(
                    math.hypot(
                        database.east_m[d] - queries.east_m[q], database.north_m[d] - queries.north_m[q]
                    )
                    <= result.threshold_m
                    for d in order[:k]
                )
            assert result.recall[k] == pytest.approx(100 * right / 25)


def test_equal_descriptors_are_ranked_by_row() -> None:
    # Ties: every descriptor is the same, so the order is that of the rows and the result repeats exactly.
    dataset = dataset_of(along_a_street([900, 0, 0]), along_a_street([0]))
    same = np.ones((3, 4), dtype=np.float32)
    evaluation = evaluate_descriptors(dataset, same, same[:1], ks=(1, 2))
    assert evaluation.ranked.tolist() == [[0, 1]]
    assert evaluation.recall == {1: 0.0, 2: 100.0}


def test_two_zones_in_one_set() -> None:
    # Both sides of the border of zones 31 and 32; each query is 14 m from its photo, across the border.
    lat = np.array([51.0, 51.01, 51.02])
    database = Positions.from_latlon(lat, np.array([6.0001, 5.9999, 6.0001]))
    queries = Positions.from_latlon(lat, np.array([5.9999, 6.0001, 5.9999]))
    described = descriptors_of([0.0, 1.0, 2.0])
    evaluation = evaluate_descriptors(dataset_of(database, queries), described, described)
    assert evaluation.recall[1] == 100.0
    assert evaluation.errors_m == pytest.approx([14.04] * 3, abs=0.05)
    assert evaluation.thresholds[0].recall_ci95[1] == (100.0, 100.0)


def test_broken_queries_are_misses_and_broken_database_photos_are_not_found() -> None:
    dataset = dataset_of(along_a_street([0, 100, 200]), along_a_street([0, 100, 200]))
    whole = descriptors_of([0.0, 1.0, 2.0])
    evaluation = evaluate_descriptors(
        dataset,
        whole[[0, 2]],
        whole[[1, 2]],
        ks=(1, 2, 3),
        database_rows=np.array([0, 2]),
        query_rows=np.array([1, 2]),
    )
    # Query 0 is broken; query 1's only positive is; query 2 is right.
    assert evaluation.recall == pytest.approx({1: 100 / 3, 2: 100 / 3, 3: 100 / 3})
    assert evaluation.ranked[0].tolist() == [-1, -1]
    assert set(evaluation.ranked[1].tolist()) == {0, 2}
    assert evaluation.errors_m[0] == math.inf
    assert evaluation.thresholds[0].queries_without_positive == 0
    assert len(evaluation.failed) == 2
    json.dumps(evaluation.to_dict(), allow_nan=False)


def test_no_positives_at_all_is_said_loudly() -> None:
    dataset = dataset_of(along_a_street([0, 100]), along_a_street([5000, 6000]))
    whole = descriptors_of([0.0, 1.0])
    evaluation = evaluate_descriptors(dataset, whole, whole)
    assert evaluation.thresholds[0].ceiling == 0.0
    assert any(warning.startswith("NO query") for warning in evaluation.warnings)
    assert "WARNING: NO query has a database photo within 25 m" in evaluation.to_text()
    assert evaluation.to_dict()["warnings"]


def test_queries_of_unknown_position_are_misses_and_said() -> None:
    queries = Positions.concatenate([along_a_street([0]), Positions.unknown(2)])
    dataset = dataset_of(along_a_street([0, 100]), queries)
    evaluation = evaluate_descriptors(dataset, descriptors_of([0, 1]), descriptors_of([0, 0, 0]))
    assert evaluation.recall[1] == pytest.approx(100 / 3)
    assert evaluation.thresholds[0].queries_without_positive == 2
    assert evaluation.first_match.unknown == 2
    assert any("2 of 3 queries have no known position" in warning for warning in evaluation.warnings)


def test_one_spot_gives_null_instead_of_an_interval() -> None:
    dataset = dataset_of(along_a_street([0, 100]), along_a_street([0, 0]))
    evaluation = evaluate_descriptors(dataset, descriptors_of([0, 1]), descriptors_of([0, 1]))
    assert evaluation.to_dict()["recall_ci95"]["1"] == [None, None]
    assert any("one spot" in warning for warning in evaluation.warnings)


def test_the_protocol_hash_tells_what_is_compared() -> None:
    database, queries = along_a_street([0, 100]), along_a_street([0, 50])
    whole = descriptors_of([0.0, 1.0])
    first = evaluate_descriptors(dataset_of(database, queries), whole, whole)
    again = evaluate_descriptors(dataset_of(database, queries), whole[::-1], whole)
    other_distance = evaluate_descriptors(dataset_of(database, queries), whole, whole, thresholds_m=(10.0,))
    shorter = dataset_of(database, along_a_street([0]))
    other_queries = evaluate_descriptors(shorter, whole, whole[:1])
    both = evaluate_descriptors(dataset_of(database, queries), whole, whole, thresholds_m=(10.0, 25.0))

    def hashes(evaluation: Evaluation) -> list[str]:
        return [result.protocol.hash for result in evaluation.thresholds]

    assert hashes(first) == hashes(again)
    assert len({*hashes(first), *hashes(other_distance), *hashes(other_queries)}) == 3
    # A distance evaluated beside another stays comparable with the same one evaluated alone.
    assert hashes(both) == hashes(other_distance) + hashes(first)


def test_seeds_repeat() -> None:
    rng = np.random.default_rng(1)
    dataset = dataset_of(along_a_street(list(range(0, 900, 30))), along_a_street(list(range(5, 900, 40))))
    described = rng.standard_normal((30, 4)).astype(np.float32)
    asked = rng.standard_normal((len(dataset.queries), 4)).astype(np.float32)
    intervals = [
        evaluate_descriptors(dataset, described, asked, seed=seed).thresholds[0].recall_ci95
        for seed in (3, 3, 4)
    ]
    assert intervals[0] == intervals[1]
    assert intervals[0] != intervals[2]


def test_unusable_input_is_refused_with_words() -> None:
    dataset = dataset_of(along_a_street([0, 100]), along_a_street([0, 50]))
    whole = descriptors_of([0.0, 1.0])
    with pytest.raises(DatasetError, match="no queries"):
        evaluate_descriptors(replace(dataset, queries=PhotoSet.empty(Path("town/queries"))), whole, whole[:0])
    with pytest.raises(DatasetError, match="has a known position"):
        evaluate_descriptors(dataset_of(along_a_street([0, 1]), Positions.unknown(2)), whole, whole)
    with pytest.raises(ModelError, match="one row for each of"):
        evaluate_descriptors(dataset, whole[:1], whole)
    with pytest.raises(ModelError, match="one model"):
        evaluate_descriptors(dataset, whole, np.ones((2, 3), dtype=np.float32))
    with pytest.raises(UsageError, match="NaN"):
        evaluate_descriptors(dataset, whole, np.full((2, 2), np.nan, dtype=np.float32))
    with pytest.raises(UsageError, match="metres above 0"):
        evaluate_descriptors(dataset, whole, whole, thresholds_m=(-1.0,))
    geographic = Positions.from_latlon(np.array([51.0, 51.1]), np.array([0.0, 0.1]))
    with pytest.raises(PositionError):
        evaluate_descriptors(dataset_of(geographic, along_a_street([0, 50])), whole, whole)
