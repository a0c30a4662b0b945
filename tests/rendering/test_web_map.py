from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.rendering import Lines, Points, Popup, Tiles, map_page, map_section
from landfall.rendering.leaflet import leaflet_css, leaflet_js

HOSTILE = "</script><script>alert(1)</script><!-- \" ' & <b>"
JPEG = b"\xff\xd8\xff\xe0 a thumbnail"


def points(x: list[float], y: list[float], **options: object) -> Points:
    return Points("Queries", np.array(x), np.array(y), "#e0751a", **options)  # type: ignore[arg-type]


def data_of(html: str) -> dict[str, object]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', html, flags=re.DOTALL)
    assert len(found) == 1
    read: dict[str, object] = json.loads(found[0])
    return read


def layers_of(html: str) -> list[dict[str, object]]:
    return data_of(html)["layers"]  # type: ignore[return-value]


def test_layers_are_carried_with_popups_and_thumbnails_once() -> None:
    popups = [Popup("a", ("1 m",), ((JPEG, "query"), (JPEG, "match"))), None]
    layer = points([0.1, 0.2], [52.1, 52.2], popups=popups)

    html = map_section([layer]).markup

    (read,) = layers_of(html)
    assert read["x"] == [0.1, 0.2]
    assert read["y"] == [52.1, 52.2]
    assert read["popups"] == [
        {"title": "a", "lines": ["1 m"], "thumbnails": [[0, "query"], [0, "match"]]},
        None,
    ]
    assert len(data_of(html)["images"]) == 1  # type: ignore[arg-type]


@given(st.text())
def test_any_text_reads_back_and_ends_no_element(text: str) -> None:
    html = map_section([points([0.0], [1.0], popups=[Popup(text, (text,))])]).markup

    assert layers_of(html)[0]["popups"] == [{"title": text, "lines": [text], "thumbnails": []}]


def test_hostile_names_do_not_end_the_data() -> None:
    layer = Points(
        HOSTILE, np.zeros(1), np.zeros(1), HOSTILE, [Popup(HOSTILE, (HOSTILE,), ((JPEG, HOSTILE),))]
    )
    tiles = Tiles(HOSTILE, "https://a.example/{z}", HOSTILE, "https://b.example/'\"><script>", 19)

    html = map_page([layer], title=HOSTILE, subtitle=HOSTILE, tiles=tiles).render()

    assert "alert(1)</script>" not in html
    data = data_of(html)
    assert layers_of(html)[0]["name"] == HOSTILE
    # Leaflet puts these two into the page as HTML.
    assert "<script" not in str(data["tiles"]["attribution"])  # type: ignore[index]
    assert "<" not in str(data["tiles"]["name"])  # type: ignore[index]


def test_radii_are_carried_in_metres_and_only_where_there_are_any() -> None:
    layer = points(
        [0.1, np.nan, 0.3, 0.4], [52.1, 52.2, 52.3, 52.4], radius_m=np.array([25.04, 1.0, np.nan, 3.0])
    )
    (read,) = layers_of(map_section([layer]).markup)
    assert read["radius_m"] == [25.0, None, 3.0]
    (plain,) = layers_of(map_section([points([0.1], [52.1])]).markup)
    assert "radius_m" not in plain
    with pytest.raises(ValueError, match="expected one length"):
        map_section([points([0.1], [52.1], radius_m=np.zeros(2))])


def test_unknown_positions_are_left_out_with_their_popups() -> None:
    layer = points([0.1, math.nan, 0.3], [1.0, 2.0, 3.0], popups=[Popup("a"), Popup("b"), Popup("c")])
    lines = Lines("off", np.array([0.0, 1.0]), np.zeros(2), np.array([1.0, math.nan]), np.ones(2), "red")

    first, second = layers_of(map_section([layer, lines]).markup)

    assert first["x"] == [0.1, 0.3]
    assert [p["title"] for p in first["popups"]] == ["a", "c"]  # type: ignore[attr-defined]
    assert (second["x"], second["to_x"], second["to_y"]) == ([0.0], [1.0], [1.0])


def test_bounds_hold_points_and_both_ends_of_lines() -> None:
    lines = Lines("off", np.array([0.0]), np.array([10.0]), np.array([5.0]), np.array([-3.0]), "red")

    data = data_of(map_section([points([2.0], [12.0]), lines]).markup)

    assert data["bounds"] == [[-3.0, 0.0], [12.0, 5.0]]


def test_a_map_across_the_date_line_is_narrow() -> None:
    layers = [points([179.5, -179.5], [0.0, 0.0]), points([-179.0], [0.0])]

    data = data_of(map_section(layers).markup)

    assert data["bounds"] == [[0.0, 179.5], [0.0, 181.0]]
    assert [layer["x"] for layer in layers_of(map_section(layers).markup)] == [[179.5, 180.5], [181.0]]


def test_planar_metres_have_no_tiles_and_are_not_taken_for_degrees() -> None:
    section = map_section([points([-500.0, 500.0], [0.0, 7000.123])], frame="metres")

    data = data_of(section.markup)
    assert data["planar"] is True
    assert data["tiles"] is None
    assert data["bounds"] == [[0.0, -500.0], [7000.123, 500.0]]
    assert section.image_origins == ()


def test_tiles_may_be_refused_or_come_from_elsewhere() -> None:
    assert data_of(map_section([], tiles=None).markup)["tiles"] is None
    own = Tiles("Own", "https://{s}.tiles.example:8443/{z}/{x}/{y}.png", "me", "https://example.org", 17)
    assert map_section([], tiles=own).image_origins == ("https://*.tiles.example:8443",)


def test_a_map_of_nothing_shows_something() -> None:
    assert data_of(map_section([]).markup)["bounds"] == [[-60.0, -150.0], [75.0, 150.0]]
    assert data_of(map_section([points([], [])], frame="metres").markup)["bounds"] == [
        [0.0, 0.0],
        [100.0, 100.0],
    ]


@pytest.mark.parametrize(
    "layer",
    [points([0.0, 1.0], [0.0]), points([0.0, 1.0], [0.0, 1.0], popups=[None]), points([[0.0]], [[0.0]])],  # type: ignore[list-item]
)
def test_columns_of_different_lengths_are_refused(layer: Points) -> None:
    with pytest.raises(ValueError, match="'Queries' has columns"):
        map_section([layer])


def test_leaflet_is_the_stated_version_and_fetches_nothing() -> None:
    assert "Leaflet 1.9.4" in leaflet_js()
    assert "sourceMappingURL" not in leaflet_js()
    assert "</script" not in leaflet_js()
    assert all(link.startswith('"data:') for link in re.findall(r"url\(([^)]*)", leaflet_css()))
