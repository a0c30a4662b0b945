"""The command that is recorded, and drawn cities told from photos."""

from __future__ import annotations

import json
import platform
import re
import shlex
from pathlib import Path

from landfall.experiments.paper.environment import environment
from landfall.experiments.paper.seeds import Seeds
from landfall.experiments.paper.task import Task, is_drawn


def test_the_command_finds_everything_by_name() -> None:
    task = Task(
        "/data/my city",
        ("/data/my city", "../gardens"),
        test_split="val",
        budget="500",
        seeds=Seeds(3),
        changes=("model.weights=/home/me/w.pth", "model.head_options={clusters: 4}"),
    )
    words = shlex.split(task.command("table1"))
    assert words == [
        "landfall", "experiment", "run", "table1", "--train", "my city", "--test", "my city", "--test",
        "gardens", "--budget", "500", "--seeds", "3", "--set", "model.weights=w.pth", "--set",
        "model.head_options={clusters: 4}", "--test-split", "val",
    ]  # fmt: skip


def test_a_drawn_city_is_known_by_its_card(tmp_path: Path) -> None:
    assert not is_drawn(tmp_path)
    assert not is_drawn(tmp_path / "table.csv")
    (tmp_path / "city.json").write_text(json.dumps({"synthetic": True}))
    assert is_drawn(tmp_path)
    (tmp_path / "city.json").write_text("{")
    assert not is_drawn(tmp_path)


def test_the_environment_names_versions_and_no_machine() -> None:
    told = environment()
    assert platform.node() not in json.dumps(told)
    assert told["torch"]
    # Of a checkout the commit, of an installed package None.
    assert told["commit"] is None or re.fullmatch(r"[0-9a-f]{12,}(-dirty)?", told["commit"])
