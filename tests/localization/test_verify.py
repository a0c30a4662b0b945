"""Localizing with the geometric check: photos whose retrieval errs, and whose local features know better."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.localization.geometry.conftest import draw  # noqa: F401 - a fixture

from landfall.geo import LatLon
from landfall.index import FolderIndex, Index
from landfall.localization import build_index, localize
from landfall.models import Model
from landfall.photos import write_jpeg

PLACES, STEP_DEG = 6, 0.001
Draw = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def town(tmp_path: Path, draw: Draw, network: Model) -> Index:  # noqa: F811
    """Photos of six places, 111 m apart."""
    (tmp_path / "town").mkdir()
    for place in range(PLACES):
        write_jpeg(
            tmp_path / "town" / f"{place}.jpg", draw(place), location=LatLon(52.0 + place * STEP_DEG, 0.5)
        )
    return build_index(tmp_path / "town", tmp_path / "town.lf", model=network).index


@pytest.fixture
def query(tmp_path: Path, draw: Draw) -> Path:  # noqa: F811
    """Place 4, seen a few pixels aside."""
    write_jpeg(tmp_path / "query.jpg", np.roll(draw(4), (3, 5), axis=(0, 1)))
    return tmp_path / "query.jpg"


@pytest.fixture
def misled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retrieval that puts the right photo last."""
    search = FolderIndex.search_rows

    def backwards(self: FolderIndex, *args: object, **options: object) -> object:
        distances, rows = search(self, *args, **options)  # type: ignore[arg-type]
        return distances, rows[:, ::-1]

    monkeypatch.setattr(FolderIndex, "search_rows", backwards)


@pytest.mark.usefixtures("misled")
def test_the_match_that_shows_the_same_things_comes_first_and_places_the_photo(
    town: Index, query: Path
) -> None:
    [unchecked] = localize([query], town)
    [checked] = localize([query], town, verify="always")
    assert unchecked.matches[-1].photo == "4.jpg"
    assert all(match.inliers is None for match in unchecked.matches)
    assert checked.matches[0].photo == "4.jpg"
    assert checked.matches[0].rank == 1
    assert (checked.matches[0].inliers or 0) > 50
    assert checked.location is not None
    assert checked.location.lat == pytest.approx(52.0 + 4 * STEP_DEG, abs=1e-5)
    assert checked.to_dict()["matches"][0]["inliers"] == checked.matches[0].inliers


@pytest.mark.usefixtures("misled")
def test_without_a_calibration_auto_checks_all(town: Index, query: Path) -> None:
    assert localize([query], town, verify="auto") == localize([query], town, verify="always")


def test_a_photo_that_shows_nothing_known_is_answered_as_without_a_check(
    town: Index,
    tmp_path: Path,
    draw: Draw,  # noqa: F811
) -> None:
    write_jpeg(tmp_path / "stranger.jpg", draw(77))
    [unchecked] = localize([tmp_path / "stranger.jpg"], town)
    [checked] = localize([tmp_path / "stranger.jpg"], town, verify="always")
    assert checked.location == unchecked.location
    assert [match.id for match in checked.matches] == [match.id for match in unchecked.matches]
    assert all((match.inliers or 0) < 12 for match in checked.matches)


def test_photos_that_are_gone_are_told_of_once_and_the_answer_stands(
    town: Index, query: Path, tmp_path: Path
) -> None:
    [unchecked] = localize([query], town)
    (tmp_path / "town").rename(tmp_path / "moved")
    told: list[str] = []
    fixes = localize([query, query], town, verify="always", say=told.append)
    assert [fix.location for fix in fixes] == [unchecked.location] * 2
    assert len(told) == 1
    assert "2 answers could not be checked" in told[0]


def test_one_photo_that_is_gone_keeps_its_place_behind_those_that_passed(
    town: Index, query: Path, tmp_path: Path
) -> None:
    (tmp_path / "town" / "2.jpg").unlink()
    [fix] = localize([query], town, verify="always")
    assert fix.matches[0].photo == "4.jpg"
    gone = next(match for match in fix.matches if match.photo == "2.jpg")
    assert gone.inliers is None
