"""Dense RootSIFT: against a plain loop over pixels, against OpenCV, and in limit cases."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from landfall.errors import ModelError
from landfall.models.dense_sift import (
    SIFT_DIM,
    DenseSift,
    cell_filter,
    dense_root_sift,
    orientation_maps,
    root_sift,
    shrink,
    sift_grid,
    to_gray,
)


def smooth_noise(height: int, width: int, seed: int = 0, sigma_px: float = 1.5) -> npt.NDArray[np.float32]:
    """Return a gray picture (H, W) in 0..1 with structure at every place."""
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigma_px)
    spread = (blurred - blurred.min()) / (blurred.max() - blurred.min())
    return np.asarray(spread, np.float32)


def sift_at(
    gray: npt.NDArray[np.float64], top: float, left: float, *, cell_px: int
) -> npt.NDArray[np.float64]:
    """Return one descriptor (4, 4, 8) whose first cell is centred at (top, left), pixel by pixel."""
    height, width = gray.shape
    descriptor = np.zeros((4, 4, 8))
    for y in range(height):
        for x in range(width):
            right = (gray[y, min(x + 1, width - 1)] - gray[y, max(x - 1, 0)]) / 2
            down = (gray[min(y + 1, height - 1), x] - gray[max(y - 1, 0), x]) / 2
            angle = math.atan2(down, right) / (2 * math.pi) * 8 % 8
            for row in range(4):
                for column in range(4):
                    far_y = abs(y - top - row * cell_px) / cell_px
                    far_x = abs(x - left - column * cell_px) / cell_px
                    share = max(0, 1 - far_y) * max(0, 1 - far_x) / cell_px**2
                    window = math.exp(-0.5 * ((row - 1.5) ** 2 + (column - 1.5) ** 2) / 4)
                    for k in range(8):
                        turn = abs(angle - k)
                        near = max(0, 1 - min(turn, 8 - turn))
                        descriptor[row, column, k] += math.hypot(right, down) * near * share * window
    return descriptor


@pytest.mark.parametrize(("cell_px", "step_px"), [(4, 4), (4, 2), (3, 1)])
def test_every_descriptor_equals_a_plain_loop_over_pixels(cell_px: int, step_px: int) -> None:
    gray = smooth_noise(19, 22)
    grid = sift_grid(torch.from_numpy(gray), cell_px=cell_px, step_px=step_px).numpy()
    counts = [(side - cell_px) // step_px + 1 for side in gray.shape]
    top, left = ((side - 1 - (n - 1) * step_px) / 2 for side, n in zip(gray.shape, counts, strict=True))
    rows, columns = (n - 3 * cell_px // step_px for n in counts)
    assert grid.shape == (rows, columns, SIFT_DIM)
    for row in {0, rows // 2, rows - 1}:
        for column in {0, columns - 1}:
            expected = sift_at(
                gray.astype(np.float64), top + row * step_px, left + column * step_px, cell_px=cell_px
            )
            np.testing.assert_allclose(grid[row, column], expected.ravel(), rtol=1e-4, atol=1e-6)


def test_descriptors_agree_with_opencv() -> None:
    # OpenCV blurs a photo from an assumed 0.5 to 1.6 pixels first, gives one cell 1.5 times the keypoint's
    # size, turns its orientations the other way round and rounds its numbers to bytes.
    gray = smooth_noise(81, 97, seed=3, sigma_px=2.5)
    cell_px = 4
    blurred = cv2.GaussianBlur(gray, (0, 0), math.sqrt(1.6**2 - 0.5**2))
    grid = sift_grid(torch.from_numpy(blurred), cell_px=cell_px, step_px=cell_px)
    rows, columns = grid.shape[:2]
    ours = root_sift(grid.flatten(0, 1))[0].numpy()
    turned = ours.reshape(-1, 16, 8)[:, :, -np.arange(8) % 8].reshape(-1, SIFT_DIM)

    first = [(side - 1 - ((side - cell_px) // cell_px) * cell_px) / 2 for side in gray.shape]
    keypoints = [
        cv2.KeyPoint(first[1] + (c + 1.5) * cell_px, first[0] + (r + 1.5) * cell_px, cell_px / 1.5, 0, 1, 0)
        for r in range(rows)
        for c in range(columns)
    ]
    kept, theirs = cv2.SIFT.create().compute((gray * 255).astype(np.uint8), keypoints)
    assert len(kept) == len(keypoints)
    rooted = np.sqrt(theirs / theirs.sum(axis=1, keepdims=True))
    cosines = (turned * rooted).sum(axis=1)
    # They differ in the Gaussian window (ours by cells) and in OpenCV's bytes; the wrong pairing is far off.
    assert np.median(cosines) > 0.98
    assert cosines.min() > 0.93
    assert np.median((np.roll(turned, 1, axis=0) * rooted).sum(axis=1)) < 0.9


@pytest.mark.parametrize("k", range(8))
def test_a_ramp_has_one_orientation(k: int) -> None:
    # Limit case: brightness that grows along 45 k degrees, by 0.01 a pixel.
    y, x = np.mgrid[:9, :11]
    slope = 0.01 * (x * math.cos(math.pi * k / 4) + y * math.sin(math.pi * k / 4))
    maps = orientation_maps(torch.from_numpy(slope.astype(np.float32)))[:, 1:-1, 1:-1]
    torch.testing.assert_close(maps[k], torch.full_like(maps[k], 0.01), rtol=1e-3, atol=0)
    others = [other for other in range(8) if other != k]
    assert float(maps[others].abs().max()) < 1e-5


def test_orientations_share_the_gradient_s_magnitude() -> None:
    gray = torch.from_numpy(smooth_noise(12, 17))
    padded = np.pad(gray.numpy(), 1, mode="edge")
    right = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    np.testing.assert_allclose(
        orientation_maps(gray).sum(dim=0).numpy(), np.hypot(right, down), rtol=1e-5, atol=1e-7
    )


@given(length=st.integers(0, 60), cell_px=st.integers(1, 6), per_cell=st.integers(1, 3))
def test_cells_lie_evenly_and_inside_the_photo(length: int, cell_px: int, per_cell: int) -> None:
    step_px = max(1, cell_px // per_cell)
    weights = cell_filter(length, cell_px=cell_px, step_px=step_px).numpy()
    assert weights.shape == (max(0, (length - cell_px) // step_px + 1), length)
    # The same seen from the other end, and no cell reaches past an edge by more than its flank.
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)
    assert ((weights.sum(axis=1) > 0.7) & (weights.sum(axis=1) < 1.01)).all()


def test_root_sift_is_of_unit_norm_and_counts_only_the_direction() -> None:
    raw = torch.from_numpy(np.random.default_rng(0).random((50, SIFT_DIM)).astype(np.float32))
    rooted, norms = root_sift(raw)
    torch.testing.assert_close(torch.linalg.vector_norm(rooted, dim=1), torch.ones(50))
    torch.testing.assert_close(norms, torch.linalg.vector_norm(raw, dim=1))
    torch.testing.assert_close(root_sift(raw * 7)[0], rooted)


def test_root_sift_clips_what_one_bin_contributes() -> None:
    # Written out: (10, 1, 1, 0 ...) / sqrt(102), clipped at 0.2, divided by its sum, rooted.
    raw = torch.zeros(1, SIFT_DIM)
    raw[0, :3] = torch.tensor([10.0, 1.0, 1.0])
    small = 1 / math.sqrt(102)
    expected = np.sqrt(np.array([0.2, small, small]) / (0.2 + 2 * small))
    np.testing.assert_allclose(root_sift(raw)[0][0, :3].numpy(), expected, rtol=1e-5)


def test_zeros_stay_zeros() -> None:
    rooted, norms = root_sift(torch.zeros(2, SIFT_DIM))
    assert not rooted.any()
    assert not norms.any()


def test_gray_is_the_eye_s_brightness() -> None:
    colours = torch.tensor([[[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=torch.uint8)
    # ITU-R BT.601.
    np.testing.assert_allclose(to_gray(colours).numpy(), [[1, 0.299, 0.587, 0.114]], rtol=1e-6)


def test_only_descriptors_with_contrast_come_out() -> None:
    # A photo whose left half is blank: the blank half gives no descriptors, the other half does.
    photo = np.full((64, 128, 3), 90, np.uint8)
    photo[:, 64:] = (smooth_noise(64, 64) * 255).astype(np.uint8)[..., None]
    sift = DenseSift(scales=(1.0,))
    found = torch.cat(list(dense_root_sift(torch.from_numpy(photo), sift)))
    textured = torch.cat(list(dense_root_sift(torch.from_numpy(photo[:, 64:].copy()), sift)))
    whole = sift_grid(torch.zeros(64, 128), cell_px=4, step_px=4).shape[:2].numel()
    assert len(textured) <= len(found) < whole * 0.7
    assert not [len(part) for part in dense_root_sift(torch.full((64, 64, 3), 90).byte(), sift) if len(part)]


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (3, 16)])
def test_a_photo_smaller_than_a_descriptor_has_none(size: tuple[int, int]) -> None:
    photo = torch.randint(0, 256, (*size, 3), dtype=torch.uint8)
    parts = list(dense_root_sift(photo, DenseSift()))
    assert [tuple(part.shape) for part in parts] == [(0, SIFT_DIM)] * 3


def test_shrinking_keeps_the_brightness() -> None:
    gray = torch.from_numpy(smooth_noise(41, 61))
    small = shrink(gray, 0.5)
    assert small.shape == (20, 30)
    assert float(small.mean()) == pytest.approx(float(gray.mean()), abs=0.01)
    assert shrink(gray, 1.0) is gray


@pytest.mark.parametrize(
    "wrong", [{"step_px": 3}, {"cell_px": 0}, {"scales": ()}, {"scales": (1.5,)}, {"scales": (0.0,)}]
)
def test_impossible_grids_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=str(next(iter(wrong)))):
        DenseSift(**wrong)  # type: ignore[arg-type]
