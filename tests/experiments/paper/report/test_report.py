"""The report of results that are made up: every number in its place, the same bytes, no path."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.experiments.paper.made_up import ENVIRONMENT, KS, hash_of, hits_of, make_results

from landfall.errors import UsageError
from landfall.experiments.paper.published import FIGURE_5, TABLE_1
from landfall.experiments.paper.report import Report, summarise, to_text, write_report
from landfall.experiments.paper.store import ResultsFolder

REPORTED = ("table1", "table3", "figure5", "init")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four experiments with two seeds, CRN2 and the learning rate of 1e-3 missing."""
    return make_results(tmp_path_factory.mktemp("made") / "up", REPORTED, missing=("CRN2", "1e-3")).root


@pytest.fixture(scope="module")
def report(results: Path) -> Report:
    return write_report(results)


@pytest.fixture(scope="module")
def markdown(results: Path, report: Report) -> str:
    return (results / "report.md").read_text(encoding="utf-8")


def section(markdown: str, name: str) -> str:
    """Return the part of an experiment."""
    return markdown.partition(f'<a id="{name}"></a>')[2].partition('<a id="')[0]


def table_after(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table after a heading, header included."""
    lines = text.partition(heading)[2].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [rows[0], *rows[2:]]


def test_it_writes_what_it_says(results: Path, report: Report) -> None:
    names = {path.relative_to(results).as_posix() for path in report.files}
    assert {"report.md", "report.html", "results.json"} < names
    figures = {name for name in names if name.startswith("figures/")}
    stems = {f"figures/{name}-{test}" for name in REPORTED for test in ("cambridge-test", "town-test")}
    assert figures == {f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")}
    assert all(path.stat().st_size for path in report.files)
    assert json.loads((results / "results.json").read_text()) == report.numbers
    assert report.left_out == ()


def test_each_row_has_the_paper_s_number_ours_and_the_difference(results: Path, markdown: str) -> None:
    header, *rows = table_after(section(markdown, "table1"), "### cambridge/test")
    assert header[1:4] == ["R@1 paper", "R@1 ours", "R@1 difference"]
    assert len(header) == 1 + 3 * 4
    for row in rows[:4]:
        label = row[0]
        number = ["NetVLAD", "Base", "GeM", "CRN"].index(label)
        recipe = label.lower()
        hits = [
            hits_of("cambridge/test", hash_of(f"{recipe}-table1{number}r{seed}"), 25.0) for seed in (0, 1)
        ]
        each = 100.0 * np.array([seed.mean(axis=0) for seed in hits])
        for place, rank in enumerate(KS):
            paper, ours, difference = row[1 + 3 * place : 4 + 3 * place]
            assert float(paper) == TABLE_1["pitts30k"][label][rank]
            mean, spread = each[:, place].mean(), each[:, place].std(ddof=1)
            assert ours.startswith(f"{mean:.1f} [")
            assert ours.endswith(f"± {spread:.1f}")
            assert difference.replace("−", "-") == f"{mean - float(paper):+.1f}"


def test_missing_runs_are_blank_beside_the_paper_s_number(markdown: str) -> None:
    _, *rows = table_after(section(markdown, "table1"), "### cambridge/test")
    [missing] = [row for row in rows if row[0].startswith("CRN2 0 of 2 runs")]
    assert missing[1:] == ["81.8", "", "", "90.7", "", "", "93.2", "", "", "95.2", "", ""]
    [untrained] = [row for row in rows if row[0].startswith("CRN2, untrained")]
    assert not any(untrained[1:])
    assert "CRN2 against" not in section(markdown, "table1")


def test_the_reference_comes_first_and_every_variant_is_compared_with_it(markdown: str) -> None:
    text = section(markdown, "table1")
    _, *rows = table_after(text, "### cambridge/test")
    assert rows[0][0] == "NetVLAD"
    told = text.partition("### town")[0]
    for label in ("Base", "GeM", "CRN"):
        assert len(re.findall(rf"- {label} against NetVLAD: [+−][\d.]+ points, 95 % interval", told)) == 1
        assert len(re.findall(rf"- {label} trained against untrained: [+−][\d.]+ points", told)) == 1


def test_thresholds_are_the_rows_of_figure_5(markdown: str) -> None:
    text = section(markdown, "figure5")
    _, *rows = table_after(text, "### cambridge/test")
    assert [row[0].split(" ceiling ") for row in rows] == [
        ["25 m", "96.0"],
        ["10 m", "90.0"],
        ["50 m", "98.0"],
    ]
    for row, metres in zip(rows, ("25 m", "10 m", "50 m"), strict=True):
        assert float(row[1]) == FIGURE_5["pitts30k"][metres][1]
    # Each row's protocol is named: they don't compare with each other.
    assert all(f"cambridge/test {metres}, all queries" in text for metres in ("25 m", "10 m", "50 m"))


def test_where_the_paper_has_no_number_there_is_no_column_for_it(markdown: str) -> None:
    header, *_ = table_after(section(markdown, "init"), "### cambridge/test")
    assert header == ["", "R@1", "R@5", "R@10", "R@20"]
    header, *_ = table_after(section(markdown, "table3"), "### town/test")
    assert "R@1 paper" not in header


def test_data_and_protocol_stand_beside_every_number(markdown: str) -> None:
    for name in REPORTED:
        text = section(markdown, name)
        for label in ("cambridge/test", "town/test"):
            assert f"{label} 25 m, all queries (" in text
    first = section(markdown, "table1")
    assert "ours of cambridge/test, other photos: a difference says nothing" in first
    # Numbers of the drawn city say so wherever they are named.
    assert all(
        "(drawn city, synthetic)" in line for line in markdown.splitlines() if line.startswith("### town")
    )
    assert "ours of town/test (drawn city, synthetic), other photos" in first


def test_steps_usable_queries_and_best_epochs_are_told(markdown: str) -> None:
    header, *rows = table_after(section(markdown, "table1"), "Trained on cambridge/train")
    assert header == [
        "",
        "changed in the recipe",
        "usable queries",
        "height x width",
        "steps",
        "best epoch",
        "hours",
    ]
    assert rows[0] == ["NetVLAD", "optimizer.lr=1e-4", "40", "240 x 320", "30", "2", "1.00, 1.00"]
    assert rows[4] == ["CRN2", "optimizer.lr=1e-4", "44", "240 x 320", "", "", ""]
    assert "All trainings took the same number of steps" in section(markdown, "table1")


def test_every_experiment_is_named_run_or_not(markdown: str) -> None:
    _, *rows = table_after(markdown, "## What was run")
    states = {row[2]: row[5] for row in rows}
    assert states["table1"] == "16 of 20 runs"
    assert states["figure5"] == "2 of 2 runs"
    assert states["figure7"] == "not run"
    assert len(states) == 12


def test_the_end_tells_environment_commit_seeds_and_hours(markdown: str) -> None:
    text = section(markdown, "made")
    header, row = table_after(text, "## How it was made")
    told = dict(zip(header, row, strict=True))
    assert told["commit"] == ENVIRONMENT["commit"]
    assert told["torch"] == ENVIRONMENT["torch"]
    # 2 seeds of 4 heads, 2 rates, 1 and 2 ways to start, an hour each.
    assert "18 finished trainings, 18.00 hours" in text
    assert "seeds 0, 1" in text
    assert len(re.findall(r"^\| netvlad-", text, flags=re.MULTILINE)) == 2 * (1 + 2 + 1 + 2)


def test_no_two_numbers_of_the_report_disagree(report: Report, markdown: str) -> None:
    told = report.numbers["experiments"]["table1"]["tests"][0]
    _, *rows = table_after(section(markdown, "table1"), "### cambridge/test")
    assert [row["label"] for row in told["rows"]] == [re.sub(r" 0 of 2 runs$", "", row[0]) for row in rows]
    for told_row, row in zip(told["rows"], rows, strict=True):
        if told_row["recall"] is None:
            assert told_row["runs_planned"] == 2
            continue
        low, high = told_row["recall_ci95"]["1"]
        assert (
            row[2]
            == f"{told_row['recall']['1']:.1f} [{low:.1f}, {high:.1f}] ± {told_row['recall_std']['1']:.1f}"
        )
    # All pairs of the four heads that ran, and each against its start.
    pairs = {(each["label"], each["reference"]) for each in told["comparisons"]}
    assert len(pairs) == 4 * 3 / 2 + 4
    assert ("CRN", "GeM") in pairs
    assert all(
        f"- {each['text']}" in markdown for each in told["comparisons"] if each["reference"] == "NetVLAD"
    )


def test_the_terminal_is_told_the_same(results: Path, report: Report) -> None:
    text = to_text(summarise(ResultsFolder(results)))
    told = report.numbers["experiments"]["figure5"]["tests"][0]["rows"]
    table = text.partition("figure5: Test positive distance on cambridge/test")[2].splitlines()
    assert table[2].split() == ["usable", "steps", "ceiling", "R@1", "R@5", "R@10", "R@20"]
    for line, row in zip(table[3:6], told, strict=True):
        words = line.split()
        assert words[:5] == [*row["label"].split(), "40", "30", f"{row['ceiling']:.1f}"]
        assert words[5] == f"{row['recall']['1']:.1f}"
        assert words[-3:] == [f"{row['recall'][rank]:.1f}" for rank in ("5", "10", "20")]
    assert "table2" not in text


def test_written_elsewhere_it_is_the_same_bytes_and_nothing_else(
    results: Path, report: Report, tmp_path: Path
) -> None:
    again = write_report(results, tmp_path / "elsewhere")
    for first, second in zip(report.files, again.files, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes(), first.name
    found = {path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()}
    assert found == set(again.files)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told: dict[str, Any] = dict(attrs)
        if tag not in ("meta", "img", "source", "br", "link"):
            self.open.append(tag)
        if "id" in told:
            self.anchors.add(told["id"])
        if "href" in told:
            self.links.append(told["href"])
        self.sources += [told[key] for key in ("src", "srcset") if key in told]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_holds_all_that_it_shows(results: Path, report: Report) -> None:
    reader = _Reader()
    reader.feed((results / "report.html").read_text(encoding="utf-8"))
    assert reader.open == []
    assert {link.removeprefix("#") for link in reader.links} == set(REPORTED)
    assert set(REPORTED) < reader.anchors
    # Each plot for light pages and for dark ones.
    assert len(reader.sources) == 2 * 2 * len(REPORTED)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in reader.sources)


def test_no_path_of_this_machine_is_told(results: Path, report: Report) -> None:
    for path in report.files:
        assert str(results).encode() not in path.read_bytes(), path.name
        assert str(Path.home()).encode() + b"/" not in path.read_bytes(), path.name


def test_changes_that_others_go_over_are_not_told_as_made(tmp_path: Path) -> None:
    folder = make_results(tmp_path, ("figure6",), seeds=(0,))
    record = folder.record("figure6")
    assert record is not None
    folder.write("figure6", {**record, "set": ["augmentation.flip=0.1", "optimizer={lr: 1e-4}"]})
    write_report(tmp_path)
    _, *rows = table_after((tmp_path / "report.md").read_text(encoding="utf-8"), "training queries")
    [moved] = [row for row in rows if row[0] == "flip + rotate"]
    assert moved[1] == "augmentation.rotation_deg=30, memory.features_mb=0"


def test_failed_runs_are_named(tmp_path: Path) -> None:
    folder = make_results(tmp_path, ("table3",), missing=("1e-3",))
    record = folder.record("table3")
    assert record is not None
    failed = {"label": "1e-3", "seed": 0, "trained": True, "error": "the loss is nan"}
    folder.write("table3", {**record, "failed": [failed]})
    write_report(tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "4 of 6 runs, 1 failed" in text
    assert "- 1e-3, seed 0: the loss is nan" in text


def test_an_experiment_of_which_nothing_ran_is_a_blank_table(tmp_path: Path) -> None:
    make_results(tmp_path, ("mining",), missing=("partial", "full", "random"))
    report = write_report(tmp_path)
    assert report.numbers["hours"] == 0.0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    _, *rows = table_after(section(text, "mining"), "### cambridge/test")
    assert [row[1:] for row in rows] == [[""] * 4] * 3
    assert not (tmp_path / "figures").exists()


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="landfall experiment run"):
        write_report(tmp_path)
