"""A pinhole camera in town: where a point of the world falls in a photo.

World: x east, y north, z up, metres. Photo: column to the right, row downwards, pixel centres at
whole numbers plus a half. Heading in degrees clockwise from north, pitch upwards, roll clockwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HORIZONTAL_FIELD_DEG = 76.0


@dataclass(frozen=True)
class View:
    """Where a photo is taken from and what it looks at."""

    x: float
    y: float
    z: float
    heading_deg: float
    pitch_deg: float
    roll_deg: float
    visit: int
    number: int
    exposure: float = 1.0

    @property
    def forward(self) -> tuple[float, float]:
        """Level unit vector (east, north) of the heading."""
        heading = math.radians(self.heading_deg)
        return math.sin(heading), math.cos(heading)


def focal_px(width: int) -> float:
    """Focal length in pixels of a photo this wide."""
    return width / 2 / math.tan(math.radians(HORIZONTAL_FIELD_DEG / 2))


def rotation(pitch_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """Rotation (3, 3) from camera axes (right, down, ahead) to level axes (right, ahead, up)."""
    pitch, roll = math.radians(pitch_deg), math.radians(roll_deg)
    unroll = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1.0]]
    )
    c, s = math.cos(pitch), math.sin(pitch)
    level = np.array([[1.0, 0, 0], [0, s, c], [0, -c, s]])
    return np.asarray(level @ unroll)


def project(
    view: View, points: NDArray[np.float64], height: int, width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows (N,) of world points (N, 3); NaN for those behind the camera."""
    fx, fy = view.forward
    offset = points - np.array([view.x, view.y, view.z])
    level = np.stack(
        [offset[:, 0] * fy - offset[:, 1] * fx, offset[:, 0] * fx + offset[:, 1] * fy, offset[:, 2]], 1
    )
    camera = level @ rotation(view.pitch_deg, view.roll_deg)
    ahead = np.where(camera[:, 2] > 1e-6, camera[:, 2], np.nan)
    focal = focal_px(width)
    return width / 2 + focal * camera[:, 0] / ahead, height / 2 + focal * camera[:, 1] / ahead
