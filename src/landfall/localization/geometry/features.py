"""Local features of a photo: SIFT keypoints with RootSIFT descriptors.

SIFT: Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004, by OpenCV. RootSIFT:
Arandjelovic and Zisserman, "Three things everyone should know to improve object retrieval", CVPR 2012,
section 3: divide a SIFT descriptor by its sum and take the square root of each number. The product of two
such rows is the Hellinger kernel of the histograms, and rows have unit norm.

``landfall.models.dense_sift`` describes a grid without keypoints, upright; here places are found that
another photo shows again from elsewhere, each with its own size and orientation.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import UsageError
from landfall.photos import InputSpec, load_photo, read_metadata

DESCRIPTOR_DIM = 128


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """What is looked for in a photo.

    Args:
        longest_side_px: larger photos are shrunk to it; smaller ones are not enlarged.
        most_keypoints: the strongest are kept.
        contrast: least contrast of a keypoint, OpenCV's ``contrastThreshold``. Its default of 0.04 leaves
            little on walls and roads.

    Raises:
        UsageError: a number that is not above 0.
    """

    longest_side_px: int = 640
    most_keypoints: int = 2000
    contrast: float = 0.02

    def __post_init__(self) -> None:
        if min(self.longest_side_px, self.most_keypoints, self.contrast) <= 0:
            raise UsageError(f"{self}: expected numbers above 0.")


@dataclass(frozen=True, eq=False, slots=True)
class Features:
    """What was found in a photo.

    Args:
        xy: (n, 2) float32, pixels right and down from the centre of the left upper pixel; strongest first.
        descriptors: (n, 128) float32 rows of unit norm.
        height, width: pixels of the photo that ``xy`` counts.
    """

    xy: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.xy)

    @property
    def shares(self) -> NDArray[np.float32]:
        """Where the keypoints are, (n, 2), as shares of width and height from the upper left corner."""
        size = np.array([self.width, self.height], np.float32)
        return np.asarray((self.xy + np.float32(0.5)) / size, np.float32)

    @property
    def bytes(self) -> int:
        """How much memory they take."""
        return self.xy.nbytes + self.descriptors.nbytes


def read_features(path: str | PathLike[str], options: FeatureOptions) -> Features:
    """Return the features of a photo's file, decoded upright with at most ``longest_side_px``.

    Raises:
        PhotoError: it can't be read.
    """
    header = read_metadata(path)
    height, width = _limited(header.height, header.width, options)
    return extract_features(load_photo(path, InputSpec(height, width)).pixels, options)


def extract_features(pixels: NDArray[np.uint8], options: FeatureOptions) -> Features:
    """Return the features of a photo, shrunk to ``longest_side_px`` first; one without contrast has none.

    The same pixels give the same features, to the bit, in any thread.

    Args:
        pixels: (H, W, 3) uint8 RGB, upright.
        options: what is looked for.

    Raises:
        UsageError: another shape or type of array.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise UsageError(f"Pixels are {pixels.dtype} {pixels.shape}: expected uint8 (H, W, 3), RGB.")
    height, width = _limited(pixels.shape[0], pixels.shape[1], options)
    gray = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    if gray.shape != (height, width):
        gray = np.asarray(Image.fromarray(gray).resize((width, height), Image.Resampling.BILINEAR))
    # Without the precise upscaling, every keypoint lies a quarter of a pixel beside its place.
    sift = cv2.SIFT.create(
        nfeatures=options.most_keypoints, contrastThreshold=options.contrast, enable_precise_upscale=True
    )
    found, described = sift.detectAndCompute(gray, None)
    if not found:
        nothing = np.empty((0, 2), np.float32), np.empty((0, DESCRIPTOR_DIM), np.float32)
        return Features(*nothing, height=height, width=width)
    # OpenCV keeps all that tie with the last, and none of them in order of strength.
    strength = np.array([keypoint.response for keypoint in found])
    strongest = np.argsort(-strength, kind="stable")[: options.most_keypoints]
    xy = np.asarray(cv2.KeyPoint.convert(found), np.float32)[strongest]
    descriptors = root_sift(np.asarray(described, np.float32)[strongest])
    return Features(xy, descriptors, height=height, width=width)


def _limited(height: int, width: int, options: FeatureOptions) -> tuple[int, int]:
    shrink = min(1.0, options.longest_side_px / max(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def root_sift(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return RootSIFT of SIFT descriptors (n, 128), as unit rows; a descriptor of zeros stays so."""
    sums = descriptors.sum(axis=1, keepdims=True)
    return np.asarray(np.sqrt(descriptors / np.maximum(sums, np.finfo(np.float32).tiny)), np.float32)
