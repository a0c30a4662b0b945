"""RootSIFT on a dense grid, upright, at several scales, without a loop over keypoints.

SIFT: Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004, section 6. RootSIFT:
Arandjelovic and Zisserman, "Three things everyone should know to improve object retrieval", CVPR 2012.

A SIFT descriptor is 4 x 4 spatial cells of 8 orientations each. On a grid, neighbouring descriptors share
their cells, so every cell of the photo is computed once: the gradient's magnitude is split over 8 orientation
maps, each map is filtered with a triangle (which is SIFT's bilinear interpolation between cells) and sampled
at the cells' centres, both in one matrix product a direction. A descriptor is then a window of 4 x 4 cells.

Deviations from Lowe: no rotation to a dominant orientation (photos of streets are upright); the Gaussian
window weighs whole cells instead of pixels (VLFeat's "flat window"); scales are made by shrinking the photo.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from landfall.errors import ModelError

ORIENTATIONS = 8
CELLS_PER_SIDE = 4
SIFT_DIM = CELLS_PER_SIDE * CELLS_PER_SIDE * ORIENTATIONS

#: Lowe's limit of one bin's share, against gradients that only light explains.
_CLIP = 0.2

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class DenseSift:
    """What is described on a photo.

    Args:
        cell_px: side of a cell, so that a descriptor covers 4 x 4 of them.
        step_px: distance between descriptors; divides ``cell_px``.
        scales: sizes relative to the photo's own at which the same grid is laid.
        least_contrast: descriptors whose norm (see `root_sift`) is below are dropped; a quarter of it is
            about the mean gradient, in units of the full brightness range a pixel.
    """

    cell_px: int = 4
    step_px: int = 4
    scales: tuple[float, ...] = (1.0, 0.7, 0.5)
    least_contrast: float = 0.02

    def __post_init__(self) -> None:
        if self.cell_px < 1 or self.step_px < 1 or self.cell_px % self.step_px:
            raise ModelError(
                f"step_px={self.step_px} must divide cell_px={self.cell_px}, and both must be 1 or more."
            )
        if not self.scales or not all(0 < scale <= 1 for scale in self.scales):
            raise ModelError(f"scales={self.scales}: expected one or more numbers above 0 and up to 1.")


def dense_root_sift(image: Tensor, sift: DenseSift) -> Iterator[Tensor]:
    """Yield a photo's RootSIFT descriptors, one (N, 128) tensor of unit rows for each scale.

    Descriptors of low contrast are left out. N is 0 where a descriptor's cells don't fit into the photo.

    Args:
        image: (H, W, 3) uint8, RGB.
        sift: grid and scales.
    """
    gray = to_gray(image)
    for scale in sift.scales:
        descriptors = sift_grid(shrink(gray, scale), cell_px=sift.cell_px, step_px=sift.step_px)
        rooted, contrast = root_sift(descriptors.flatten(0, 1))
        yield rooted[contrast >= sift.least_contrast]


def as_tensor(image: npt.NDArray[np.uint8]) -> Tensor:
    """Return a photo (H, W, 3) as a tensor, without a copy where torch allows it."""
    # torch warns of arrays that it could write to although they forbid it.
    return torch.from_numpy(np.require(image, requirements=["C", "W"]))


def to_gray(image: Tensor) -> Tensor:
    """Return the brightness (H, W) float32 in 0..1 of a photo (H, W, 3) uint8 RGB (ITU-R BT.601)."""
    return image.to(torch.float32) @ (torch.tensor(_LUMA) / 255)


def shrink(gray: Tensor, scale: float) -> Tensor:
    """Return a photo (H, W) resized to ``scale`` of its size, antialiased, at least 1 x 1."""
    if scale == 1:
        return gray
    size = tuple(max(1, round(side * scale)) for side in gray.shape)
    return F.interpolate(gray[None, None], size=size, mode="bilinear", antialias=True)[0, 0]


def orientation_maps(gray: Tensor) -> Tensor:
    """Return the gradient's magnitude, split between the two nearest of 8 orientations: (8, H, W).

    Orientation k points at 45 k degrees, clockwise from right as the photo is seen. Gradients are central
    differences; beyond its edge the photo goes on with its border pixels.

    Args:
        gray: (H, W) float.
    """
    padded = F.pad(gray[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    right = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    magnitude = torch.hypot(right, down)
    angle = torch.atan2(down, right) * (ORIENTATIONS / (2 * math.pi))
    lower = angle.floor()
    upper_share = (angle - lower).mul_(magnitude)
    # remainder also brings an angle of -0.0..-4.0 and of exactly 8 back into 0..7.
    bin_of = lower.long().remainder_(ORIENTATIONS)
    maps = gray.new_zeros(ORIENTATIONS, *gray.shape)
    maps.scatter_(0, bin_of[None], (magnitude - upper_share)[None])
    maps.scatter_(0, ((bin_of + 1) % ORIENTATIONS)[None], upper_share[None])
    return maps


def cell_filter(length_px: int, *, cell_px: int, step_px: int) -> Tensor:
    """Return the matrix (n, length_px) that filters a line of pixels and samples it at n cell centres.

    A row is a triangle of half-width ``cell_px`` and sum about 1 around one centre. The first and last cell
    lie equally far from the photo's edges. n is 0 where no cell fits.
    """
    count = max(0, (length_px - cell_px) // step_px + 1)
    first = (length_px - 1 - (count - 1) * step_px) / 2
    centres = first + step_px * torch.arange(count)
    distance = (torch.arange(length_px) - centres[:, None]).abs()
    return (1 - distance / cell_px).clamp(min=0) / cell_px


def sift_grid(gray: Tensor, *, cell_px: int, step_px: int) -> Tensor:
    """Return SIFT before normalisation on a grid: (rows, columns, 128), rows or columns perhaps 0.

    The last axis holds cell row, cell column, orientation, in this order, orientation fastest.

    Args:
        gray: (H, W) float.
        cell_px: side of a cell.
        step_px: distance between descriptors; divides ``cell_px``.
    """
    height, width = gray.shape
    down = cell_filter(height, cell_px=cell_px, step_px=step_px)
    across = cell_filter(width, cell_px=cell_px, step_px=step_px)
    apart = cell_px // step_px
    span = (CELLS_PER_SIDE - 1) * apart + 1
    if min(len(down), len(across)) < span:
        return gray.new_zeros(0, 0, SIFT_DIM)
    cells = (down @ (orientation_maps(gray) @ across.T)).permute(1, 2, 0).contiguous()
    windows = cells.unfold(0, span, 1)[..., ::apart].unfold(1, span, 1)[..., ::apart]
    # (rows, columns, orientation, cell row, cell column) -> orientation last.
    return (windows.permute(0, 1, 3, 4, 2) * _window()).flatten(2)


def _window() -> Tensor:
    """Return the weight (4, 4, 1) of each cell: a Gaussian of half the descriptor's width (Lowe, 6.1)."""
    offset = torch.arange(CELLS_PER_SIDE) - (CELLS_PER_SIDE - 1) / 2
    line = torch.exp(-0.5 * (offset / (CELLS_PER_SIDE / 2)) ** 2)
    return (line[:, None] * line)[..., None]


def root_sift(descriptors: Tensor) -> tuple[Tensor, Tensor]:
    """Return RootSIFT of descriptors (N, 128), as unit rows, and the norms (N,) that they had.

    Divide by the norm, clip at 0.2, divide by the sum, take the square root. A descriptor of zeros stays so.
    """
    norms = torch.linalg.vector_norm(descriptors, dim=1, keepdim=True)
    clipped = torch.minimum(descriptors, _CLIP * norms)
    # Clipping before dividing saves one division: the sum takes the norm out again.
    clipped.div_(clipped.sum(dim=1, keepdim=True).clamp_(min=torch.finfo(clipped.dtype).tiny)).sqrt_()
    return clipped, norms[:, 0]
