"""A real server: killed in the middle of a build and of a change, and what it answers afterwards."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.index.milvus.photos import ROOT as PHOTOS_ROOT
from tests.index.milvus.photos import records_of

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from landfall.errors import IndexStoreError
from landfall.geo import LatLon
from landfall.index import Among, Index, begin, changing, search_exact, verify_index
from landfall.index.milvus import collection, writing
from landfall.index.milvus.address import parse_address
from landfall.index.milvus.building import MilvusBuilding
from landfall.index.milvus.schema import photo_id
from landfall.models import ModelCard
from landfall.models.checkpoint import write_checkpoint
from milvus_server import LAUNCHER, MilvusServer

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("milvus server"),
    pytest.mark.skipif(LAUNCHER is None, reason="needs a Milvus server (make server-test)"),
]

DIM, COUNT, ADDED = 64, 6000, 3000
CARD = ModelCard(name="fake", family="fake", descriptor_dim=DIM, licence="MIT", source="tests")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install -e '.[milvus]'")
    running = MilvusServer(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(autouse=True)
def _short_calls_and_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "_CALL_S", 10.0)
    monkeypatch.setattr(writing, "at_once", lambda _dim: 500)
    monkeypatch.setattr(writing, "FLUSH_BYTES", 2000 * DIM * 4)


def described(count: int, seed: int) -> NDArray[np.float16]:
    drawn = np.random.default_rng(seed).normal(size=(count, DIM))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float16)


def build(out: Path, store: str, killed: MilvusServer | None = None) -> Index:
    def progress(done: int, _of: int) -> None:
        if killed is not None and done >= COUNT * 0.6:
            killed.kill()

    with begin(out, {"photos": COUNT}) as building:
        elsewhere = MilvusBuilding(building, parse_address(store))
        np.save(building.folder / "described.npy", described(COUNT, 0))
        model = building.folder / "fitted.safetensors"
        write_checkpoint(model, {"weight": np.zeros(1, np.float32)}, CARD)
        return elsewhere.commit(
            records_of(COUNT),
            building.folder / "described.npy",
            model,
            root=PHOTOS_ROOT,
            progress=progress,
        )


def add(path: Path) -> None:
    with changing(path) as change:
        folder = change.records.folder("/more", None)
        first = change.append(described(ADDED, 9))
        records = records_of(ADDED, first=100_000)
        change.records.insert(replace(each, row=first + each.row, folder=folder) for each in records)
        change.records.delete([photo_id(PHOTOS_ROOT, each.photo) for each in records_of(50)])
        change.commit()


@pytest.mark.parametrize("options", ["", "?index=hnsw", "?index=ivf_flat"])
def test_a_server_killed_in_a_build_and_in_a_change_loses_and_doubles_nothing(
    server: MilvusServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    path = tmp_path / "i.lf"
    name = "".join(filter(str.isalpha, options)) or "plain"
    store = f"milvus://127.0.0.1:19530/{name}{options}"
    if not options:
        with pytest.raises(IndexStoreError, match="Is the server there"):
            build(path, store, server)
        server.start()
    index = build(path, store)
    assert len(index) == COUNT
    assert verify_index(path) == []
    if not options:
        with monkeypatch.context() as patch:
            patch.setattr(collection.Collection, "upsert", _killing(server, after=3))
            with pytest.raises(IndexStoreError, match="Is the server there"):
                add(path)
        server.start()
        assert Index.open(path).info()["unfinished_change"]
        with changing(path):
            pass
    else:
        add(path)
    _check(Index.open(path), exact="index" not in options)
    assert verify_index(path) == []


def _killing(server: MilvusServer, after: int) -> Any:
    whole, left = collection.Collection.upsert, after

    def upsert(self: collection.Collection, entities: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            server.kill()
        whole(self, entities)

    return upsert


def _check(index: Index, *, exact: bool) -> None:
    """Check that what was stored is there once, and is found as exact search finds it."""
    vectors = np.concatenate([described(COUNT, 0)[50:], described(ADDED, 9)])
    records = [*records_of(COUNT)[50:], *records_of(ADDED, first=100_000)]
    row_of = {record.photo: row for row, record in enumerate(records)}
    went_in = np.array([row_of[photo.photo] for photo in index.photos()])
    assert len(index) == len(records)
    np.testing.assert_array_equal(np.sort(went_in), np.arange(len(records)))
    np.testing.assert_array_equal(np.asarray(index.descriptors), vectors[went_in])
    queries = np.random.default_rng(3).normal(size=(30, DIM)).astype(np.float32)
    town = Among(near=LatLon(0, 0), within_m=1500, heading_deg=350, heading_within_deg=60)
    for among in (None, town):
        kept = np.arange(len(records)) if among is None else np.sort(went_in[index.rows_among(among)])
        assert len(kept) > 100
        distances, found = search_exact(vectors[kept], queries, 10, device="cpu")
        answers = index.search(queries, 10, among=among)
        agreeing = 0
        for matches, near, rows in zip(answers, distances, found, strict=True):
            names = [records[kept[row]].photo for row in rows]
            agreeing += len({match.photo for match in matches} & set(names))
            if exact:
                np.testing.assert_allclose([match.distance for match in matches], near, rtol=1e-5)
            assert len(matches) == 10
        # HNSW and lists may miss some; of random vectors, which have no neighbours to speak of, many.
        assert agreeing >= (297 if exact else 90)


def test_half_precision_is_refused_by_a_server_that_can_not_hold_it(
    server: MilvusServer, tmp_path: Path
) -> None:
    with pytest.raises(IndexStoreError, match=r"from 2\.4 on, and this one is older"):
        build(tmp_path / "i.lf", "milvus://127.0.0.1:19530/half?vector=half")


def test_a_token_that_is_wrong_is_never_told(
    server: MilvusServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFALL_MILVUS_TOKEN", "root:hunter2")
    index = build(tmp_path / "i.lf", "milvus://127.0.0.1:19530/token")
    assert "hunter2" not in json.dumps(index.info())
    assert not any(b"hunter2" in file.read_bytes() for file in index.path.iterdir() if file.is_file())
