"""A query and its matches: counts, broken photos, order, threads, and features kept between queries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import PhotoUnreadableError, UsageError
from landfall.localization.geometry import (
    LEAST_INLIERS,
    CheckOptions,
    FeatureCache,
    FeatureOptions,
    Features,
    ModelOptions,
    rerank,
    verify,
    verify_all,
)
from landfall.localization.geometry import cache as cache_module
from landfall.localization.geometry.features import read_features

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@pytest.fixture
def album(tmp_path: Path, draw: Callable[..., Pixels], warp: Callable[[Pixels, Floats], Pixels]) -> Path:
    """A query, the same scene from elsewhere in several ways, other scenes, and what is no photo."""
    scene = draw(1)
    height, width = scene.shape[:2]
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), 30, 1.0)
    views = {
        "query": scene,
        "moved": warp(scene, np.array([[0.95, -0.1, 20.0], [0.08, 0.97, -5.0], [2e-4, 0, 1]])),
        "turned": warp(scene, np.vstack([turned, [0, 0, 1]])),
        "smaller": cv2.resize(scene, (width // 2, height // 2), interpolation=cv2.INTER_AREA),
        "mirrored": np.ascontiguousarray(scene[:, ::-1]),
        "other": draw(2),
        "another": draw(3),
        "flat": np.full_like(scene, 90),
    }
    for name, pixels in views.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "other.png").read_bytes()[:2000])
    return tmp_path


def paths(album: Path, *names: str) -> list[Path]:
    return [album / f"{name}.png" for name in names]


def test_the_same_scene_is_told_from_others_however_it_is_seen(album: Path) -> None:
    names = ("other", "moved", "turned", "smaller", "mirrored", "flat", "another")
    checked = verify(album / "query.png", paths(album, *names))
    assert [one.rank for one in checked] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.candidate.stem for one in checked] == list(names)
    inliers = {one.candidate.stem: one.inliers or 0 for one in checked}
    assert min(inliers["moved"], inliers["turned"], inliers["smaller"]) > 2 * LEAST_INLIERS
    assert max(inliers["other"], inliers["another"]) < LEAST_INLIERS
    # SIFT tells a mirrored scene from the scene, but for corners that are symmetric themselves.
    assert inliers["mirrored"] < inliers["moved"] / 5
    assert inliers["flat"] == 0
    first_three = [names[place] for place in rerank([one.inliers for one in checked])[:3]]
    assert sorted(first_three) == ["moved", "smaller", "turned"]


def test_inliers_lie_where_the_scene_moved_to(album: Path) -> None:
    [checked] = verify(album / "query.png", paths(album, "smaller"))
    assert checked.inliers == len(checked.query_xy) == len(checked.match_xy)
    # Shares of width and height don't see that the match is half as large.
    assert np.abs(checked.query_xy - checked.match_xy).max() < 0.02
    assert np.median(np.abs(checked.query_xy - checked.match_xy)) < 0.003


def test_a_photo_that_is_gone_or_broken_has_a_reason_and_keeps_its_rank(album: Path) -> None:
    checked = verify(album / "query.png", paths(album, "gone", "moved", "broken", "other"))
    assert [one.rank for one in checked] == [1, 2, 3, 4]
    assert (checked[0].inliers, checked[0].reason) == (None, "no such file")
    assert checked[2].inliers is None
    assert "truncated" in (checked[2].reason or "")
    assert checked[1].reason is None
    assert rerank([one.inliers for one in checked]) == [1, 0, 2, 3]


def test_a_query_may_be_pixels(album: Path, draw: Callable[..., Pixels]) -> None:
    candidates = paths(album, "moved", "other")
    from_file, from_pixels = verify(album / "query.png", candidates), verify(draw(1), candidates)
    assert [one.inliers for one in from_file] == [one.inliers for one in from_pixels]


def test_a_query_that_can_t_be_read_raises_alone_and_is_named_among_many(album: Path) -> None:
    with pytest.raises(PhotoUnreadableError, match=r"gone\.png: no such file"):
        verify(album / "gone.png", paths(album, "moved"))
    told: list[tuple[int, int]] = []
    candidates = paths(album, "moved", "other")
    found = list(
        verify_all(
            [(album / "query.png", candidates), (album / "gone.png", candidates), (album / "query.png", [])],
            progress=lambda done, failed: told.append((done, failed)),
        )
    )
    assert [one.error for one in found] == [None, "no such file", None]
    assert [len(one.matches) for one in found] == [2, 0, 0]
    assert told == [(0, 0), (1, 0), (2, 1), (3, 1)]
    assert list(verify_all([])) == []


def test_any_number_of_threads_gives_the_same_numbers(album: Path) -> None:
    names = ("moved", "other", "turned", "gone", "smaller", "flat")
    queries = [(album / f"{name}.png", paths(album, *names)) for name in ("query", "moved", "another")]
    one, four = (list(verify_all(queries, workers=workers)) for workers in (1, 4))
    for alone, together in zip(one, four, strict=True):
        for a, b in zip(alone.matches, together.matches, strict=True):
            assert (a.candidate, a.rank, a.inliers, a.reason) == (b.candidate, b.rank, b.inliers, b.reason)
            assert np.array_equal(a.query_xy, b.query_xy)


def test_queries_are_taken_as_they_are_needed(album: Path) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield album / "query.png", paths(album, "moved", "other")

    results = verify_all(endless(), workers=1)  # type: ignore[arg-type]
    for _ in range(2):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert taken < 6


class Counted:
    """Counts how often each photo is read."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.names: list[str] = []
        self._pause_s = pause_s
        self._lock = threading.Lock()

    def __call__(self, path: Path, options: FeatureOptions) -> Features:
        with self._lock:
            self.names.append(path.stem)
        time.sleep(self._pause_s)
        return read_features(path, options)


