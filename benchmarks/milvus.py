"""A Milvus server killed while photos are stored in it, and how fast it answers afterwards.

    benchmarks/with_milvus.sh python benchmarks/milvus.py [--photos 100000] [--dim 512] [--kinds flat hnsw]

For each kind of vector index: photos with random unit descriptors are stored through the same calls as
``landfall index build --store`` makes. At half of them the server is killed (SIGKILL), the build fails as it
would for a user, the server is started again on its data, and the build repeated. Then every photo is looked
for, and some descriptors are read back: ``lost``, ``doubled`` and ``differing`` must be 0. Last, searches are
timed, one query at a time and a hundred together, without and with conditions (a place, within 3 km, and a
heading), and compared with exact search. Random vectors have no neighbours to speak of, so what a graph finds
of them is the least that it will find.

Clock seconds of client and server together on one machine; ``load_average_1min`` says what else it did.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from environment import RESULTS, environment, write_result
from landfall.errors import IndexStoreError
from landfall.geo import LatLon
from landfall.index import Among, Index, PhotoRecord, begin, search_exact, verify_index
from landfall.index.milvus.address import parse_address
from landfall.index.milvus.building import MilvusBuilding
from landfall.models import ModelCard
from landfall.models.checkpoint import write_checkpoint
from milvus_server import PORT, MilvusServer

K, QUERIES, READ_BACK = 20, 100, 500
AMONG = Among(near=LatLon(52.0, 13.0), within_m=3000, heading_deg=355, heading_within_deg=90)


class Photos:
    """Drawn photos of a city of some 30 km, and where their descriptors lie."""

    def __init__(self, folder: Path, count: int, dim: int) -> None:
        self.path = folder / "described.npy"
        rng = np.random.default_rng(0)
        rows = np.lib.format.open_memmap(self.path, "w+", np.float16, (count, dim))
        for first in range(0, count, 10_000):
            drawn = rng.normal(size=(min(10_000, count - first), dim))
            rows[first : first + len(drawn)] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        rows.flush()
        self.rows = np.load(self.path, mmap_mode="r")
        places = np.array([52.0, 13.0]) + rng.uniform(-0.15, 0.15, (count, 2))
        headings = rng.uniform(0, 360, count)
        self.records = [
            PhotoRecord(
                id=0,
                photo=f"drive {row // 1000}/{row:07}.jpg",
                content_hash=f"{row:032x}",
                lat=lat,
                lon=lon,
                altitude_m=None,
                heading_deg=heading,
                taken_at=None,
                bytes=1,
                width=64,
                height=48,
                row=row,
            )
            for row, ((lat, lon), heading) in enumerate(zip(places.tolist(), headings.tolist(), strict=True))
        ]
        self.card = ModelCard(
            name="drawn", family="drawn", descriptor_dim=dim, licence="MIT", source="benchmark"
        )


def build(photos: Photos, out: Path, store: str, killed: MilvusServer | None = None) -> Index:
    """Build, or go on with it; the server given is killed when half is stored."""

    def progress(done: int, of: int) -> None:
        if killed is not None and 2 * done >= of:
            killed.kill()

    with begin(out, {"photos": "drawn"}) as building:
        elsewhere = MilvusBuilding(building, parse_address(store))
        model = building.folder / "fitted.safetensors"
        write_checkpoint(model, {"weight": np.zeros(1, np.float32)}, photos.card)
        return elsewhere.commit(photos.records, photos.path, model, root="/city", progress=progress)


def measure(photos: Photos, folder: Path, kind: str, server: MilvusServer) -> dict[str, Any]:
    """Store, kill, store again, look, and search, with one kind of vector index."""
    out, store = folder / f"{kind}.lf", f"milvus://127.0.0.1:{PORT}/{kind}?index={kind}&vector=float"
    told: dict[str, Any] = {}
    with timed(told, "until_killed_s"):
        try:
            build(photos, out, store, server)
        except IndexStoreError as error:
            told["error"] = str(error)
    told["server_up_again_s"] = server.start()
    with timed(told, "rest_stored_s"):
        index = build(photos, out, store)
    with timed(told, "verified_s"):
        told["problems"] = len(verify_index(out))
    told.update(compare(index, photos))
    with timed(told, "plain_build_s"):
        build(photos, folder / f"{kind} plain.lf", store.replace(f"/{kind}?", f"/{kind}_plain?"))
    told["plain_photos_per_s"] = len(photos.records) / told["plain_build_s"]
    told["search"] = {
        name: searched(index, photos, among) for name, among in (("all", None), ("near and heading", AMONG))
    }
    told["server_peak_mb"] = server.held_mb()
    return told


def compare(index: Index, photos: Photos) -> dict[str, int]:
    """Return how many photos are lost, doubled, or have another descriptor than they should."""
    there = [photo.photo for photo in index.photos()]
    wanted = {record.photo: record.row for record in photos.records}
    rows = np.sort(np.random.default_rng(1).choice(len(there), READ_BACK, replace=False))
    expected = photos.rows[np.array([wanted[there[row]] for row in rows])]
    differing = (np.asarray(index.descriptors[rows]) != expected).any(axis=1)
    return {
        "counted": len(index),
        "lost": len(set(wanted) - set(there)),
        "doubled": len(there) - len(set(there)),
        "read_back": READ_BACK,
        "differing": int(differing.sum()),
    }


def searched(index: Index, photos: Photos, among: Among | None) -> dict[str, float]:
    """Time searches, and compare them with exact search over the same descriptors."""
    drawn = np.random.default_rng(2).normal(size=(QUERIES, photos.rows.shape[1]))
    queries = np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)
    index.search(queries[:1], K, among=among)
    began = time.monotonic()
    answers = index.search(queries, K, among=among)
    together_s = time.monotonic() - began
    alone = []
    for query in queries[:30]:
        began = time.monotonic()
        index.search(query[None], K, among=among)
        alone.append(time.monotonic() - began)
    wanted = {record.photo: record.row for record in photos.records}
    rows_of = np.array([wanted[photo.photo] for photo in index.photos()])
    kept = np.arange(len(rows_of)) if among is None else np.sort(rows_of[index.rows_among(among)])
    near, found = search_exact(np.asarray(photos.rows)[kept], queries, K, device="cpu")
    same = [
        len({wanted[match.photo] for match in matches} & set(kept[rows].tolist()))
        for matches, rows in zip(answers, found, strict=True)
    ]
    first = np.array([matches[0].distance for matches in answers])
    return {
        "photos": len(kept),
        "ms_a_query_alone": 1000 * float(np.median(alone)),
        "ms_a_query_together": 1000 * together_s / QUERIES,
        "found_of_exact_percent": 100 * float(np.mean(same)) / K,
        "first_distance_off": float(np.abs(first / near[:, 0] - 1).max()),
    }


@contextmanager
def timed(told: dict[str, Any], name: str) -> Iterator[None]:
    """Note how long a block takes."""
    began = time.monotonic()
    yield
    told[name] = time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--kinds", nargs="+", default=["flat", "hnsw"])
    parser.add_argument("--out", type=Path, default=RESULTS / "milvus.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = Photos(folder, options.photos, options.dim)
        server = MilvusServer(folder / "server")
        first_start_s = server.start()
        try:
            kinds = {kind: measure(photos, folder, kind, server) for kind in options.kinds}
        finally:
            server.kill()
    write_result(
        {
            "photos": options.photos,
            "descriptor_dim": options.dim,
            "k": K,
            "server": "milvus 2.3.5 standalone (PyPI)",
            "server_first_start_s": first_start_s,
            "kinds": kinds,
            "environment": environment("pymilvus", "numpy"),
        },
        options.out,
    )


if __name__ == "__main__":
    main()
