"""The page of fixes: what it holds, and that a browser shows it with no network."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from landfall.index import Index
from landfall.localization import Fix, Track, fixes_page, localize
from landfall.localization import page as module

if TYPE_CHECKING:
    from tests.conftest import Visitor

PLACES = 5


def layers_of(html: str) -> list[dict[str, Any]]:
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', html, flags=re.DOTALL)
    layers: list[dict[str, Any]] = json.loads(data)["layers"]
    return layers


def fixes_of(street: Path, index: Index) -> tuple[list[Fix], dict[str, Path]]:
    paths = {f"query {place}": street / "walk" / f"{place}.jpg" for place in range(PLACES)}
    fixes = localize([*paths.values(), street / "missing.jpg"], index, names=[*paths, "missing.jpg"])
    return fixes, paths


def test_the_map_has_every_indexed_photo_and_every_fix(street: Path, index: Index) -> None:
    fixes, paths = fixes_of(street, index)
    html = fixes_page(fixes, index, paths).render()
    indexed, localized = layers_of(html)
    assert [popup["title"] for popup in indexed["popups"]] == [f"walk/{place}.jpg" for place in range(PLACES)]
    assert [popup["title"] for popup in localized["popups"]] == list(paths)
    assert localized["y"] == pytest.approx(indexed["y"], abs=1e-6)  # each photo is found where it is
    assert all(popup["thumbnails"] for popup in localized["popups"])
    assert "5 photos found among 5 with resnet18-base, 1 failed, 5 are in the index themselves" in html
    assert "is in the index as walk/3.jpg" in html
    assert "no such file" in html


def test_a_track_is_drawn_from_photo_to_photo_and_strangers_are_marked(street: Path, index: Index) -> None:
    fixes, paths = fixes_of(street, index)
    fixes[1] = replace(fixes[1], accepted=False)
    track = Track((4, 1, 0), ("kept", "moved", "kept"), (None,) * 3)
    html = fixes_page(fixes, index, paths, track=track).render()
    _, line, localized = layers_of(html)
    assert (line["name"], line["kind"]) == ("Track", "lines")
    assert (line["y"], line["to_y"]) == ([localized["y"][4], localized["y"][1]], localized["y"][1::-1])
    assert html.count("not in this index") == 2  # in the popup, and under the photo


def test_radius_and_confidence_are_shown_of_answers_that_are_accepted(street: Path, index: Index) -> None:
    fixes, paths = fixes_of(street, index)
    fixes[0] = replace(fixes[0], radius_m=17.5, confidence=0.93, accepted=True)
    fixes[1] = replace(fixes[1], radius_m=400.0, confidence=0.2, accepted=False)
    fixes[2] = replace(fixes[2], matches=(replace(fixes[2].matches[0], inliers=41),))
    html = fixes_page(fixes, index, paths).render()
    _, localized = layers_of(html)
    assert localized["radius_m"] == [17.5, None, None, None, None]
    assert "within 18 m (90 %) · sure to 93 %" in html
    assert "41 features agree" in html
    assert "within 18 m with 90 % probability" in localized["popups"][0]["lines"]


def test_photos_that_moved_away_are_shown_without_pictures(street: Path, index: Index) -> None:
    fixes, paths = fixes_of(street, index)
    shutil.rmtree(street)
    html = fixes_page(fixes, index, paths).render()
    assert "data:image/jpeg" not in html
    assert html.count("walk/0.jpg") > PLACES  # named all the same: on the map, and as a match of each


def test_more_photos_than_a_page_bears_stand_on_the_map_alone(
    street: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PHOTOS_SHOWN", 2)
    fixes, paths = fixes_of(street, index)
    html = fixes_page(fixes, index, paths).render()
    assert "The first 2 of 5 photos." in html
    _, localized = layers_of(html)
    assert [bool(popup["thumbnails"]) for popup in localized["popups"]] == [True, True, False, False, False]


def test_where_nothing_was_found_the_page_says_why(street: Path, index: Index) -> None:
    fixes = localize([street / "missing.jpg"], index, names=["missing.jpg"])
    html = fixes_page(fixes, index, {}).render()
    _, localized = layers_of(html)
    assert localized["x"] == []
    assert "missing.jpg" in html
    assert "no such file" in html


@pytest.mark.browser
def test_a_browser_shows_it_with_no_network(
    street: Path, index: Index, tmp_path: Path, visit: Visitor
) -> None:
    fixes, paths = fixes_of(street, index)
    fixes_page(fixes, index, paths).write(tmp_path / "page.html")
    visitor = visit()
    tab = visitor.open(tmp_path / "page.html")
    assert visitor.complaints == []
    assert tab.locator("h1").inner_text() == "Where the photos were taken"
    # Those further down are loaded when they are scrolled to.
    widths = tab.evaluate("""Promise.all([...document.querySelectorAll("main section img")].map(
        async image => { image.loading = "eager"; await image.decode(); return image.naturalWidth }))""")
    # Each of 5 photos beside its 5 matches.
    assert len(widths) == PLACES * (1 + PLACES)
    assert all(width > 0 for width in widths)
