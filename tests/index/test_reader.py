from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.index.conftest import CARD, PLAN, descriptors, records

from landfall.errors import IndexStoreError, UsageError
from landfall.index import FolderIndex, IndexedPhoto, Match, begin


def test_what_went_in_is_there(index: FolderIndex) -> None:
    assert len(index) == 6
    assert index.records() == records()
    assert index.photos() == [
        IndexedPhoto(record.id, record.photo, record.lat, record.lon) for record in records()
    ]
    assert index.photos()[2] == (102, "straße/2.jpg", 52.002, 0.1)
    np.testing.assert_array_equal(index.descriptors, descriptors())
    np.testing.assert_array_equal(index.positions.lat, [record.lat for record in records()])
    np.testing.assert_array_equal(index.positions.lon, [0.1] * 6)
    assert index.manifest.model == CARD
    assert sorted(path.name for path in index.path.iterdir()) == [
        "descriptors-000001.npy",
        "manifest.json",
        "model.safetensors",
        "photos-000001.sqlite",
    ]


def test_search_gives_matches_nearest_first(index: FolderIndex) -> None:
    # A query is its photo's own descriptor; the distances of the rest are worked out one by one.
    (found,) = index.search(descriptors()[2:3], 3)
    far = {i: float(np.linalg.norm(descriptors()[i] - descriptors()[2])) for i in range(6)}
    nearest = sorted(far, key=lambda i: far[i])[:3]
    assert [match.id for match in found] == [100 + i for i in nearest]
    assert found[0] == Match(id=102, photo="straße/2.jpg", lat=52.002, lon=0.1, distance=0.0, rank=1)
    assert [match.rank for match in found] == [1, 2, 3]
    assert [match.distance for match in found] == pytest.approx([far[i] for i in nearest])


def test_search_gives_all_photos_where_more_are_asked_for(index: FolderIndex) -> None:
    assert [len(found) for found in index.search(descriptors()[:2], 50)] == [6, 6]
    assert index.search(descriptors()[:0], 5) == []


def test_search_refuses_descriptors_of_another_model(index: FolderIndex) -> None:
    with pytest.raises(UsageError, match=r"\(1, 9\)"):
        index.search(np.ones((1, 9), np.float32), 1)


def test_hashes_are_found_and_the_first_of_two_photos_is_named(index: FolderIndex) -> None:
    many = [f"other{i}" for i in range(2000)]
    assert index.find_hashes([*many, "hash3", "hash5"]) == {"hash3": "straße/3.jpg", "hash5": "straße/5.jpg"}
    assert index.find_hashes([]) == {}


def test_info_is_json(index: FolderIndex) -> None:
    info = json.loads(json.dumps(index.info()))
    assert info["indexed"] == 6
    assert info["bounds"] == [52.0, 0.1, 52.005, 0.1]
    assert info["root"] == "somewhere"
    sizes = [(index.path / name).stat().st_size for name in index.manifest.files]
    assert info["bytes"] == sum(sizes)


def test_a_moved_index_opens(index: FolderIndex, tmp_path: Path) -> None:
    shutil.move(index.path, tmp_path / "else where")
    assert FolderIndex.open(tmp_path / "else where").search(descriptors()[:1], 1)[0][0].id == 100


def test_an_empty_index_opens(tmp_path: Path) -> None:
    with begin(tmp_path / "i", PLAN) as building:
        (building.folder / "m").write_bytes(b"a model")
        index = building.commit([], np.empty((0, 8), np.float32), building.folder / "m", card=CARD)
    assert index.search(descriptors(), 5) == [[]] * 6
    assert index.info()["bounds"] is None


def test_opening_loads_no_torch(index: FolderIndex) -> None:
    code = "import sys, landfall.index as i; i.Index.open(sys.argv[1]).info(); print('torch' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code, str(index.path)], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False"


def open_after(index: FolderIndex, change: Any) -> str:
    change(index.path)
    with pytest.raises(IndexStoreError) as caught:
        FolderIndex.open(index.path)
    return str(caught.value)


def flip_last_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 255
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["photos-000001.sqlite", "descriptors-000001.npy", "model.safetensors"])
def test_a_missing_short_or_changed_file_is_named(index: FolderIndex, name: str) -> None:
    assert name in open_after(index, lambda path: flip_last_byte(path / name))
    told = open_after(index, lambda path: (path / name).write_bytes((path / name).read_bytes()[:-1]))
    assert name in told
    assert "bytes, not the" in told
    told = open_after(index, lambda path: (path / name).unlink())
    assert name in told
    assert "missing" in told


def rewrite(path: Path, **changes: Any) -> None:
    manifest = path / "manifest.json"
    told = {**json.loads(manifest.read_text(encoding="utf-8")), **changes}
    manifest.write_text(json.dumps(told), encoding="utf-8")


def test_a_newer_format_is_told(index: FolderIndex) -> None:
    told = open_after(index, lambda path: rewrite(path, format=4, created_by="landfall 9", brand="new"))
    assert "format 4" in told
    assert "landfall 9" in told
    assert "Update Landfall" in told


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": "x"}'])
def test_a_damaged_manifest_is_told(index: FolderIndex, text: str) -> None:
    told = open_after(index, lambda path: (path / "manifest.json").write_text(text, encoding="utf-8"))
    assert "manifest.json is damaged" in told


def test_an_array_of_another_shape_than_promised_is_told(index: FolderIndex) -> None:
    segments = [{"file": "descriptors-000001.npy", "rows": 7}]
    assert "Build the index anew" in open_after(index, lambda path: rewrite(path, segments=segments))


def test_other_photos_than_promised_are_told(index: FolderIndex) -> None:
    told = open_after(index, lambda path: rewrite(path, photos=5))
    assert "it has 6 photos" in told
    assert "damaged" in told


def test_places_that_are_no_index_are_told(tmp_path: Path) -> None:
    with pytest.raises(IndexStoreError, match="does not exist"):
        FolderIndex.open(tmp_path / "none")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(IndexStoreError, match="is a file"):
        FolderIndex.open(tmp_path / "file")
    with pytest.raises(IndexStoreError, match="is not an index"):
        FolderIndex.open(tmp_path)
    with begin(tmp_path / "unfinished", PLAN):
        pass
    with pytest.raises(IndexStoreError, match="not finished"):
        FolderIndex.open(tmp_path / "unfinished")
