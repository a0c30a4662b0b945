"""Augmentation of triplets, batched, on the training device. Paper, figure 6.

Whatever mirrors or moves the scene is drawn once for a triplet: a query that is flipped against its positive
shows another place. Colours and erasing are drawn for each photo. Flip, rotation, crop and perspective are
one homography and one resampling.

Deviation: the crop keeps the photos' size and aspect; what a rotation leaves empty is black.
"""

from __future__ import annotations

import math

import torch
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation_with_gray_subtraction,
)
from kornia.geometry.transform import get_perspective_transform, warp_perspective
from torch import Tensor

from landfall.training.recipe import AugmentationSection

# An erased rectangle's share of the photo, and its height over its width.
_ERASED_SHARE = (0.02, 0.33)
_ERASED_ASPECT = (0.3, 3.3)


class Augmentation:
    """Changes the photos of triplets at random.

    Args:
        options: what is done, and how strongly.
    """

    def __init__(self, options: AugmentationSection) -> None:
        self.options = options

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed photos of the same shape.

        Args:
            images: (T, G, 3, H, W) in 0..1: T triplets of G photos.
            generator: on the CPU; all that is drawn comes from it.
        """
        triplets, photos, _, height, width = images.shape
        flat = images.flatten(0, 1)
        if self.options.geometric:
            moves = self.homographies(triplets, height, width, generator)
            moves = moves.repeat_interleave(photos, dim=0).to(flat)
            flat = warp_perspective(flat, moves, (height, width), padding_mode="zeros", align_corners=True)
        if self.options.photometric:
            flat = self._erase(self._recolour(flat, generator), generator)
        return flat.view_as(images)

    def homographies(self, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Return pixel homographies (count, 3, 3), from the photo to what becomes of it."""
        options = self.options
        half = torch.tensor([(width - 1) / 2, (height - 1) / 2], dtype=torch.float64)
        signs = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
        corners = half * (1 + signs)  # (4, 2), x and y, clockwise from the top left

        # Where the frame's corners lie in the photo: a crop, then each corner moved towards the middle.
        side = torch.empty(count, dtype=torch.float64).uniform_(options.crop, 1.0, generator=generator).sqrt()
        offset = _uniform((count, 2), generator) * (1 - side)[:, None] * half
        inward = torch.rand((count, 4, 2), generator=generator, dtype=torch.float64) * options.perspective
        source = half + offset[:, None] + side[:, None, None] * half * signs * (1 - inward)

        angle = _uniform((count,), generator) * math.radians(options.rotation_deg)
        mirrored = torch.rand(count, generator=generator, dtype=torch.float64) < options.flip
        cos, sin = angle.cos(), angle.sin()
        turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)  # (count, 2, 2)
        target = (corners - half).expand(count, 4, 2) @ turn.transpose(1, 2)
        target = torch.where(mirrored[:, None, None], target * target.new_tensor([-1.0, 1.0]), target) + half
        return get_perspective_transform(source, target)

    def _recolour(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Change brightness, contrast, saturation and hue of photos (B, 3, H, W), in this order."""
        options, count = self.options, len(images)

        def factor(spread: float) -> Tensor:
            return (1 + spread * _uniform((count,), generator)).to(images)

        if options.brightness:
            images = adjust_brightness_accumulative(images, factor(options.brightness))
        if options.contrast:
            images = adjust_contrast_with_mean_subtraction(images, factor(options.contrast))
        if options.saturation:
            images = adjust_saturation_with_gray_subtraction(images, factor(options.saturation))
        if options.hue:
            turn = (2 * math.pi * options.hue * _uniform((count,), generator)).to(images)
            images = adjust_hue(images, turn)
        return images

    def _erase(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Blacken a rectangle of some photos (B, 3, H, W)."""
        if not self.options.erasing:
            return images
        count, _, height, width = images.shape
        drawn = torch.rand((5, count), generator=generator, dtype=torch.float64)
        share = _ERASED_SHARE[0] + drawn[0] * (_ERASED_SHARE[1] - _ERASED_SHARE[0])
        low, high = map(math.log, _ERASED_ASPECT)
        aspect = (low + drawn[1] * (high - low)).exp()
        tall = (share * height * width * aspect).sqrt().clamp(max=height)
        wide = (share * height * width / aspect).sqrt().clamp(max=width)
        top, left = drawn[2] * (height - tall), drawn[3] * (width - wide)
        y = torch.arange(height, dtype=torch.float64)[None, :, None] + 0.5
        x = torch.arange(width, dtype=torch.float64)[None, None, :] + 0.5
        inside = (y > top[:, None, None]) & (y < (top + tall)[:, None, None])
        inside = inside & (x > left[:, None, None]) & (x < (left + wide)[:, None, None])
        erased = inside & (drawn[4] < self.options.erasing)[:, None, None]
        return images.masked_fill(erased[:, None].to(images.device), 0.0)


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return numbers from -1 to 1."""
    return 2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1
