"""Calibration on a made-up street, measured on strangers' photos of it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.localization.calibration.conftest import World, make_world

from landfall.evaluation.calibration import measure_calibration
from landfall.index.exact import search_exact
from landfall.localization.calibration import (
    Calibration,
    Certainty,
    NoCalibration,
    answer_features,
    calibrate,
)
from landfall.localization.calibration.features import FEATURES
from landfall.localization.calibration.fit import MATCHES
from landfall.localization.position import agreed_points


@pytest.fixture(scope="module")
def whole() -> World:
    """The street with all its photos, 8 m apart."""
    return make_world(800, step_m=8.0, views=2, noise=0.75)


@pytest.fixture(scope="module")
def world(whole: World) -> World:
    """What is indexed: every fourth spot is missing."""
    return whole.take(np.arange(1600) // 2 % 4 != 0)


@pytest.fixture(scope="module")
def learned(world: World) -> Calibration:
    got = calibrate(world.descriptors, world.positions, world.taken_s, world.heading_deg)
    assert isinstance(got, Calibration)
    return got


def judge(world: World, learned: Calibration, queries: np.ndarray) -> tuple[Certainty, np.ndarray]:
    """Return what answers say of themselves, and where they are."""
    distances, rows = search_exact(world.descriptors, queries, MATCHES)
    points = np.stack([world.positions.east_m, world.positions.north_m], axis=1)[rows]
    fixes = agreed_points(points, distances.astype(np.float64))
    return learned.judge(answer_features(points, distances.astype(np.float64), fixes)), fixes


def test_confidence_and_radius_hold_for_strangers(whole: World, world: World, learned: Calibration) -> None:
    # Strangers stand at the missing spots: 8 m from the next photo, as the sample does with its own left out.
    east = whole.positions.east_m[np.arange(1600) // 2 % 4 == 0]
    queries = np.concatenate([whole.look(east, seed) for seed in (51, 52, 53)])
    east = np.tile(east, 3)
    said, fixes = judge(world, learned, queries)
    result = measure_calibration(
        said.confidence,
        said.radius_m,
        said.accepted,
        np.hypot(fixes[:, 0] - east, fixes[:, 1]),
        has_positive=np.ones(len(east), np.bool_),
        spots=east.astype(np.int64),
    )
    assert 0.3 < result.right_share < 0.97  # else the street is too easy, or too hard, to tell anything
    assert result.reliability.error <= result.floor + 0.05
    assert result.radius_coverage is not None
    assert 0.85 <= result.radius_coverage <= 0.95
    assert result.curve.risk_at(0.5) < 0.5 * (1 - result.right_share)
    assert result.accepted_share > 0.4


def test_photos_of_another_town_are_refused_as_often_as_stated(world: World, learned: Calibration) -> None:
    assert learned.strangers_accepted <= 0.1 + 1e-9
    other = make_world(600, step_m=8.0, views=2, noise=0.75, seed=99)
    said, _ = judge(world, learned, other.descriptors)
    assert said.accepted.mean() <= 0.15


def test_a_surer_answer_has_no_larger_radius(learned: Calibration) -> None:
    radii = learned.radii.radius(np.linspace(0.0, 1.0, 200))
    assert (np.diff(radii) <= 0).all()


def test_it_is_learned_again_bit_by_bit_and_survives_json(world: World, learned: Calibration) -> None:
    again = calibrate(world.descriptors, world.positions, world.taken_s, world.heading_deg)
    assert again == learned
    assert Calibration.model_validate_json(learned.model_dump_json()) == learned


def test_where_distances_are_known_too_well_acceptance_does_not_rest_on_them(
    world: World, learned: Calibration
) -> None:
    told = calibrate(
        world.descriptors, world.positions, world.taken_s, world.heading_deg, known_too_well=True
    )
    assert isinstance(told, Calibration)
    column = FEATURES.index("first_distance")
    assert learned.presence.weights[column] != 0
    assert told.presence.weights[column] == 0
    features = np.random.default_rng(0).normal(size=(50, len(FEATURES)))
    nearer = features.copy()
    nearer[:, column] -= 1.0
    np.testing.assert_array_equal(told.judge(features).accepted, told.judge(nearer).accepted)
    # All else is as it was.
    assert told.confidence == learned.confidence
    assert told.radii == learned.radii


def test_it_says_what_it_rests_on(learned: Calibration) -> None:
    assert learned.sample == 1000
    assert learned.nearest_left_m == pytest.approx((8.0, 8.0, 8.0))
    assert "1000 of the index's own 1200 photos" in learned.describe()
    assert "stood 8 m away" in learned.describe()


def test_an_answer_without_matches_is_not_judged(learned: Calibration) -> None:
    said = learned.judge(np.array([[np.nan] * 4, [0.5, 0.2, 1.0, 1.0]]))
    assert np.isnan(said.confidence[0])
    assert np.isnan(said.radius_m[0])
    assert not said.accepted[0]
    assert 0.0 <= said.confidence[1] <= 1.0


@pytest.mark.parametrize(
    ("count", "step_m", "views", "reason"),
    [
        (20, 8.0, 2, "40 photos"),
        (300, 60.0, 1, "too far apart"),
        (10, 4.0, 12, "stand at 10 spots"),
        (24, 0.9, 10, "far enough away|spots"),
    ],
)
def test_it_says_why_it_can_not(count: int, step_m: float, views: int, reason: str) -> None:
    few = make_world(count, step_m=step_m, views=views)
    got = calibrate(few.descriptors, few.positions, few.taken_s, few.heading_deg)
    assert isinstance(got, NoCalibration)
    assert re.search(reason, got.reason), got.reason


def test_where_every_answer_is_right_confidence_is_still_below_one() -> None:
    easy = make_world(100, step_m=8.0, views=2, noise=0.0001)
    got = calibrate(easy.descriptors, easy.positions, easy.taken_s, easy.heading_deg)
    assert isinstance(got, Calibration)
    assert got.right_share == 1.0
    said, _ = judge(easy, got, easy.descriptors[:5])
    # Laplace: 200 of 200 right leave 201 / 202.
    assert said.confidence == pytest.approx(np.full(5, 201 / 202))
