"""The same photos as an index in a folder and as one in an embedded store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.index import FolderIndex, PhotoRecord, begin
from landfall.index.milvus.address import parse_address
from landfall.index.milvus.building import MilvusBuilding
from landfall.index.milvus.reader import MilvusIndex
from landfall.models import ModelCard
from landfall.models.checkpoint import write_checkpoint

DIM = 12
CARD = ModelCard(name="fake", family="fake", descriptor_dim=DIM, licence="MIT", source="tests")
ROOT = "/photos"
COUNT = 300


def descriptors_of(count: int, *, seed: int = 0) -> NDArray[np.float16]:
    """Unit descriptors (count, DIM)."""
    drawn = np.random.default_rng(seed).normal(size=(count, DIM))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float16)


def records_of(count: int, *, first: int = 0) -> list[PhotoRecord]:
    """Photos around the globe: across the date line, near the pole, in a town; some know more than others."""
    rng = np.random.default_rng(7)
    lat, lon = rng.uniform(-0.02, 0.02, (2, max(count, COUNT)))
    lat[:60] += 52
    lon[:60] += 13
    lon[60:120] = np.where(lon[60:120] < 0, lon[60:120] + 180, lon[60:120] - 180)
    lat[120:150] = 89.99 + np.abs(lat[120:150]) / 4
    lon[120:150] *= 9000
    start = datetime(2024, 5, 6, 7, 8, 9, 500_000, tzinfo=UTC)
    return [
        PhotoRecord(
            id=row + 1,
            photo=f"straße {first + row}/'\"{first + row}.jpg",
            content_hash=f"hash{first + row - (row == 5)}",
            lat=float(lat[row]),
            lon=float(lon[row]),
            altitude_m=None if row % 3 else row / 7,
            heading_deg=None if row % 4 == 3 else float(row * 37 % 360) + row / 1000,
            taken_at=None if row % 5 == 4 else start + timedelta(hours=row),
            bytes=1000 + row,
            width=64,
            height=48,
            row=row,
            mtime_ns=None if row == 2 else 10**18 + row,
        )
        for row in range(count)
    ]


def build_folder(out: Path, count: int = COUNT) -> FolderIndex:
    with begin(out, {"photos": count}) as building:
        model = building.folder / "fitted.safetensors"
        write_checkpoint(model, {"weight": np.zeros(1, np.float32)}, CARD)
        return building.commit(records_of(count), descriptors_of(count), model, root=ROOT, source=ROOT)


def build_milvus(
    out: Path, count: int = COUNT, *, store: str | None = None, said: list[str] | None = None
) -> MilvusIndex:
    address = parse_address(store or f"milvus://{out.parent}/{out.stem}.db/photos")
    with begin(out, {"photos": count}) as building:
        elsewhere = MilvusBuilding(building, address)
        model = building.folder / "fitted.safetensors"
        write_checkpoint(model, {"weight": np.zeros(1, np.float32)}, CARD)
        np.save(building.folder / "described.npy", descriptors_of(count))
        return elsewhere.commit(
            records_of(count),
            building.folder / "described.npy",
            model,
            root=ROOT,
            source=ROOT,
            say=(said if said is not None else []).append,
        )
