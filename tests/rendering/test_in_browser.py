"""The pages as a reader meets them, with every request that would leave the file counted and stopped."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.rendering import (
    DATABASE_COLOR,
    QUERY_COLOR,
    WRONG_COLOR,
    Curve,
    Lines,
    Page,
    Points,
    Popup,
    SheetPhoto,
    SheetRow,
    facts,
    figure,
    map_page,
    map_section,
    plot_recall,
    sheet_section,
    table,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab
    from tests.conftest import Visitor

pytestmark = pytest.mark.browser

HOSTILE = """<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>"""
MAP = "div.map[data-ready]"


def jpeg(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), color).save(buffer, "JPEG")
    return buffer.getvalue()


def town(popup: Popup | None = None) -> list[Points | Lines]:
    # The query lies in the middle of the database's box, and so in the middle of the map.
    database = Points(
        "Database", np.array([0.10, 0.12, 0.10, 0.12]), np.array([52.20, 52.20, 52.21, 52.21]), DATABASE_COLOR
    )
    query = Points(
        "Queries", np.array([0.11]), np.array([52.205]), QUERY_COLOR, [popup or Popup("query 1")], radius_px=9
    )
    line = Lines(
        "Off by", np.array([0.11]), np.array([52.205]), np.array([0.115]), np.array([52.207]), WRONG_COLOR
    )
    return [database, line, query]


def middle(tab: Tab) -> tuple[float, float]:
    box = tab.locator(MAP).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def grid_pixels(tab: Tab) -> int:
    return int(
        tab.evaluate(
            """() => { const c = document.querySelector("canvas.graticule");
            const a = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            return c.style.visibility === "hidden" ? 0 : a.filter((v, i) => i % 4 === 3 && v > 0).length; }"""
        )
    )


def seen(image: NDArray[np.int16], color: str) -> int:
    return int((np.abs(image - [int(color[i : i + 2], 16) for i in (1, 3, 5)]).max(axis=2) < 24).sum())


def test_offline_the_map_is_whole_and_asks_for_nothing(visit: Visitor, tmp_path: Path) -> None:
    popup = Popup("query 1", ("off by 3.2 m",), ((jpeg("red"), "query"), (jpeg("blue"), "first match")))
    map_page(town(popup), title="Town", subtitle="4 photos").write(tmp_path / "map.html")
    window = visit()

    tab = window.open(tmp_path / "map.html")

    image = window.look()
    assert seen(image, DATABASE_COLOR) > 4 * 60
    assert seen(image, QUERY_COLOR) > 150
    assert seen(image, WRONG_COLOR) > 20
    assert grid_pixels(tab) > 1000
    scale = tab.locator(".leaflet-control-scale-line").inner_text()
    assert scale.endswith(" m")

    tab.mouse.click(*middle(tab))
    tab.wait_for_selector(".leaflet-popup-content h3")
    assert tab.locator(".leaflet-popup-content h3").inner_text() == "query 1"
    assert tab.locator(".leaflet-popup-content p").inner_text() == "off by 3.2 m"
    assert tab.locator(".leaflet-popup-content figcaption").all_inner_texts() == ["query", "first match"]
    widths = tab.evaluate(
        "[...document.querySelectorAll('.leaflet-popup-content img')].map((i) => i.naturalWidth)"
    )
    assert widths == [80, 80]

    tab.mouse.wheel(0, -400)
    assert window.comes_true(lambda: tab.locator(".leaflet-control-scale-line").inner_text() != scale)
    assert window.comes_true(lambda: grid_pixels(tab) > 1000)
    assert window.requests == []
    assert window.complaints == []


def test_layers_can_be_switched_off(visit: Visitor, tmp_path: Path) -> None:
    map_page(town(), title="Town").write(tmp_path / "map.html")
    window = visit()
    tab = window.open(tmp_path / "map.html")
    before = seen(window.look(), DATABASE_COLOR)

    labels = tab.locator(".leaflet-control-layers-overlays label")
    assert [" ".join(text.split()) for text in labels.all_inner_texts()] == [
        "Database 4",
        "Off by 1",
        "Queries 1",
    ]
    labels.first.click()

    # The name's own dot in the list stays.
    assert window.comes_true(lambda: seen(window.look(), DATABASE_COLOR) < before / 2)


def test_online_without_an_answer_the_grid_stays(visit: Visitor, tmp_path: Path) -> None:
    map_page(town(), title="Town").write(tmp_path / "map.html")
    window = visit(offline=False)

    tab = window.open(tmp_path / "map.html")
    tab.wait_for_selector(".map-note")

    assert len(window.requests) >= 4
    assert all(url.startswith("https://tile.openstreetmap.org/") for url in window.requests)
    assert grid_pixels(tab) > 1000
    assert tab.locator(".leaflet-control-layers-base input").nth(0).is_checked()
    assert seen(window.look(), QUERY_COLOR) > 150
    # Chromium itself notes each picture that did not come; the page has no error of its own.
    assert all("net::ERR_FAILED" in text for text in window.complaints)


def test_online_tiles_are_shown_with_their_credit(visit: Visitor, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), "#aaddaa").save(buffer, "PNG")
    map_page(town(), title="Town").write(tmp_path / "map.html")
    window = visit(
        offline=False, answer=lambda route: route.fulfill(body=buffer.getvalue(), content_type="image/png")
    )

    tab = window.open(tmp_path / "map.html")
    tab.wait_for_selector(".leaflet-tile-loaded")

    assert window.comes_true(lambda: seen(window.look(), "#aaddaa") > 300_000)
    assert tab.locator(".leaflet-control-attribution").inner_text() == "© OpenStreetMap contributors"
    assert tab.locator(".map-note").count() == 0
    assert window.complaints == []


def test_tiles_are_tried_once_the_browser_comes_online(visit: Visitor, tmp_path: Path) -> None:
    map_page(town(), title="Town").write(tmp_path / "map.html")
    window = visit()
    tab = window.open(tmp_path / "map.html")
    tab.wait_for_timeout(300)
    assert window.requests == []

    window.context.set_offline(False)

    assert window.comes_true(lambda: bool(window.requests))


def test_a_planar_map_is_in_metres_and_never_asks(visit: Visitor, tmp_path: Path) -> None:
    layers = [Points("Database", np.array([0.0, 400.0]), np.array([0.0, 300.0]), DATABASE_COLOR)]
    map_page(layers, title="Walk", frame="metres").write(tmp_path / "map.html")
    window = visit(offline=False)

    tab = window.open(tmp_path / "map.html")
    tab.wait_for_timeout(300)

    assert seen(window.look(), DATABASE_COLOR) > 100
    assert grid_pixels(tab) > 1000
    # 400 m span some 700 pixels, and the bar is at most 130 pixels long.
    assert tab.locator(".leaflet-control-scale-line").inner_text() == "50 m"
    assert tab.locator(".leaflet-control-layers-base input").count() == 0
    assert window.requests == []
    assert window.complaints == []


def test_hostile_names_are_shown_as_text(visit: Visitor, tmp_path: Path) -> None:
    popup = Popup(HOSTILE, (HOSTILE,), ((jpeg("red"), HOSTILE),))
    layers = [Points(HOSTILE, np.array([0.1]), np.array([52.0]), QUERY_COLOR, [popup])]
    sheet = sheet_section([SheetRow(SheetPhoto(HOSTILE, jpeg("red")), [SheetPhoto(HOSTILE, None)])])
    page = Page("Names").section(HOSTILE, map_section(layers)).section("s", sheet)
    page.write(tmp_path / "map.html")
    window = visit()

    tab = window.open(tmp_path / "map.html")
    tab.mouse.click(*middle(tab))
    tab.wait_for_selector(".leaflet-popup-content h3")

    assert tab.locator(".leaflet-popup-content h3").inner_text() == HOSTILE
    assert tab.locator(".leaflet-popup-content p").inner_text() == HOSTILE
    assert tab.locator(".leaflet-control-layers-overlays label").inner_text().startswith("<img src=x")
    assert tab.title() == "Names"
    assert window.complaints == []


def test_twenty_thousand_points_are_drawn(visit: Visitor, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.0, 0.5, 20_000), rng.uniform(52.0, 52.3, 20_000)
    map_page([Points("Database", x, y, DATABASE_COLOR, radius_px=3)], title="City").write(
        tmp_path / "map.html"
    )
    window = visit()

    tab = window.open(tmp_path / "map.html")

    # One canvas holds them all: no element for each.
    assert tab.locator(f"{MAP} *").count() < 200
    assert seen(window.look(), DATABASE_COLOR) > 50_000


def report() -> Page:
    ks = np.array([1.0, 5.0, 10.0, 20.0])
    plot = plot_recall(
        [Curve("gem", ks, np.array([70.0, 80.0, 90.0, 95.0]))], title="Recall", image_format="svg"
    )
    matches = [SheetPhoto(f"database/{i}.jpg", jpeg("blue"), error_m=i * 9.0, right=i < 3) for i in range(5)]
    return (
        Page("Report", subtitle="A town")
        .section("Figures", facts({"photos": 400, "first match within 25 m": "87.0 %"}))
        .section("Where", map_section(town()), map_section(town()))
        .section(
            "Recall",
            table(["model", *"abcdefghij"], [["a model with a long name", *range(10)]]),
            figure(plot, alt=""),
        )
        .section(
            "Sheet", sheet_section([SheetRow(SheetPhoto("queries/" + 30 * "long", jpeg("red")), matches)])
        )
    )


@pytest.mark.parametrize("width", [1200, 360])
def test_a_report_fits_its_window_and_asks_for_nothing(visit: Visitor, tmp_path: Path, width: int) -> None:
    report().write(tmp_path / "report.html")
    window = visit(viewport={"width": width, "height": 800}, is_mobile=width < 500, has_touch=width < 500)

    tab = window.open(tmp_path / "report.html")

    assert tab.locator(MAP).count() == 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    broken = tab.evaluate("[...document.images].filter((i) => !i.complete || !i.naturalWidth).length")
    assert broken == 0
    # A phone's map keeps its list of layers folded.
    assert tab.locator(".leaflet-control-layers-expanded").count() == (2 if width > 500 else 0)
    assert window.requests == []
    assert window.complaints == []


@pytest.mark.parametrize(("scheme", "brightness"), [("light", (200, 255)), ("dark", (0, 60))])
def test_pages_follow_the_readers_scheme(
    visit: Visitor, tmp_path: Path, scheme: str, brightness: tuple[int, int]
) -> None:
    report().write(tmp_path / "report.html")
    map_page(town(), title="Town").write(tmp_path / "map.html")
    for name in ("report.html", "map.html"):
        window = visit(color_scheme=scheme)
        window.open(tmp_path / name)
        assert brightness[0] <= float(np.median(window.look())) <= brightness[1]
