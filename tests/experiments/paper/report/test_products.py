"""What experiments make beside recall, in the report: costs, maps, and pictures that hold photos."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.experiments.paper.made_up import ENVIRONMENT, make_results
from tests.experiments.paper.report.test_report import section, table_after

from landfall.experiments.paper.published import TABLE_2_MS, TABLE_2_PARAMETERS
from landfall.experiments.paper.report import write_report
from landfall.experiments.paper.store import ResultsFolder

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def png(grey: int = 128) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), (grey, grey, grey)).save(buffer, "PNG")
    return buffer.getvalue()


def with_product(folder: ResultsFolder, name: str, product: str, made: dict[str, Any]) -> None:
    record = folder.record(name)
    assert record is not None
    folder.write(name, {**record, "products": {product: {"made_of": "0", **made}}})


def text_of(folder: Path) -> str:
    return (folder / "report.md").read_text(encoding="utf-8")


def test_costs_stand_beside_the_paper_s(tmp_path: Path) -> None:
    folder = make_results(tmp_path, ("table2",), seeds=(0,))
    heads = list(TABLE_2_MS)
    ms = {
        head: {"median": 10.0 * n, "low": 9.0 * n, "high": 12.0 * n} for n, head in enumerate(heads, start=1)
    }
    with_product(
        folder,
        "table2",
        "costs",
        {
            "parameters": TABLE_2_PARAMETERS,
            "ms": ms,
            "repeats": 40,
            "size": [240, 320],
            "threads": 1,
            "environment": ENVIRONMENT,
        },
    )
    report = write_report(tmp_path)
    header, *rows = table_after(section(text_of(tmp_path), "table2"), "## Table 2")
    told = {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}
    assert told["CRN"]["parameters paper"] == told["CRN"]["parameters ours"] == "545,961"
    # The K80's ratio to NetVLAD: 21.51 / 20.64.
    assert told["CRN"]["ms a photo paper (K80)"] == "21.51 1.04 x"
    place = heads.index("CRN") + 1
    ratio = place / (heads.index("NetVLAD") + 1)
    ours = f"{10 * place}.00 [{9 * place}.00, {12 * place}.00] {ratio:.2f} x"
    assert told["CRN"]["ms a photo ours"] == ours
    assert "processor time of one thread, A processor" in text_of(tmp_path)
    assert report.numbers["experiments"]["table2"]["products"]["costs"]["ms"] == ms
    assert "made_of" not in report.numbers["experiments"]["table2"]["products"]["costs"]


def test_costs_that_are_not_measured_are_blank(tmp_path: Path) -> None:
    make_results(tmp_path, ("table2",), seeds=(0,), missing=("CRN2",))
    write_report(tmp_path)
    text = section(text_of(tmp_path), "table2")
    header, *rows = table_after(text, "## Table 2")
    assert "Not finished" in text
    assert all(row[header.index("ms a photo ours")] == "" for row in rows)


def test_maps_are_taken_in(tmp_path: Path) -> None:
    folder = make_results(tmp_path / "results", ("figure3",))
    pictures = folder.pictures("figure3")
    pictures.mkdir()
    (pictures / "town-test.png").write_bytes(png())
    (pictures / "town-test.svg").write_bytes(SVG)
    made = {
        "label": "town/test",
        "database": 100,
        "queries": 60,
        "png": "town-test.png",
        "svg": "town-test.svg",
    }
    with_product(folder, "figure3", "positions", {"maps": [made]})
    write_report(folder.root, tmp_path / "to")
    assert (tmp_path / "to/figures/figure3-town-test.svg").read_bytes() == SVG
    assert "### town/test (drawn city, synthetic)" in text_of(tmp_path / "to")


@pytest.fixture
def visual(tmp_path: Path) -> ResultsFolder:
    """Pictures of a dataset of photos, and of a drawn city."""
    folder = make_results(tmp_path / "results", ("visual",), seeds=(0,))
    folder.pictures("visual").mkdir()
    told = []
    for label in ("cambridge/test", "town/test"):
        name = f"{label.replace('/', '-')}-1.png"
        (folder.pictures("visual") / name).write_bytes(png())
        picture = {"png": name, "right": {"NetVLAD": True, "Base": False}, "error_m": {}}
        told.append({"label": label, "reference": "NetVLAD", "pictures": [picture]})
    with_product(folder, "visual", "attention", {"tests": told})
    return folder


def test_photos_are_left_out_unless_they_are_drawn(visual: ResultsFolder, tmp_path: Path) -> None:
    report = write_report(visual.root, tmp_path / "to")
    assert report.left_out == ("cambridge/test",)
    written = {path.name for path in (tmp_path / "to/figures").iterdir()}
    assert written == {"visual-town-test-1.jpg"}
    text = text_of(tmp_path / "to")
    assert "1 pictures hold photos of cambridge/test and are left out" in text
    assert "right: NetVLAD" in text
    content = (tmp_path / "to/report.html").read_bytes()
    assert b"cambridge-test-1" not in content


def test_photos_are_taken_in_when_asked_for_and_go_again(visual: ResultsFolder, tmp_path: Path) -> None:
    to = tmp_path / "to"
    report = write_report(visual.root, to, with_photos=True)
    assert report.left_out == ()
    assert (to / "figures/visual-cambridge-test-1.jpg").exists()
    (to / "figures/my own.png").write_bytes(png())
    write_report(visual.root, to)
    assert not (to / "figures/visual-cambridge-test-1.jpg").exists()
    assert (to / "figures/my own.png").exists()
