"""Photos that play the queries, against a plain loop over photos."""

from __future__ import annotations

import numpy as np
import pytest
from tests.localization.calibration.conftest import World, make_world

from landfall.geo import Positions
from landfall.index.exact import search_exact
from landfall.localization.calibration import sample as module
from landfall.localization.calibration.sample import (
    ELSEWHERE_M,
    SPOT_M,
    Sample,
    SampleSearch,
    sample_answers,
)

K = 5


def search_in(descriptors: np.ndarray) -> SampleSearch:
    return lambda rows, depth: search_exact(descriptors, descriptors[rows], depth)


def sampled(world: World, *, photos: int, taken_s: np.ndarray | None = None, seed: int = 0) -> Sample:
    return sample_answers(
        search_in(world.descriptors),
        world.positions,
        world.taken_s if taken_s is None else taken_s,
        world.heading_deg,
        k=K,
        photos=photos,
        reach_m=25.0,
        seed=seed,
    )


def expected(world: World, row: int, least_m: float) -> tuple[list[int], list[float]]:
    """The nearest photos further than some metres away, photo by photo."""
    metres = np.abs(world.positions.east_m - world.positions.east_m[row])
    apart = np.linalg.norm(world.descriptors.astype(np.float64) - world.descriptors[row], axis=1)
    order = [i for i in np.argsort(apart, kind="stable").tolist() if metres[i] > least_m][:K]
    return order, [apart[i] for i in order]


def test_it_finds_what_a_loop_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(40, step_m=7.0)
    monkeypatch.setattr(module, "_BLOCK_CELLS", 600)  # several blocks
    got = sampled(world, photos=30)
    assert len(got.photos) == 30
    assert got.moment_s is None
    for place, row in enumerate(got.photos.tolist()):
        for answers, least_m in ((got.present, SPOT_M), (got.elsewhere, ELSEWHERE_M)):
            rows, distances = expected(world, row, least_m)
            assert answers.rows[place].tolist() == rows
            np.testing.assert_allclose(answers.distances[place], distances, rtol=1e-5)
        assert got.nearest_left_m[place] == pytest.approx(7.0)


def test_a_photo_with_too_few_others_left_has_fewer_matches() -> None:
    world = make_world(4, step_m=20.0, views=1)
    got = sampled(world, photos=10)
    first = got.photos.tolist().index(0)
    assert (got.present.rows[first] >= 0).sum() == 3
    # Photos at 20 and 40 m are left out, too; only the one at 60 m is elsewhere.
    assert got.elsewhere.rows[first].tolist() == [3, -1, -1, -1, -1]
    assert np.isinf(got.elsewhere.distances[first, 1:]).all()


def test_photos_of_the_same_pass_are_left_out_where_there_is_another_pass() -> None:
    world = make_world(60, step_m=5.0, views=2)
    # The two views of each spot: one drive in the morning, one in the afternoon, five seconds a spot.
    seconds = np.arange(120.0) // 2 * 5 + np.arange(120) % 2 * 20_000
    taken_s = 1.7e9 + seconds
    got = sampled(world, photos=120, taken_s=taken_s)
    assert got.moment_s == 600.0
    found = got.present.rows[:, 0]
    near = np.abs(world.positions.east_m[found] - world.positions.east_m[got.photos]) < ELSEWHERE_M
    assert (found % 2 != got.photos % 2)[near].all()
    assert near.sum() > 60


def test_with_one_pass_only_a_shorter_moment_is_left_out() -> None:
    world = make_world(80, step_m=5.0, views=1)
    taken_s = 1.7e9 + 6.0 * np.arange(80.0)
    got = sampled(world, photos=80, taken_s=taken_s)
    # Half of 25 m are 15 s: of a minute nothing so near is left, of ten seconds the photos 10 m away are.
    assert got.moment_s == 10.0
    # 10 s are one spot to either side.
    assert np.median(got.nearest_left_m) == 10.0


def test_times_that_are_all_the_same_are_not_used() -> None:
    world = make_world(40, step_m=7.0)
    same = np.full(len(world.positions), 1.7e9)
    got = sampled(world, photos=30, taken_s=same)
    assert got.moment_s is None
    assert np.median(got.nearest_left_m) == 7.0


def test_crowds_are_told_and_not_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LEFT_OUT", 10)
    world = make_world(30, step_m=100.0, views=2)
    crowd = Positions.planar(np.full(20, 200.0) + np.arange(20), np.zeros(20))
    positions = Positions.concatenate([world.positions, crowd])
    descriptors = np.concatenate([world.descriptors, world.descriptors[:20]])
    got = sample_answers(
        search_in(descriptors),
        positions,
        np.full(80, np.nan),
        np.full(80, np.nan),
        k=K,
        photos=80,
        reach_m=25.0,
    )
    # The crowd's twenty, and the two photos of the spot in its middle.
    assert got.crowded == 22
    assert len(got.photos) == 58


def test_a_seed_draws_the_same_photos_again() -> None:
    world = make_world(60)
    drawn = [sampled(world, photos=20, seed=seed).photos.tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
