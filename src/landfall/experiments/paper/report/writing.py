"""Writing a report's files, and taking away those of an earlier one that are no part of it any more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landfall import files
from landfall.errors import UsageError
from landfall.experiments.paper.report.document import Picture
from landfall.experiments.paper.report.markdown import to_markdown
from landfall.experiments.paper.report.numbers import numbers_of
from landfall.experiments.paper.report.page import to_page
from landfall.experiments.paper.report.sections import document_of
from landfall.experiments.paper.report.summary import summarise
from landfall.experiments.paper.store import ResultsFolder
from landfall.rendering import write_output

NUMBERS = "results.json"


@dataclass(frozen=True, eq=False)
class Report:
    """What was written.

    Attributes:
        files: the report's files.
        numbers: what ``results.json`` holds.
        left_out: test sets whose photos are left out of it.
    """

    files: tuple[Path, ...]
    numbers: dict[str, Any]
    left_out: tuple[str, ...]


def write_report(results: Path, to: Path | None = None, *, with_photos: bool = False) -> Report:
    """Write ``report.md``, ``report.html``, ``results.json`` and plots under ``figures``.

    Args:
        results: the folder of `run_experiments`.
        to: where they go; into ``results`` by default.
        with_photos: take in pictures that hold photos of any dataset; those of a drawn city always are.

    Raises:
        UsageError: no experiment is recorded there, or a file can't be written.
    """
    folder, out = ResultsFolder(results), results if to is None else to
    summaries = summarise(folder)
    if not summaries:
        raise UsageError(
            f"{results} holds no experiment. Run one first: landfall experiment run NAME --train DATASET "
            f"--test DATASET --out {results}"
        )
    drawn = {test.label for summary in summaries for test in summary.tests if test.synthetic}
    left_out: list[str] = []

    def photos_shown(label: str) -> bool:
        if with_photos or label in drawn:
            return True
        left_out.append(label)
        return False

    document = document_of(folder, summaries, photos_shown=photos_shown)
    contents: dict[str, bytes | str] = {}
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Picture):
                contents |= block.files
    numbers = numbers_of(summaries)
    numbers["files"] = sorted(["report.md", "report.html", NUMBERS, *contents])
    contents |= {
        "report.md": to_markdown(document),
        "report.html": to_page(document).render(),
        NUMBERS: json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    _remove_earlier(out, set(contents))
    for name, content in contents.items():
        write_output(out / name, content)
    return Report(tuple(out / name for name in contents), numbers, tuple(left_out))


def _remove_earlier(out: Path, kept: set[str]) -> None:
    """Remove figures that an earlier report wrote there and this one doesn't have: photos among them."""
    before = (files.read_json(out / NUMBERS) or {}).get("files", [])
    for name in before:
        if name not in kept and Path(name).parts[:1] == ("figures",) and ".." not in Path(name).parts:
            (out / name).unlink(missing_ok=True)
