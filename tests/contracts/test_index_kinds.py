"""What every kind of index must do alike: one in a folder, and one in Milvus (embedded)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.index.milvus.photos import COUNT, DIM, ROOT, build_folder, build_milvus, descriptors_of, records_of

from landfall.errors import IndexStoreError, UsageError
from landfall.files import write_text
from landfall.geo import LatLon
from landfall.index import Among, FolderIndex, Index, changing, search_exact, verify_index

KINDS = ("folder", "milvus")
RECORDS = records_of(COUNT)
QUERIES = np.random.default_rng(5).normal(size=(12, DIM)).astype(np.float32)
START = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

AMONG = {
    "a town": Among(near=LatLon(52, 13), within_m=1500),
    "a corner of it": Among(near=LatLon(52.02, 13.02), within_m=400),
    "across the date line": Among(near=LatLon(0, 180), within_m=1800),
    "around the pole": Among(near=LatLon(89.995, 10), within_m=900),
    "everywhere": Among(near=LatLon(0, 0), within_m=3e7),
    "a while": Among(taken_from=START + timedelta(hours=20), taken_to=START + timedelta(hours=50)),
    "from then on": Among(taken_from=START + timedelta(hours=250)),
    "up to then": Among(taken_to=START + timedelta(hours=9)),
    "northwards": Among(heading_deg=355, heading_within_deg=30),
    "southwards": Among(heading_deg=-180, heading_within_deg=1.5),
    "any known way": Among(heading_deg=0, heading_within_deg=180),
    "all of it": Among(
        near=LatLon(52, 13), within_m=2500, taken_from=START, heading_deg=90, heading_within_deg=120
    ),
}

_opened: dict[str, Index] = {}


@pytest.fixture(params=KINDS)
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Index:
    """An index of each kind of the same photos; nothing here changes it."""
    kind = str(request.param)
    if kind == "milvus":
        request.getfixturevalue("milvus")
    if kind not in _opened:
        build = build_folder if kind == "folder" else build_milvus
        _opened[kind] = Index.open(build(tmp_path_factory.mktemp(kind) / "i.lf").path)
    return _opened[kind]


def photo_of(index: Index) -> NDArray[np.int64]:
    """Return which of the photos that went in each row of an index is."""
    numbers = {record.photo: at for at, record in enumerate(RECORDS)}
    return np.array([numbers[photo.photo] for photo in index.photos()])


def test_what_went_in_is_there(index: Index) -> None:
    assert len(index) == COUNT
    went_in = photo_of(index)
    assert sorted(went_in.tolist()) == list(range(COUNT))
    for row, record in enumerate(index.records()):
        one = RECORDS[went_in[row]]
        assert record.row == row
        assert index.ids[row] == record.id
        assert (record.photo, record.content_hash, record.lat, record.lon) == (
            one.photo,
            one.content_hash,
            one.lat,
            one.lon,
        )
        assert (record.altitude_m, record.heading_deg, record.taken_at) == (
            one.altitude_m,
            one.heading_deg,
            one.taken_at,
        )
        assert (record.bytes, record.width, record.height, record.mtime_ns) == (
            one.bytes,
            one.width,
            one.height,
            one.mtime_ns,
        )
    np.testing.assert_array_equal(np.asarray(index.descriptors), descriptors_of(COUNT)[went_in])
    np.testing.assert_array_equal(index.positions.lat, [RECORDS[each].lat for each in went_in])
    assert [folder.root for folder in index.folders().values()] == [ROOT]


def test_rows_are_read_as_asked_for(index: Index) -> None:
    went_in = photo_of(index)
    rows = np.array([7, 3, 7, COUNT - 1])
    np.testing.assert_array_equal(index.descriptors[rows], descriptors_of(COUNT)[went_in[rows]])
    np.testing.assert_array_equal(index.descriptors[5:9], descriptors_of(COUNT)[went_in[5:9]])
    assert [photo.photo for photo in index.photos(rows)] == [RECORDS[each].photo for each in went_in[rows]]
    assert index.descriptors.shape == (COUNT, DIM)


@pytest.mark.parametrize("k", [1, 7, COUNT, COUNT + 5])
def test_search_is_exact_search(index: Index, k: int) -> None:
    distances, found = search_exact(descriptors_of(COUNT), QUERIES, k, device="cpu")
    for matches, near, rows in zip(index.search(QUERIES, k), distances, found, strict=True):
        assert [match.rank for match in matches] == list(range(1, min(k, COUNT) + 1))
        np.testing.assert_allclose([match.distance for match in matches], near, rtol=1e-6)
        assert [match.photo for match in matches] == [RECORDS[row].photo for row in rows]
        assert [match.lat for match in matches] == [RECORDS[row].lat for row in rows]
    measured, rows = index.search_rows(QUERIES, k)
    np.testing.assert_allclose(measured, distances, rtol=1e-6)
    np.testing.assert_array_equal(photo_of(index)[rows], found)


def test_a_photo_is_at_no_distance_from_itself(index: Index) -> None:
    queries = descriptors_of(COUNT)[:9].astype(np.float32)
    for row, matches in enumerate(index.search(queries, 1)):
        assert (matches[0].photo, matches[0].distance) == (RECORDS[row].photo, 0.0)


@pytest.mark.parametrize("name", AMONG)
@pytest.mark.parametrize("k", [1, 10, COUNT])
def test_conditions_are_met_exactly(index: Index, name: str, k: int) -> None:
    among = AMONG[name]
    # The folder's rows are the oracle here; tests/index/test_among.py has its own.
    kept = np.sort(photo_of(index)[index.rows_among(among)])
    assert kept.tolist() == allowed(among)
    distances, found = search_exact(descriptors_of(COUNT)[kept], QUERIES, k, device="cpu")
    for matches, near, rows in zip(index.search(QUERIES, k, among=among), distances, found, strict=True):
        assert [match.photo for match in matches] == [RECORDS[kept[row]].photo for row in rows]
        np.testing.assert_allclose([match.distance for match in matches], near, rtol=1e-6)
    index.check_among(among)


def allowed(among: Among) -> list[int]:
    """Return the photos that meet conditions, one by one."""
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    kept = []
    for at, record in enumerate(RECORDS):
        if among.near is not None and among.within_m is not None:
            away_m = geod.inv(among.near.lon, among.near.lat, record.lon, record.lat)[2]
            if away_m > among.within_m:
                continue
        taken = None if record.taken_at is None else record.taken_at.replace(microsecond=0)
        if among.taken_from is not None and (taken is None or taken < among.taken_from):
            continue
        if among.taken_to is not None and (taken is None or taken > among.taken_to):
            continue
        if among.heading_deg is not None and among.heading_within_deg is not None:
            if record.heading_deg is None:
                continue
            turned = abs(record.heading_deg - among.heading_deg) % 360
            if min(turned, 360 - turned) > among.heading_within_deg:
                continue
        kept.append(at)
    return kept


def test_nothing_left_to_look_among_is_told(index: Index) -> None:
    nowhere = Among(near=LatLon(-40, 100), within_m=1000, heading_deg=90, heading_within_deg=90)
    for asked in (lambda: index.check_among(nowhere), lambda: index.search(QUERIES, 3, among=nowhere)):
        with pytest.raises(UsageError, match=r"None of the 300 photos .*within 1000 m .*heading 90"):
            asked()


@pytest.mark.parametrize("queries", [QUERIES[:, 1:], QUERIES[0], np.full((1, DIM), np.nan, np.float32)])
def test_queries_that_can_not_be_searched_are_refused(index: Index, queries: NDArray[np.float32]) -> None:
    with pytest.raises(UsageError):
        index.search(queries, 3)


def test_k_below_1_is_refused_and_no_query_finds_nothing(index: Index) -> None:
    with pytest.raises(UsageError, match="k is 0"):
        index.search(QUERIES, 0)
    assert index.search(QUERIES[:0], 3) == []


def test_photos_are_known_by_content_and_place(index: Index) -> None:
    first, second = RECORDS[4].photo, RECORDS[5].photo
    found = index.find_hashes(["hash7", "hash4", "none"])
    assert set(found) == {"hash7", "hash4"}
    assert found["hash7"] == RECORDS[7].photo
    assert found["hash4"] in (first, second)
    assert index.find_hashes([]) == {}
    assert index.content_hashes == [record.content_hash for record in index.records()]
    photo = index.photos([17])[0]
    assert index.path_of(photo.id) == Path(ROOT, photo.photo)
    assert index.path_of(2**50 + 1) is None


def test_records_are_looked_up(index: Index) -> None:
    stored = index.stored_records
    one = RECORDS[33].photo
    assert [record.photo for record in stored.of_names([one, "none"])] == [one]
    number = stored.of_names([one])[0].id
    assert [record.photo for record in stored.of_ids([number, 2**50 + 1])] == [one]
    assert len(stored) == len(stored.of_folder(1)) == COUNT
    assert stored.texts("photo") == [photo.photo for photo in index.photos()]


def test_info_is_json_with_the_same_keys(index: Index) -> None:
    told = json.loads(json.dumps(index.info()))
    assert told["indexed"] == COUNT
    assert told["model"] == "fake"
    assert told["bounds"] == pytest.approx([-0.02, -180, 90, 180], abs=0.02)
    folder = _opened.get("folder")
    if folder is not None:
        assert set(folder.info()) <= set(told)


def test_it_is_whole(index: Index) -> None:
    assert verify_index(index.path) == []


def test_what_is_no_folder_index_is_told_so(index: Index) -> None:
    if isinstance(index, FolderIndex):
        FolderIndex.open(index.path)
        return
    with pytest.raises(IndexStoreError, match=r"keeps its photos in milvus:.*lies in its folder"):
        FolderIndex.open(index.path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_is_seen_by_the_latest(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "milvus":
        request.getfixturevalue("milvus")
    build = build_folder if kind == "folder" else build_milvus
    index: Index = build(tmp_path / "i.lf", 20)
    gone = index.photos()[3]
    with changing(index.path) as change:
        folder = change.records.folder("/more", None)
        first = change.append(descriptors_of(5, seed=9))
        records, next_id = records_of(5, first=1000), change.records.next_id()
        change.records.insert(
            replace(record, id=next_id + at, row=first + at, folder=folder)
            for at, record in enumerate(records)
        )
        assert change.records.has_name(folder, records[2].photo)
        assert not change.records.has_name(folder, "none")
        assert len(list(change.records.with_hashes(["hash1000", "hash1"]))) == 2
        change.records.delete([gone.id])
        change.put("calibration", ".json", lambda path: write_text(path, "{}"))
        changed = change.commit()
    assert len(index.latest()) == len(changed) == 24
    names = {photo.photo for photo in changed.photos()}
    assert names >= {record.photo for record in records}
    assert gone.photo not in names
    assert changed.note("calibration") == "{}"
    assert changed.manifest.generation == 2
    (found,) = changed.search(descriptors_of(5, seed=9)[2:3].astype(np.float32), 1)
    assert (found[0].photo, found[0].distance) == (records[2].photo, 0.0)
    assert changed.path_of(found[0].id) == Path("/more", records[2].photo)
    assert verify_index(index.path) == []
    # One that only looked changes nothing.
    with changing(index.path) as change:
        change.records.delete([found[0].id])
    assert len(Index.open(index.path)) == 24
