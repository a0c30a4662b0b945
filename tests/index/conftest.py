"""A small finished index, and the parts to build one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.index import FolderIndex, PhotoRecord, begin
from landfall.models import ModelCard

PLAN = {"photos": "a folder of 6", "model": "fake"}
CARD = ModelCard(
    name="fake", family="fake", descriptor_dim=8, licence="MIT", source="tests", landfall_version="0"
)


def records(count: int = 6) -> list[PhotoRecord]:
    """Photos in a line; numbers 3 and 4 have the same bytes, number 0 has all that a photo may have."""
    return [
        PhotoRecord(
            id=100 + i,
            photo=f"straße/{i}.jpg",
            content_hash=f"hash{3 if i == 4 else i}",
            lat=52 + i / 1000,
            lon=0.1,
            altitude_m=12.5 if i == 0 else None,
            heading_deg=90.0 if i == 0 else None,
            taken_at=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC) if i == 0 else None,
            bytes=1000 + i,
            width=64,
            height=48,
            row=i,
        )
        for i in range(count)
    ]


def descriptors(count: int = 6) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)


def build(out: Path) -> FolderIndex:
    with begin(out, PLAN) as building:
        model = building.folder / "fitted.safetensors"
        model.write_bytes(b"a model")
        np.save(building.folder / "extracted.npy", descriptors())
        return building.commit(
            records(), building.folder / "extracted.npy", model, card=CARD, root="somewhere"
        )


@pytest.fixture
def index(tmp_path: Path) -> FolderIndex:
    return build(tmp_path / "city.lf")