def test_a_candidate_of_several_queries_is_read_once(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted()
    monkeypatch.setattr(cache_module, "read_features", counted)
    kept = FeatureCache()
    for _ in range(2):
        list(verify_all([(album / "query.png", paths(album, "moved", "other"))] * 3, cache=kept))
    assert sorted(counted.names) == ["moved", "other"]
    assert kept.bytes == sum(kept.get(path).bytes for path in paths(album, "moved", "other"))


def test_threads_that_ask_at_once_share_one_reading(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(pause_s=0.1)
    monkeypatch.setattr(cache_module, "read_features", counted)
    kept = FeatureCache()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(kept.get, paths(album, "moved", "moved", "moved", "moved")))
    assert counted.names == ["moved"]
    assert all(one is found[0] for one in found)


def test_threads_that_ask_at_once_share_one_error(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "read_features", Counted(pause_s=0.1))
    kept = FeatureCache()

    def reason(path: Path) -> str:
        with pytest.raises(PhotoUnreadableError) as caught:
            kept.get(path)
        return caught.value.reason

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(reason, paths(album, "gone", "gone", "gone"))) == ["no such file"] * 3
    assert len(kept) == 0


def test_the_cache_is_bounded_and_forgets_the_least_recently_used(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("moved", "other", "another")
    size = {name: read_features(album / f"{name}.png", FeatureOptions()).bytes for name in names}
    kept = FeatureCache(most_bytes=sum(size.values()) - 1)
    counted = Counted()
    monkeypatch.setattr(cache_module, "read_features", counted)
    for name in ("moved", "other", "moved", "another", "moved", "other"):
        kept.get(album / f"{name}.png")
        assert kept.bytes <= kept.most_bytes
    # "another" found no room beside both, and "other" was used longer ago than "moved".
    assert counted.names == ["moved", "other", "another", "other"]


def test_a_cache_too_small_for_any_photo_keeps_none(album: Path) -> None:
    kept = FeatureCache(most_bytes=1)
    assert len(kept.get(album / "moved.png")) > 0
    assert (len(kept), kept.bytes) == (0, 0)


def test_a_photo_that_was_replaced_or_came_back_is_read_anew(album: Path) -> None:
    kept = FeatureCache()
    place = album / "changing.png"
    with pytest.raises(PhotoUnreadableError):
        kept.get(place)
    place.write_bytes((album / "other.png").read_bytes())
    before = len(kept.get(place))
    place.write_bytes((album / "flat.png").read_bytes())
    assert (before > 0, len(kept.get(place))) == (True, 0)


def test_a_cache_of_other_features_is_refused(album: Path) -> None:
    with pytest.raises(UsageError, match="most_keypoints=10"):
        verify(
            album / "query.png",
            paths(album, "moved"),
            cache=FeatureCache(FeatureOptions(most_keypoints=10)),
        )


def test_options_reach_every_step(album: Path) -> None:
    def inliers(options: CheckOptions) -> int:
        [checked] = verify(album / "query.png", paths(album, "moved"), options=options)
        return checked.inliers or 0

    usual = inliers(CheckOptions())
    assert inliers(CheckOptions(features=FeatureOptions(most_keypoints=40))) <= 40 < usual
    assert inliers(CheckOptions(ratio=0.3)) < usual
    assert inliers(CheckOptions(model=ModelOptions(threshold_px=0.1))) < usual
