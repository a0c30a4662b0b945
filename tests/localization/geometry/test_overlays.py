"""Watermarks, dates and frames: what stays at a photo's edge is no sign of a place."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.localization.geometry import (
    LEAST_INLIERS,
    FeatureOptions,
    ModelOptions,
    estimate_geometry,
    extract_features,
    match_features,
)
from landfall.localization.geometry.overlays import on_overlay

Pixels = NDArray[np.uint8]


def stamped(photo: Pixels) -> Pixels:
    """Return a photo with a date and a name printed over its lower edge."""
    height = photo.shape[0]
    printed = photo.copy()
    cv2.rectangle(printed, (0, height - 18), (photo.shape[1], height), (20, 20, 20), -1)
    cv2.putText(printed, "2024-05-17 14:23 SURVEY CAR 7", (6, height - 5), 0, 0.45, (255, 255, 255), 1)
    return printed


def test_two_unrelated_photos_with_one_stamp_do_not_agree(draw: Callable[..., Pixels]) -> None:
    a, b = (extract_features(stamped(draw(seed)), FeatureOptions()) for seed in (1, 2))
    matches = match_features(a, b)
    moved = np.abs(a.xy[matches[:, 0]] - b.xy[matches[:, 1]]).max(axis=1)
    # The stamp is matched all right: without being told apart it would confirm the match.
    assert (moved < 1).sum() > LEAST_INLIERS
    assert estimate_geometry(a, b, matches, ModelOptions()).inliers < LEAST_INLIERS


@pytest.mark.parametrize(
    ("place", "there", "still"),
    [
        ((10.0, 470.0), (10.0, 470.0), True),  # lower left corner, the same pixel
        ((10.0, 470.0), (11.2, 469.0), True),  # moved by no more than JPEG does
        ((10.0, 470.0), (14.0, 470.0), False),  # moved
        ((300.0, 200.0), (300.0, 200.0), False),  # not at an edge
        ((320.0, 5.0), (320.0, 5.0), True),  # upper edge
    ],
)
def test_what_stays_at_the_edge_is_an_overlay(
    place: tuple[float, float], there: tuple[float, float], still: bool
) -> None:
    one, two = np.array([place], np.float32), np.array([there], np.float32)
    assert on_overlay(one, two, (480, 640), (480, 640)).tolist() == [still]


def test_photos_of_two_sizes_may_have_the_same_stamp_in_their_corner() -> None:
    one, two = np.array([[630.0, 475.0]], np.float32), np.array([[310.0, 235.0]], np.float32)
    # Both are 9 pixels from the right and 4 from the bottom.
    assert on_overlay(one, two, (480, 640), (240, 320)).tolist() == [True]
