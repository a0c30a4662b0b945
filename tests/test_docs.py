"""The documents name files, commands and options that exist."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_named_in_a_document_exist(document: Path) -> None:
    named = re.findall(r"`((?:src|tests|docs|benchmarks|results)/[\w./-]+)`", document.read_text())
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_the_paper_s_table_names_code_and_tests_for_each_section() -> None:
    rows = [line for line in (ROOT / "docs/paper.md").read_text().splitlines() if line.startswith("| ")]
    for row in rows[1:]:
        assert "`src/landfall/" in row
        assert "`tests/" in row
        assert "`landfall " in row


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_a_document_are_understood(document: Path) -> None:
    commands = set(
        re.findall(r"(?:^|`)landfall ((?:[a-z]+ ?){1,2})", document.read_text(), flags=re.MULTILINE)
    )
    landfall = Path(sys.executable).with_name("landfall")
    for command in sorted(commands):
        words = command.split()
        verb = words if words[0] in ("dataset", "models", "index", "experiment") else words[:1]
        done = subprocess.run([landfall, *verb, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)


def test_the_readme_s_table_is_the_one_that_was_measured() -> None:
    assert (ROOT / "benchmarks/results/untrained_heads.md").read_text() in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", document.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_the_readme_s_trained_heads_are_those_of_the_results() -> None:
    table = runpy.run_path(str(ROOT / "benchmarks/trained_heads.py"))["table"]
    rendered = table(json.loads((ROOT / "results/results.json").read_text()))
    assert (ROOT / "results/heads.md").read_text() == rendered
    assert rendered in (ROOT / "README.md").read_text()
