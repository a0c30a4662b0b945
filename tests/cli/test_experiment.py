"""``landfall experiment`` as a command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.experiments.paper.made_up import make_results
from tests.experiments.paper.places import make_places
from tests.experiments.paper.street_run import SMALL
from tests.training.street import draw_street

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_list_names_every_experiment(landfall: Run) -> None:
    done = landfall("experiment", "list", "--json", "-")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    names = [each["name"] for each in told]
    assert names[:3] == ["table1", "table2", "table3"]
    assert {f"figure{number}" for number in range(3, 8)} <= set(names)
    assert told[0]["variants"] == ["NetVLAD", "Base", "GeM", "CRN", "CRN2"]
    shown = landfall("experiment", "list")
    assert all(name in shown.stdout for name in (*names, "all"))


def test_run_goes_on_and_report_tells(landfall: Run, tmp_path: Path) -> None:
    street, out = draw_street(tmp_path / "street", places=6), tmp_path / "results"
    changes = [word for change in SMALL for word in ("--set", change)]
    command = (
        "experiment", "run", "figure5", "--train", street, "--test", street, "--test-split", "val",
        "--out", out, "--budget", "6", "--device", "cpu", *changes,
    )  # fmt: skip
    done = landfall(*command, "--json", tmp_path / "told.json")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    told = json.loads((tmp_path / "told.json").read_text())["figure5"]
    assert told["command"].startswith("landfall experiment run figure5 --train street --test street")
    assert str(tmp_path) not in json.dumps(told)

    again = landfall(*command)
    assert again.returncode == 0, again.stderr
    assert "measuring" not in again.stderr
    assert "figure5: Test positive distance on street/val" in again.stdout
    assert "50 m" in again.stdout
    assert "Training" not in again.stderr

    changed = landfall(*command, "--set", "optimizer.lr=3e-5")
    assert changed.returncode == 2
    assert "the recipe of 'NetVLAD'" in changed.stderr
    assert "--out" in changed.stderr

    report = landfall("experiment", "report", out, "--to", tmp_path / "report", "--json", "-")
    assert report.returncode == 0, report.stderr
    assert json.loads(report.stdout) == json.loads((tmp_path / "report/results.json").read_text())
    for path in (tmp_path / "report").rglob("*.*"):
        assert str(tmp_path).encode() not in path.read_bytes(), path.name


def test_report_says_where_it_is_and_what_is_left_out(landfall: Run, tmp_path: Path) -> None:
    make_results(tmp_path / "made", ("mining",), seeds=(0,))
    done = landfall("experiment", "report", tmp_path / "made")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "made/report.html")
    assert Path(done.stdout.strip()).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tabel1",), "table1"),
        (("table3", "--budget", "fast"), "paper, quick, or a number"),
        (("table3", "--set", "optimizer.lr=1e-4"), "are the same"),
        (("table3", "--set", "seed=3"), "--seeds"),
        (("table3", "--set", "optimizer.rl=3"), "optimizer.lr"),
        (("table3", "--train", "nowhere"), "nowhere"),
        (("table3", "--test", "nowhere"), "nowhere"),
    ],
)
def test_wrong_usage_is_told_before_anything_begins(
    landfall: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    places = make_places(tmp_path / "places")
    given = {"--train": places, "--test": places, "--out": tmp_path / "results"}
    rest = [word for option, value in given.items() if option not in arguments for word in (option, value)]
    done = landfall(
        "experiment", "run", *arguments, *rest, "--test-split", "val", "--set", "mining.negatives=3"
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_report_of_nothing_says_how_to_begin(landfall: Run, tmp_path: Path) -> None:
    done = landfall("experiment", "report", tmp_path)
    assert done.returncode == 2
    assert "landfall experiment run" in done.stderr
