"""Local features: RootSIFT against a plain loop, known places, limits, and photos without any."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import PhotoUnreadableError, UsageError
from landfall.localization.geometry import FeatureOptions, extract_features, read_features
from landfall.localization.geometry.features import root_sift

Draw = Callable[..., NDArray[np.uint8]]


def test_rootsift_is_the_root_of_each_number_s_share() -> None:
    sift = np.random.default_rng(0).integers(0, 256, (5, 128)).astype(np.float32)
    sift[3] = 0
    rooted = root_sift(sift)
    for row, numbers in zip(rooted, sift, strict=True):
        total = sum(float(number) for number in numbers)
        expected = [0.0 if total == 0 else (float(number) / total) ** 0.5 for number in numbers]
        assert row.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_photo_s_features_are_those_of_opencv_strongest_first(draw: Draw) -> None:
    photo = draw(1)
    found = extract_features(photo, FeatureOptions())
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    sift = cv2.SIFT.create(contrastThreshold=FeatureOptions().contrast, enable_precise_upscale=True)
    keypoints, described = sift.detectAndCompute(gray, None)
    expected = {
        (*keypoint.pt, *np.sqrt(row / row.sum()).round(4).tolist())
        for keypoint, row in zip(keypoints, described, strict=True)
    }
    assert len(found) == len(keypoints) > 100
    assert (found.height, found.width) == (240, 320)
    for xy, row in zip(found.xy.tolist(), found.descriptors.round(4), strict=True):
        assert (*xy, *row.tolist()) in expected
    assert np.linalg.norm(found.descriptors, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_round_spot_is_found_where_it_is() -> None:
    down, across = np.mgrid[:96, :128]
    spot = 40 + 180 * np.exp(-((across - 70.25) ** 2 + (down - 41.5) ** 2) / (2 * 6.0**2))
    found = extract_features(np.repeat(spot.astype(np.uint8)[..., None], 3, axis=2), FeatureOptions())
    assert found.xy[0].tolist() == pytest.approx([70.25, 41.5], abs=0.1)
    # Half a pixel further, pixels' centres are shares of the whole photo.
    assert found.shares[0].tolist() == pytest.approx([70.75 / 128, 42 / 96], abs=1e-3)


@pytest.mark.parametrize("gray", [0, 128, 255])
def test_a_flat_photo_has_no_features_and_is_no_error(gray: int) -> None:
    found = extract_features(np.full((64, 48, 3), gray, np.uint8), FeatureOptions())
    assert (found.xy.shape, found.descriptors.shape) == ((0, 2), (0, 128))
    assert (len(found), found.bytes, found.shares.shape) == (0, 0, (0, 2))


def test_the_strongest_are_kept(draw: Draw) -> None:
    photo = draw(2)
    every = extract_features(photo, FeatureOptions(most_keypoints=5000))
    some = extract_features(photo, FeatureOptions(most_keypoints=50))
    assert len(some) == 50 < len(every)
    assert {tuple(xy) for xy in some.xy.tolist()} <= {tuple(xy) for xy in every.xy.tolist()}


def test_keypoints_of_one_strength_do_not_exceed_the_limit() -> None:
    # A lattice of equal spots: OpenCV keeps all that tie with the last.
    tile = np.full((24, 24), 40, np.uint8)
    cv2.circle(tile, (12, 12), 5, 220, -1)
    lattice = np.repeat(np.tile(tile, (8, 8))[..., None], 3, axis=2)
    assert len(extract_features(lattice, FeatureOptions(most_keypoints=10))) == 10


@pytest.mark.parametrize(("longest", "size"), [(160, (120, 160)), (320, (240, 320)), (640, (240, 320))])
def test_large_photos_are_shrunk_and_small_ones_left(
    draw: Draw, tmp_path: Path, longest: int, size: tuple[int, int]
) -> None:
    options = FeatureOptions(longest_side_px=longest)
    photo = draw(3)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    from_file, from_pixels = read_features(tmp_path / "photo.png", options), extract_features(photo, options)
    for found in (from_file, from_pixels):
        assert (found.height, found.width) == size
        assert found.xy.max() < longest
    # Shrinking colours and then taking their brightness, or the other way round, differs by rounding.
    assert len(from_file) == pytest.approx(len(from_pixels), rel=0.1)


def test_the_same_pixels_give_the_same_bits_in_any_thread(draw: Draw) -> None:
    photo = draw(4)
    first = extract_features(photo, FeatureOptions())
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(lambda _: extract_features(photo, FeatureOptions()), range(8)):
            assert np.array_equal(again.xy, first.xy)
            assert np.array_equal(again.descriptors, first.descriptors)


def test_what_can_t_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"float64 \(4, 4\)"):
        extract_features(np.zeros((4, 4)), FeatureOptions())  # type: ignore[arg-type]
    with pytest.raises(PhotoUnreadableError, match="no such file"):
        read_features(tmp_path / "gone.jpg", FeatureOptions())
    with pytest.raises(UsageError, match="above 0"):
        FeatureOptions(most_keypoints=0)
