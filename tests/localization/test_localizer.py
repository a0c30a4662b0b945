"""Localizing photos: one answer each, in order, from their pixels alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.localization.conftest import picture, walk_picture

from landfall.errors import UsageError
from landfall.geo import LatLon
from landfall.index import Among, Index
from landfall.localization import build_index, localize
from landfall.localization import localizer as module
from landfall.localization.calibration import Calibration, index_calibration
from landfall.models import Model
from landfall.photos import InputSpec, load_photo, write_jpeg

PLACES, STEP_DEG = 5, 0.001


def photos_of(street: Path) -> list[Path]:
    return [street / "walk" / f"{place}.jpg" for place in range(PLACES)]


def test_an_indexed_photo_is_placed_where_it_was_taken_and_flagged(street: Path, index: Index) -> None:
    fixes = localize(photos_of(street), index)
    for place, fix in enumerate(fixes):
        assert fix.photo == (street / "walk" / f"{place}.jpg").as_posix()
        assert fix.location is not None
        # At distance zero no other match has a vote.
        assert (fix.location.lat, fix.location.lon) == pytest.approx((52.0 + STEP_DEG * place, 0.5), abs=1e-6)
        assert fix.in_index == f"walk/{place}.jpg"
        assert [match.rank for match in fix.matches] == [1, 2, 3, 4, 5]
        # Its descriptor is stored in half precision, each number off by 2^-11 of itself at most.
        assert (
            fix.matches[0].distance
            <= 2.0**-11 * np.linalg.norm(index.descriptors[place].astype(np.float32)) * 1.001
        )


def test_broken_photos_have_their_reason_and_the_order_holds(
    street: Path, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUERIES_A_SEARCH", 2)  # several searches
    photos: list[Path] = []
    for place, photo in enumerate(photos_of(street)):
        photos += [photo, tmp_path / f"missing {place}.jpg"]
    told: list[tuple[int, int]] = []
    fixes = localize(
        photos, index, batch_size=1, k=2, progress=lambda done, failed: told.append((done, failed))
    )
    assert [fix.photo for fix in fixes] == [photo.as_posix() for photo in photos]
    assert [fix.in_index for fix in fixes[::2]] == [f"walk/{place}.jpg" for place in range(PLACES)]
    assert all(len(fix.matches) == 2 for fix in fixes[::2])
    for fix in fixes[1::2]:
        assert (fix.location, fix.matches, fix.error) == (None, (), "no such file")
        assert fix.to_dict() == {"photo": fix.photo, "error": "no such file"}
    assert told == [(done, done // 2) for done in range(2 * PLACES + 1)]


def test_a_photo_s_own_position_is_not_read(index: Index, street: Path, tmp_path: Path) -> None:
    pixels = load_photo(street / "walk" / "2.jpg", InputSpec(None, None)).pixels
    write_jpeg(tmp_path / "plain.jpg", pixels)
    write_jpeg(tmp_path / "@0303215.20@5787861.31@31@U@@@@@@@@@@@.jpg", pixels, location=LatLon(-33.0, 151.0))
    plain, lying = localize(sorted(tmp_path.glob("*.jpg"), reverse=True), index, names=["query", "query"])
    assert plain == lying


def test_names_are_the_callers(street: Path, index: Index) -> None:
    fixes = localize(photos_of(street)[:2], index, names=["one", "two"])
    assert [fix.photo for fix in fixes] == ["one", "two"]
    with pytest.raises(UsageError, match="2 photos came with 1 names"):
        localize(photos_of(street)[:2], index, names=["one"])


def test_no_photos_give_no_fixes(index: Index) -> None:
    assert localize([], index) == []


def test_impossible_requests_are_refused(street: Path, index: Index) -> None:
    with pytest.raises(UsageError, match="takes a list"):
        localize(str(street / "walk" / "0.jpg"), index)
    with pytest.raises(UsageError, match="0 matches"):
        localize(photos_of(street), index, k=0)


def test_a_search_has_as_many_matches_as_there_are_photos(street: Path, index: Index) -> None:
    (fix,) = localize(photos_of(street)[:1], index, k=1000)
    assert len(fix.matches) == len(index) == PLACES
    distances = np.array([match.distance for match in fix.matches])
    assert (np.diff(distances) >= 0).all()


def test_an_index_that_is_calibrated_says_how_sure_its_answers_are(
    walk: Path, network: Model, tmp_path: Path
) -> None:
    index = build_index(walk, tmp_path / "walk.lf", model=network).index
    learned = index_calibration(index)
    assert isinstance(learned, Calibration)
    queries = []
    for number, step in enumerate((10.5, 33.25, 60.75)):
        write_jpeg(tmp_path / f"query {number}.jpg", walk_picture(step / 4))
        queries.append(tmp_path / f"query {number}.jpg")
    write_jpeg(tmp_path / "stranger.jpg", picture(999))
    fixes = localize([*queries, tmp_path / "stranger.jpg"], index)
    for fix in fixes:
        assert fix.confidence is not None
        assert 0.0 < fix.confidence < 1.0
        assert fix.radius_m is not None
        assert fix.radius_m > 0
        assert len(fix.matches) == 20
    assert [fix.accepted for fix in fixes] == [True, True, True, False]
    told = fixes[-1].to_dict()
    assert told["accepted"] is False
    assert len(told["matches"]) == 20


def test_confidence_does_not_depend_on_how_many_matches_are_asked_for(
    walk: Path, network: Model, tmp_path: Path
) -> None:
    index = build_index(walk, tmp_path / "walk.lf", model=network).index
    write_jpeg(tmp_path / "query.jpg", walk_picture(5.3))
    few, many = (localize([tmp_path / "query.jpg"], index, k=k)[0] for k in (3, 40))
    assert len(few.matches) == 3
    assert len(many.matches) == 40
    assert few.confidence == many.confidence


def test_photos_are_looked_for_among_those_asked_for(street: Path, index: Index) -> None:
    among = Among(near=LatLon(52.0 + 3 * STEP_DEG, 0.5), within_m=150.0)
    fixes = localize(photos_of(street), index, among=among)
    assert {match.photo for fix in fixes for match in fix.matches} == {
        f"walk/{place}.jpg" for place in (2, 3, 4)
    }
    assert fixes[0].in_index == "walk/0.jpg"
    nowhere = Among(near=LatLon(0.0, 0.0), within_m=10.0)
    with pytest.raises(UsageError, match="None of the 5 photos"):
        localize(photos_of(street), index, among=nowhere)
