"""The whole way on the drawn city: draw it, index one pass, localize another, evaluate, tell it in a page.

The queries' true positions are known, so that the page can say how far each answer is off. The same calls as
``index build``, ``localize`` and ``evaluate`` make do all of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import Dataset, load_dataset
from landfall.datasets.city import SIZES, draw_city
from landfall.errors import UsageError
from landfall.evaluation import Evaluation, evaluate_descriptors
from landfall.evaluation.evaluation import photo_label
from landfall.experiments.evaluate import EvaluationRun
from landfall.experiments.evaluation_report import write_report
from landfall.experiments.sheets import choose_queries, contact_rows
from landfall.extraction import stream
from landfall.geo import Positions, distances_m
from landfall.index import Index
from landfall.index.manifest import MANIFEST
from landfall.localization import Fix, build_index, localize
from landfall.models import Model
from landfall.photos import PhotoProblem
from landfall.rendering import (
    DATABASE_COLOR,
    FIX_COLOR,
    QUERY_COLOR,
    Lines,
    Page,
    Points,
    Popup,
    facts,
    figure,
    map_section,
    paragraph,
    preformatted,
    sheet_section,
)

# Called with what is being done, how much of it is done, and how much there is.
Advance = Callable[[str, int, int], None]
SPLIT = "test"
# Queries on the page's contact sheet.
SHOWN = 12


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        report: the page to open.
        evaluation: recall on the drawn city.
        fix_errors_m: (Q,) metres between each answer and the truth; NaN where a photo could not be read.
        seconds: by step.
    """

    report: Path
    evaluation: Evaluation
    fix_errors_m: NDArray[np.float64]
    seconds: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as ``landfall demo --json`` writes them."""
        known = self.fix_errors_m[np.isfinite(self.fix_errors_m)]
        return {
            "report": str(self.report),
            "data": "the drawn city (synthetic)",
            "evaluation": self.evaluation.to_dict(),
            "fix_error_m": {
                "median": float(np.median(known)) if len(known) else None,
                "within_25_percent": 100.0 * float((known <= 25.0).sum()) / len(self.fix_errors_m),
            },
            "seconds": self.seconds,
        }


def run_demo(
    out: Path,
    model: Model,
    *,
    size: Literal["tiny", "demo"] = "demo",
    seed: int = 0,
    workers: int | None = None,
    advance: Advance = lambda *_: None,
) -> Demo:
    """Draw a city into ``out``, index its first pass, localize its second, and write ``report.html``.

    Run again, it reuses what is there: the drawn photos and the index.

    Args:
        out: made if it is missing.
        model: what describes the photos.
        size: of the city: some 400 photos, or 56 small ones, which is enough to see that all works.
        seed: of the city and of everything else.
        workers: threads that read photos.
        advance: told what is being done, how much of it is done, and how much there is.

    Raises:
        UsageError: ``out`` holds a city or an index of another size, seed or model, or can't be written.
    """
    _check_place(out)
    clock = _Clock()
    with clock.step("draw the city"):
        photos = SIZES[size].photos
        root = draw_city(
            out / "city",
            size=size,
            seed=seed,
            workers=workers,
            progress=lambda done: advance("Drawing", done, photos),
        )
    dataset = load_dataset(root, SPLIT)
    with clock.step("build the index"):
        index = _index_of(dataset, out / "city.lf", model, seed, workers, advance)
    with clock.step("localize the second pass"):
        fixes = localize(
            dataset.queries.paths,
            index,
            names=dataset.queries.names,
            workers=workers,
            progress=lambda done, _: advance("Localizing", done, len(dataset.queries)),
        )
    with clock.step("evaluate"):
        run = _evaluated(dataset, index, fixes, seed, workers)
    errors_m = _errors_m(fixes, dataset)
    with clock.step("write the report"):
        write_report(run, out / "evaluation", shown=SHOWN, seed=seed)
        made = Demo(out / "report.html", run.evaluation, errors_m, clock.seconds)
        _page(made, run, fixes, command=_command(out, run, size, seed)).write(made.report)
    return made


def _check_place(out: Path) -> None:
    """Refuse a folder that holds anything but an earlier demo."""
    held = {path.name for path in out.iterdir()} if out.is_dir() else set()
    strange = sorted(held - {"city", "city.lf", "evaluation", "report.html", "report.html.tmp"})
    if strange:
        raise UsageError(
            f"{out} holds other things ({', '.join(strange[:3])}). Choose a new or an empty folder."
        )


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)


def _index_of(
    dataset: Dataset, path: Path, model: Model, seed: int, workers: int | None, advance: Advance
) -> Index:
    """Return the index of the first pass: the one there if it is of this city and model, or a new one.

    Raises:
        UsageError: the one that is there is of another city or another model.
    """
    if (path / MANIFEST).exists():
        index = Index.open(path)
        kept, asked = index.manifest.model, model.card
        # A model that is fitted has its hash only afterwards; that of a checkpoint tells its weights apart.
        if kept.name != asked.name or asked.sha256 not in (None, kept.sha256):
            raise UsageError(
                f"{path} was made with another model: {kept.name}, and this demo is asked to use "
                f"{asked.name}. Choose another folder, or delete that one."
            )
        if not {photo.photo for photo in index.photos()} <= set(dataset.database.names):
            raise UsageError(
                f"{path} is of another city than {dataset.root}. Choose another folder, or delete that one."
            )
        return index
    return build_index(
        dataset.database.root,
        path,
        model=model,
        seed=seed,
        workers=workers,
        progress=lambda told: advance("Describing", told.done, told.total),
    ).index


def _evaluated(
    dataset: Dataset, index: Index, fixes: list[Fix], seed: int, workers: int | None
) -> EvaluationRun:
    """Return recall on the same descriptors that the index holds."""
    row_of = {name: row for row, name in enumerate(dataset.database.names)}
    database_rows = np.array([row_of[photo.photo] for photo in index.photos()], dtype=np.int64)
    started = time.monotonic()
    batches = list(stream(dataset.queries.paths, index.model, workers=workers))
    described_s = time.monotonic() - started
    queries = np.concatenate([batch.descriptors for batch in batches])
    evaluation = evaluate_descriptors(
        dataset,
        index.descriptors,
        queries,
        thresholds_m=(25.0,),
        seed=seed,
        database_rows=database_rows,
        query_rows=np.concatenate([batch.rows for batch in batches]),
    )
    why = {
        photo_label(dataset, dataset.queries, row): fix.error
        for row, fix in enumerate(fixes)
        if fix.error is not None
    }
    evaluation = evaluation.with_extraction(
        model=index.manifest.model.name,
        photos_per_s=len(queries) / described_s,
        failed=[PhotoProblem(each.photo, why.get(each.photo, each.reason)) for each in evaluation.failed],
    )
    return EvaluationRun(dataset, index.model, evaluation)


def _errors_m(fixes: list[Fix], dataset: Dataset) -> NDArray[np.float64]:
    found = Positions.from_latlon(
        np.array([np.nan if fix.location is None else fix.location.lat for fix in fixes]),
        np.array([np.nan if fix.location is None else fix.location.lon for fix in fixes]),
    )
    return distances_m(found, dataset.queries.positions)


def _command(out: Path, run: EvaluationRun, size: str, seed: int) -> str:
    """Return the command that makes the same page, without the folder's path, which is the user's own."""
    smaller = "" if size == "demo" else f" --size {size}"
    return f"landfall demo --out {out.name} --model {run.evaluation.model}{smaller} --seed {seed}"


def _page(demo: Demo, run: EvaluationRun, fixes: list[Fix], *, command: str) -> Page:
    errors = demo.to_dict()["fix_error_m"]
    evaluation, dataset = run.evaluation, run.dataset
    page = Page(
        "Landfall: where was this photo taken?",
        subtitle="A town drawn from a seed and photographed twice; all numbers are synthetic.",
    )
    page.section(
        "In short",
        facts(
            {
                "photos indexed": evaluation.database,
                "photos localized": evaluation.queries,
                "within 25 m": f"{errors['within_25_percent']:.0f} %",
                "median error": f"{errors['median']:.0f} m",
                "model": evaluation.model or "",
            }
        ),
        paragraph(
            "One pass through the town was indexed with its positions. A second pass, at another time of day "
            "and season, from the other side of the street and with other cars and people, was localized "
            "from its pixels alone. Lines on the map join each answer to the truth."
        ),
    )
    page.section("Map", map_section(_layers(fixes, dataset, demo.fix_errors_m)))
    rows = contact_rows(dataset, evaluation, choose_queries(evaluation, SHOWN, seed=evaluation.seed))
    page.section(
        "Photos and what they were found by",
        paragraph("Half of the photos shown are ones whose first match is wrong, as far as there are any."),
        sheet_section(rows),
    )
    plots = demo.report.parent / "evaluation"
    page.section(
        "Recall and distance",
        figure((plots / "recall.png").read_bytes(), alt="Recall at 1, 5, 10 and 20, drawn city (synthetic)"),
        figure((plots / "error_curve.png").read_bytes(), alt="Distance errors, drawn city (synthetic)"),
        preformatted(evaluation.to_text()),
    )
    page.section(
        "How this was made",
        preformatted(command),
        preformatted(json.dumps(demo.seconds, indent=2)),
    )
    return page


def _layers(fixes: list[Fix], dataset: Dataset, errors_m: NDArray[np.float64]) -> list[Points | Lines]:
    database, queries = dataset.database.positions, dataset.queries.positions
    found = [i for i, fix in enumerate(fixes) if fix.location is not None]
    lat = np.array([fixes[i].location.lat for i in found])  # type: ignore[union-attr]
    lon = np.array([fixes[i].location.lon for i in found])  # type: ignore[union-attr]
    popups = [Popup(fixes[i].photo, lines=(f"{errors_m[i]:.0f} m from the truth",)) for i in found]
    return [
        Points("Indexed photos", database.lon, database.lat, DATABASE_COLOR, radius_px=3.0),
        Lines("Error", lon, lat, queries.lon[found], queries.lat[found], QUERY_COLOR),
        Points("Truth", queries.lon, queries.lat, QUERY_COLOR, radius_px=4.0),
        Points("Answers", lon, lat, FIX_COLOR, popups=popups, radius_px=5.0),
    ]
