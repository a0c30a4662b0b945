"""A small index of drawn photos with thumbnails, described in milliseconds, and photos to be sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from landfall.geo import LatLon
from landfall.index import Index
from landfall.localization import build_index
from landfall.models import create_network
from landfall.photos import write_jpeg

INDEXED = 5
STEP_DEG = 0.001  # some 110 m of latitude between neighbouring places


def picture(place: int) -> NDArray[np.uint8]:
    """Return a photo (64, 64, 3) of coloured blocks that only this place has."""
    blocks = np.random.default_rng(place).integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
    return np.asarray(blocks.repeat(8, axis=0).repeat(8, axis=1))


def place_of(place: int) -> LatLon:
    return LatLon(52.0 + STEP_DEG * place, 0.5)


def sent(folder: Path, place: int, *, placed: bool = True) -> bytes:
    """Return the file of a photo that tells in its EXIF where it was taken, unless it is not ``placed``."""
    file = folder / f"sent-{place}.jpg"
    write_jpeg(file, picture(place), location=place_of(place) if placed else None, heading_deg=90.0)
    return file.read_bytes()


def small_index(folder: Path) -> Index:
    """Build ``folder/street.lf`` of ``INDEXED`` photos, by an untrained network with mean pooling."""
    (folder / "street").mkdir(parents=True)
    for place in range(INDEXED):
        write_jpeg(folder / "street" / f"{place}.jpg", picture(place), location=place_of(place))
    torch.manual_seed(0)
    network = create_network("resnet18", "base", height=64, width=64).eval()
    return build_index(folder / "street", folder / "street.lf", model=network, thumbnail_px=64).index


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return small_index(tmp_path)
