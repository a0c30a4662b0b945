"""What DenseVLAD attends to: the residuals of its local descriptors to their visual words, laid on the photo.

A descriptor x, whose nearest word is c, adds x - c to the VLAD (`vlad`). The square of that residual's norm
is spread evenly over the cells that the descriptor covers, and the squares of all descriptors at all scales
add up in each cell; the root of the sum is the cell's energy. Descriptors without contrast are no part of the
VLAD, and add nothing here. What follows in the VLAD, signed root, normalisation and whitening, is not looked
at.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from landfall.models.dense_sift import CELLS_PER_SIDE, root_sift, shrink, sift_grid, to_gray
from landfall.models.vlad import nearest_words
from landfall.models.vocabulary import Vocabulary


def residual_energy(image: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Return the residual energy (h, w) of a photo's cells at its largest scale.

    Args:
        image: (H, W, 3) uint8, RGB.
        vocabulary: says which descriptors are taken, and their words.

    Returns:
        float32, not negative; a single zero where the photo is too small for any descriptor.
    """
    sift, gray = vocabulary.sift, to_gray(image)
    # Descriptors stand a step apart, and so do the samples that a descriptor's cells are taken from.
    span = (CELLS_PER_SIDE - 1) * (sift.cell_px // sift.step_px) + 1
    scales = []
    for scale in sorted(sift.scales, reverse=True):
        grid = sift_grid(shrink(gray, scale), cell_px=sift.cell_px, step_px=sift.step_px)
        if grid.numel():
            squares = squared_residuals(grid.flatten(0, 1), vocabulary).view(1, 1, *grid.shape[:2])
            scales.append(F.avg_pool2d(F.pad(squares, (span - 1,) * 4), span, stride=1))
    if not scales:
        return gray.new_zeros(1, 1)
    size = scales[0].shape[2:]
    summed = gray.new_zeros(1, 1, *size)
    for cells in scales:
        # A cell of a smaller scale covers several of the largest: its square is shared between them.
        share = cells[0, 0].numel() / size.numel()
        summed += share * F.interpolate(cells, size=size, mode="bilinear", align_corners=False)
    return summed[0, 0].sqrt()


def squared_residuals(descriptors: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Return ||x - c||^2 (N,) of SIFT descriptors (N, 128), not normalised; 0 where contrast lacks."""
    rooted, contrast = root_sift(descriptors)
    features = vocabulary.reduce(rooted)
    residuals = features - vocabulary.words[nearest_words(features, vocabulary.words)]
    return torch.where(contrast >= vocabulary.sift.least_contrast, residuals.square().sum(dim=1), 0.0)
