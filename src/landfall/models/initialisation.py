"""Sampling local features for the start of clustered heads. Paper, section 3.3.

A random subset of photos, and of each a random subset of locations of its feature map: 500 photos of 100
locations are 50 000 vectors. What the clustered heads make of them is in ``heads/centroids.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from landfall.errors import ModelError, PhotoError
from landfall.photos import InputSpec, PhotoProblem, load_photo

#: Photos that go through the backbone together, where they have one size.
_BATCH_SIZE = 8


@dataclass(frozen=True, slots=True)
class SampleReport:
    """What a sample was drawn from.

    Attributes:
        photos: photos that gave features.
        features: local features sampled.
        problems: photos that were drawn and could not be read.
    """

    photos: int
    features: int
    problems: tuple[PhotoProblem, ...]


def sample_features(
    feature_map: Callable[[npt.NDArray[np.uint8]], Tensor],
    photos: Sequence[str | Path],
    spec: InputSpec,
    *,
    seed: int = 0,
    max_photos: int = 500,
    locations_per_photo: int = 100,
) -> tuple[Tensor, SampleReport]:
    """Return local features (N, C) of random locations of random photos, and what they came from.

    Photos that can't be read are replaced by others while there are any.

    Args:
        feature_map: gives (B, C, h, w) for photos (B, H, W, 3) uint8.
        photos: paths to draw from.
        spec: how photos are read.
        seed: the same seed and photos give the same sample.
        max_photos: photos to use, or all if there are fewer.
        locations_per_photo: of each map, without repetition, or all if there are fewer.

    Raises:
        ModelError: no photo was given, none could be read, or a sample of nothing was asked for.
    """
    if min(max_photos, locations_per_photo) < 1:
        raise ModelError(
            f"A sample of {max_photos} photos and {locations_per_photo} locations of each was asked for; "
            "give at least 1 of both."
        )
    if not photos:
        raise ModelError("The centroids are made from a sample of photos, and no photo was given.")
    rng = np.random.default_rng(seed)
    samples: list[Tensor] = []
    problems: list[PhotoProblem] = []
    batch: list[npt.NDArray[np.uint8]] = []

    def flush() -> None:
        for one in feature_map(np.stack(batch)).flatten(2):
            locations = one.shape[1]
            chosen = rng.choice(locations, size=min(locations_per_photo, locations), replace=False)
            samples.append(one[:, torch.from_numpy(chosen).to(one.device)].T.float().cpu())
        batch.clear()

    for row in rng.permutation(len(photos)):
        if len(samples) + len(batch) == max_photos:
            break
        try:
            pixels = load_photo(photos[row], spec).pixels
        except PhotoError as error:
            problems.append(PhotoProblem(photo=str(photos[row]), reason=error.reason))
            continue
        if batch and (len(batch) == _BATCH_SIZE or batch[0].shape != pixels.shape):
            flush()
        batch.append(pixels)
    if batch:
        flush()
    if not samples:
        raise ModelError(
            f"None of {len(problems)} photos could be read, so there are no features to cluster. "
            f"The first: {problems[0].photo}: {problems[0].reason}."
        )
    features = torch.cat(samples)
    return features, SampleReport(photos=len(samples), features=len(features), problems=tuple(problems))
