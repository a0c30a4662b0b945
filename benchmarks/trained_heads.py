"""Render the five heads before and after training as the table that the README shows.

``python benchmarks/trained_heads.py`` reads ``results/results.json``, which ``landfall experiment report``
writes, and writes ``results/heads.md``. It measures nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"
RANKS = ("1", "5", "10", "20")
UNTRAINED = ", untrained"


def table(results: dict[str, Any]) -> str:
    """Return a Markdown table: a row a head, before and after training on each test set."""
    tests = results["experiments"]["table1"]["tests"]
    header = ["head"] + [f"{test['label']} {when}" for test in tests for when in ("untrained", "trained")]
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    labels = [row["label"] for row in tests[0]["rows"] if row["trained"]]
    for label in labels:
        cells = [label]
        for test in tests:
            rows = {row["label"]: row for row in test["rows"]}
            cells += [_recall(rows[label + UNTRAINED]), _recall(rows[label])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _recall(row: dict[str, Any]) -> str:
    """Return recall at each rank, with the interval at the first; blank for a run that is not there."""
    if row["recall"] is None:
        return ""
    low, high = row["recall_ci95"]["1"]
    first, *others = (f"{row['recall'][rank]:.1f}" for rank in RANKS)
    return " / ".join([f"{first} [{low:.1f}, {high:.1f}]", *others])


if __name__ == "__main__":
    read = json.loads((RESULTS / "results.json").read_text(encoding="utf-8"))
    (RESULTS / "heads.md").write_text(table(read), encoding="utf-8")
