"""A short street of drawn photos, a real network that describes them in milliseconds, and their index."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from landfall.geo import LatLon
from landfall.index import Index
from landfall.localization import build_index
from landfall.models import Model, create_network
from landfall.photos import write_jpeg

PLACES = 5
STEP_DEG = 0.001  # some 110 m of latitude between neighbouring places


def picture(place: int) -> NDArray[np.uint8]:
    """Return a photo (64, 64, 3) of coloured blocks that only this place has."""
    rng = np.random.default_rng(place)
    blocks = rng.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
    return np.asarray(blocks.repeat(8, axis=0).repeat(8, axis=1))


@pytest.fixture
def network() -> Model:
    """An untrained ResNet-18 with mean pooling: two photos of the same pixels get the same descriptor."""
    torch.manual_seed(0)
    return create_network("resnet18", "base", height=64, width=64).eval()


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Geotagged photos ``0.jpg`` to ``4.jpg``, one a place, in a folder of a folder."""
    root = tmp_path / "street"
    (root / "walk").mkdir(parents=True)
    for place in range(PLACES):
        write_jpeg(
            root / "walk" / f"{place}.jpg",
            picture(place),
            location=LatLon(52.0 + STEP_DEG * place, 0.5),
            altitude_m=10.0 + place,
            heading_deg=90.0,
            taken_at=datetime(2021, 6, 14, 12, place),
        )
    return root


@pytest.fixture
def index(street: Path, network: Model, tmp_path: Path) -> Index:
    return build_index(street, tmp_path / "street.lf", model=network).index


def walk_picture(place: float) -> NDArray[np.uint8]:
    """Return a photo (64, 64, 3) that changes step by step from one place to the next."""
    before = int(place)
    share = place - before
    mixed = (1 - share) * picture(before) + share * picture(before + 1)
    return np.asarray(mixed, np.uint8)


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Photos ``00.jpg`` to ``79.jpg``, 8 m apart, of which every four show one place more and more."""
    root = tmp_path / "walk"
    root.mkdir()
    for step in range(80):
        location = LatLon(52.0 + step * 8.0 / 111_270.0, 0.5)
        write_jpeg(root / f"{step:02}.jpg", walk_picture(step / 4), location=location)
    return root
