"""The results' folder: what may be added to an experiment, and what is not mixed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from landfall.errors import UsageError
from landfall.experiments.paper.store import ResultsFolder


def record() -> dict[str, Any]:
    return {
        "budget": "quick",
        "train_key": "photos",
        "tests": [{"label": "cambridge/test", "key": "cambridge"}],
        "variants": [
            {
                "label": "CRN",
                "runs": [{"seed": 0, "run": "crn-a"}, {"seed": 1, "run": "crn-b"}],
                "untrained": [{"seed": 0, "run": "crn-c"}],
            }
        ],
        "products": {},
    }


def begin(folder: ResultsFolder, told: dict[str, Any]) -> dict[str, Any]:
    return folder.begin("table1", told)


def test_a_record_is_kept_and_its_products_stay(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    assert folder.records() == {}
    begin(folder, record())
    folder.write("table1", {**record(), "products": {"costs": {"made_of": "x"}}})
    assert begin(folder, record())["products"] == {"costs": {"made_of": "x"}}
    assert list(folder.records()) == ["table1"]


def test_seeds_and_test_sets_may_be_added(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    begin(folder, record())
    more = record()
    more["tests"].append({"label": "gardens/test", "key": "gardens"})
    more["variants"][0]["runs"].append({"seed": 2, "run": "crn-d"})
    assert begin(folder, more)["tests"] == more["tests"]


def changed(place: str, value: object) -> dict[str, Any]:
    told = deepcopy(record())
    match place:
        case "test":
            told["tests"][0]["key"] = value
        case "run":
            told["variants"][0]["runs"][1]["run"] = value
        case "untrained":
            told["variants"][0]["untrained"][0]["run"] = value
        case _:
            told[place] = value
    return told


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("budget", "the budget"),
        ("train_key", "the photos or positions that are trained on"),
        ("run", "the recipe of 'CRN'"),
        ("untrained", "the recipe of 'CRN'"),
        ("test", "the photos or positions of cambridge/test"),
    ],
)
def test_results_of_other_settings_are_not_mixed(tmp_path: Path, place: str, said: str) -> None:
    folder = ResultsFolder(tmp_path)
    begin(folder, record())
    before = folder.record_path("table1").read_bytes()
    with pytest.raises(UsageError, match="not mixed") as raised:
        begin(folder, changed(place, "other"))
    assert said in str(raised.value)
    assert folder.record_path("table1").read_bytes() == before


def test_half_a_record_is_none(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    begin(folder, record())
    path = folder.record_path("table1")
    path.write_bytes(path.read_bytes()[:40])
    assert folder.record("table1") is None
    begin(folder, changed("budget", "paper"))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path / "new" / "folder")
    with folder.held(), pytest.raises(UsageError, match="Another process"), folder.held():
        pass
    with folder.held():
        pass


def test_a_place_that_can_t_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--out"), ResultsFolder(tmp_path / "file").held():
        pass
