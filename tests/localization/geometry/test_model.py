"""The two-view model: known scenes, chance, degenerate points, and the same bits each time."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.localization.geometry import (
    LEAST_INLIERS,
    FeatureOptions,
    Features,
    Geometry,
    ModelOptions,
    estimate_geometry,
    extract_features,
    match_features,
)

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
At = Callable[..., Features]

# A turn, a shift and a tilt, as between two photos of one facade.
HOMOGRAPHY = np.array([[0.95, -0.12, 24.0], [0.10, 0.97, -6.0], [2.5e-4, -1e-4, 1.0]])


def pairs(count: int) -> NDArray[np.int64]:
    return np.stack([np.arange(count)] * 2, axis=1)


def seen(homography: Floats, xy: Floats) -> Floats:
    there = np.column_stack([xy, np.ones(len(xy))]) @ homography.T
    return np.asarray(there[:, :2] / there[:, 2:])


def compare(a: Pixels, b: Pixels) -> Geometry:
    one, two = extract_features(a, FeatureOptions()), extract_features(b, FeatureOptions())
    return estimate_geometry(one, two, match_features(one, two), ModelOptions())


def two_cameras(points: Floats) -> tuple[Floats, Floats, Floats]:
    """Return where 3-D points (n, 3) are on two photos of 640 x 480, and the true fundamental matrix."""
    inner = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    turn, _ = cv2.Rodrigues(np.array([0.03, -0.15, 0.02]))
    shift = np.array([1.2, 0.1, 0.3])
    first = points @ inner.T
    second = (points @ np.asarray(turn).T + shift) @ inner.T
    cross = np.array([[0, -shift[2], shift[1]], [shift[2], 0, -shift[0]], [-shift[1], shift[0], 0]])
    back = np.linalg.inv(inner)
    fundamental = back.T @ cross @ turn @ back
    return first[:, :2] / first[:, 2:], second[:, :2] / second[:, 2:], fundamental


def from_lines(fundamental: Floats, a: Floats, b: Floats) -> Floats:
    """Return how many pixels points of the second photo lie from their epipolar lines."""
    lines = np.column_stack([a, np.ones(len(a))]) @ fundamental.T
    across = np.abs((np.column_stack([b, np.ones(len(b))]) * lines).sum(axis=1))
    return np.asarray(across / np.linalg.norm(lines[:, :2], axis=1))


def street(rng: np.random.Generator, count: int) -> Floats:
    """Points (n, 3) at all depths of a street, in metres before the camera."""
    return rng.uniform([-3, -2, 5], [3, 2, 20], (count, 3))


def test_a_known_homography_is_recovered_from_pixels(
    draw: Callable[..., Pixels], warp: Callable[[Pixels, Floats], Pixels]
) -> None:
    photo = draw(1)
    found = compare(photo, warp(photo, HOMOGRAPHY))
    assert found.kind == "homography"
    assert found.matrix is not None
    assert found.inliers > 100
    assert found.inliers == found.inlier_mask.sum()
    assert found.inlier_mask.shape == (len(found.matches),)
    corners = np.array([[20.0, 20], [300, 20], [20, 220], [300, 220]])
    assert seen(found.matrix, corners) == pytest.approx(seen(HOMOGRAPHY, corners), abs=1.0)


def test_unrelated_photos_agree_on_next_to_nothing(draw: Callable[..., Pixels]) -> None:
    for seed in range(2, 6):
        assert compare(draw(1), draw(seed)).inliers < LEAST_INLIERS


def test_noise_agrees_with_nothing(draw: Callable[..., Pixels]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    assert compare(draw(1), noise).inliers < LEAST_INLIERS


def test_a_scene_of_all_depths_takes_the_fundamental_matrix(at: At) -> None:
    rng = np.random.default_rng(5)
    a, b, _ = two_cameras(street(rng, 200))
    b[:60] = rng.uniform([0, 0], [640, 480], (60, 2))  # wrong matches
    b[60:] += rng.normal(0, 0.3, (140, 2))
    found = estimate_geometry(at(a), at(b), pairs(200), ModelOptions())
    assert found.kind == "fundamental"
    assert found.matrix is not None
    assert found.inlier_mask[60:].mean() > 0.95
    # A wrong match lies on its line by chance: about 3 pixels of 480.
    assert found.inlier_mask[:60].mean() < 0.1
    held_out, there, truth = two_cameras(street(rng, 500))
    assert from_lines(truth, held_out, there).max() < 1e-6
    assert np.median(from_lines(found.matrix, held_out, there)) < 1.0


def test_on_a_plane_the_homography_s_own_inliers_count(at: At) -> None:
    rng = np.random.default_rng(6)
    a = rng.uniform([60, 60], [580, 420], (100, 2))
    b = seen(HOMOGRAPHY, a) + rng.normal(0, 0.3, (100, 2))
    b[:30] = rng.uniform([0, 0], [640, 480], (30, 2))
    found = estimate_geometry(at(a), at(b), pairs(100), ModelOptions())
    assert found.kind == "homography"
    assert found.inlier_mask[30:].mean() > 0.95
    assert found.inlier_mask[:30].sum() <= 1


def test_the_same_matches_give_the_same_bits(at: At) -> None:
    rng = np.random.default_rng(7)
    a, b, _ = two_cameras(street(rng, 120))
    b[:80] = rng.uniform([0, 0], [640, 480], (80, 2))
    first, again = (estimate_geometry(at(a), at(b), pairs(120), ModelOptions()) for _ in range(2))
    assert first.matrix is not None
    assert again.matrix is not None
    assert first.kind == again.kind
    assert first.matrix.tobytes() == again.matrix.tobytes()
    assert np.array_equal(first.inlier_mask, again.inlier_mask)


@pytest.mark.parametrize("count", range(8))
def test_fewer_than_eight_matches_have_no_inliers(at: At, count: int) -> None:
    a = np.random.default_rng(count).uniform(100, 300, (count, 2))
    found = estimate_geometry(at(a), at(a + 5), pairs(count), ModelOptions())
    assert (found.inliers, found.kind, found.matrix) == (0, None, None)
    assert found.inlier_mask.tolist() == [False] * count


def test_matches_between_the_same_two_places_count_once(at: At) -> None:
    xy = np.random.default_rng(8).uniform(100, 300, (7, 2))
    thrice = np.repeat(xy, 3, axis=0)
    # 21 matches, but of 7 places, which are too few to agree on anything.
    assert estimate_geometry(at(thrice), at(thrice + 5), pairs(21), ModelOptions()).inliers == 0


@pytest.mark.parametrize("scene", ["one place", "a line", "not a number"])
def test_points_that_determine_no_model_are_no_error(at: At, scene: str) -> None:
    along = np.linspace(100.0, 300.0, 40)
    a = {
        "one place": np.full((40, 2), 150.0) + 1e-3 * along[:, None],
        "a line": np.column_stack([along, along]),
        "not a number": np.full((40, 2), np.nan),
    }[scene]
    found = estimate_geometry(at(a), at(a + 20), pairs(40), ModelOptions())
    assert found.inliers == found.inlier_mask.sum()
    assert found.matrix is None or np.isfinite(found.matrix).all()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(*[st.integers(0, 20)] * 4), max_size=40),
    st.sampled_from([1.0, 20.0]),
)
def test_any_points_give_a_count_that_fits_its_mask(
    at: At, places: list[tuple[int, ...]], spacing: float
) -> None:
    # A coarse lattice, so that repeated places, lines and other degenerate samples come up all the time.
    xy = spacing * np.array(places, np.float64).reshape(-1, 4)
    found = estimate_geometry(at(xy[:, :2]), at(xy[:, 2:]), pairs(len(xy)), ModelOptions())
    assert found.inliers == found.inlier_mask.sum() <= len(xy)
    assert (found.kind is None) == (found.matrix is None)
    assert found.kind is not None or found.inliers == 0


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="above 0"):
        ModelOptions(threshold_px=0)
    with pytest.raises(UsageError, match="between 0 and 1"):
        ModelOptions(confidence=1.0)
