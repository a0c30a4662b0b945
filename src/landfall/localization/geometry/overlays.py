"""Matches that a watermark, a date or a frame makes: what was printed on a photo, not seen by its camera.

Weyand, Tsai and Leibe, "Fixing WTFs: Detecting image matches caused by watermarks, timestamps, and frames
in Internet photos", WACV 2015: such matches lie near the photos' edges and stay where they are. The same
holds for the bonnet of a surveying car, which tells just as little of the place.

Deviation: single matches are judged, before any model is estimated, instead of whole models afterwards. A
photo against itself, or against one taken from the very same spot, loses those of its matches that lie at
the edges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Share of a photo's height and width that is taken as its edge.
_EDGE = 0.08
# Overlays stay to the pixel; JPEG and resizing move keypoints by about one.
_STILL_PX = 1.5


def on_overlay(
    xy_a: Floats, xy_b: Floats, size_a: tuple[int, int], size_b: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return which matches (n,) lie at the same place of both photos' edges.

    Places are measured from the nearest corner, so that photos of other sizes may have the same overlay.

    Args:
        xy_a: (n, 2) pixels right and down in one photo.
        xy_b: (n, 2) in the other.
        size_a: height and width of the one.
        size_b: of the other.
    """
    from_a, edge_a = _from_corner(xy_a, size_a)
    from_b, edge_b = _from_corner(xy_b, size_b)
    still = (np.abs(from_a - from_b) < _STILL_PX).all(axis=1)
    return np.asarray(edge_a & edge_b & still, np.bool_)


def _from_corner(xy: Floats, size: tuple[int, int]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return (n, 2) pixels from the nearest corner, negative from right and bottom, and who is near."""
    last = np.array([size[1] - 1, size[0] - 1], np.float32)
    from_corner = np.where(xy > last / 2, xy - last, xy).astype(np.float32)
    near = (np.abs(from_corner) < _EDGE * last).any(axis=1)
    return from_corner, np.asarray(near, np.bool_)
