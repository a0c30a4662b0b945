"""Adding, updating, removing, merging and compacting with photos on disk and a real network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.localization.conftest import PLACES, STEP_DEG, picture

from landfall.errors import IndexStoreError, ModelError, UsageError
from landfall.extraction import Progress, describe
from landfall.geo import LatLon
from landfall.index import Index, changing, verify_index
from landfall.localization import (
    add_photos,
    build_index,
    compact_index,
    localize,
    merge_indexes,
    remove_photos,
    update_index,
)
from landfall.models import Model, create_network
from landfall.models.densevlad import DenseVLAD
from landfall.photos import write_jpeg


class KilledError(Exception):
    """Stands for the kill of a change."""


def stop_after(photos: int) -> Callable[[Progress], None]:
    def progress(told: Progress) -> None:
        if told.done >= photos:
            raise KilledError

    return progress


def more(folder: Path, *places: int) -> Path:
    """Write photos ``N.jpg`` of these places into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for place in places:
        write_jpeg(
            folder / f"{place}.jpg",
            picture(place),
            location=LatLon(52.0 + STEP_DEG * place, 0.5),
            heading_deg=90.0,
        )
    return folder


def names(index: Index) -> dict[str, int]:
    return {photo.photo: photo.id for photo in index.photos()}


def check_descriptors(index: Index) -> None:
    """Check that each photo's descriptor is what its file gives today, up to half precision."""
    paths = [index.path_of(photo.id) for photo in index.photos()]
    expected = describe([path for path in paths if path is not None], index.model)
    np.testing.assert_allclose(np.asarray(index.descriptors, np.float32), expected, rtol=2**-10, atol=1e-6)


def test_half_precision_moves_no_distance_by_more_than_its_rounding(index: Index, street: Path) -> None:
    paths = [street / photo.photo for photo in index.photos()]
    exact = describe(paths, index.model)
    assert index.manifest.descriptor_dtype == "float16"
    for row, matches in enumerate(index.search(exact, PLACES)):
        assert matches[0].id == row + 1
        for match in matches:
            expected = np.linalg.norm(exact[row] - exact[match.id - 1])
            # Each number is off by 2^-11 of itself at most, so a distance by as much of its length.
            assert abs(match.distance - expected) <= 2**-11 * np.linalg.norm(exact[match.id - 1])


def test_an_add_counts_what_is_there_and_names_what_can_not_be_added(index: Index, street: Path) -> None:
    (street / "walk" / "empty.jpg").touch()
    write_jpeg(street / "walk" / "nowhere.jpg", picture(9))
    more(street / "later", 5, 6)
    shutil.copy(street / "walk" / "0.jpg", street / "later" / "copy.jpg")
    more(street / "walk", 7)
    (street / "walk" / "7.jpg").replace(street / "walk" / "1.jpg")
    report = add_photos(index.path, street)
    assert (report.added, report.unchanged) == (3, PLACES - 1)
    assert report.alike == (("later/copy.jpg", "walk/0.jpg"),)
    assert [problem.photo for problem in report.without_position] == ["walk/nowhere.jpg"]
    failed = {problem.photo: problem.reason for problem in report.failed}
    assert set(failed) == {"walk/empty.jpg", "walk/1.jpg"}
    assert "landfall index update" in failed["walk/1.jpg"]
    assert names(report.index) == {
        **{f"walk/{place}.jpg": place + 1 for place in range(PLACES)},
        "later/5.jpg": PLACES + 1,
        "later/6.jpg": PLACES + 2,
        "later/copy.jpg": PLACES + 3,
    }
    (fix,) = localize([street / "later" / "6.jpg"], report.index, k=1)
    assert fix.matches[0].photo == "later/6.jpg"
    assert verify_index(index.path, photos=True)[0].where == "walk/1.jpg"
    # Another folder: the same names are other photos, of the same content.
    again = add_photos(index.path, street / "later")
    assert (again.added, len(again.alike)) == (3, 3)


def test_an_add_of_photos_that_are_there_changes_nothing(index: Index, street: Path) -> None:
    before = {path.name: path.read_bytes() for path in index.path.iterdir() if path.name != "lock"}
    os.utime(street / "walk" / "2.jpg", (0, 0))  # another date and the same bytes
    report = add_photos(index.path, street)
    assert (report.added, report.unchanged, report.failed) == (0, PLACES, ())
    assert {path.name: path.read_bytes() for path in index.path.iterdir() if path.name != "lock"} == before


def test_a_stopped_add_goes_on_and_another_drops_it(index: Index, tmp_path: Path) -> None:
    later, other = more(tmp_path / "later", 5, 6, 7), more(tmp_path / "other", 8)
    for done in (1, 2):
        with pytest.raises(KilledError):
            add_photos(index.path, later, batch_size=1, progress=stop_after(done))
    told: list[str] = []
    first: list[int] = []
    report = add_photos(
        index.path,
        later,
        batch_size=1,
        say=told.append,
        progress=lambda progress: first.append(progress.done),
    )
    assert (first[0], report.added) == (2, 3)
    assert "Going on" in told[0]
    check_descriptors(report.index)
    more(later, 9, 10)
    with pytest.raises(KilledError):
        add_photos(index.path, later, batch_size=1, progress=stop_after(1))
    assert len(Index.open(index.path)) == PLACES + 3
    told.clear()
    report = add_photos(index.path, other, say=told.append)
    assert f"Dropped an unfinished change that was not repeated: adding {later}" in told[0]
    assert report.added == 1
    assert not (index.path / "adding").exists()
    assert verify_index(index.path, photos=True) == []


def test_a_single_photo_and_a_csv_are_added_to_their_folders(
    index: Index, street: Path, tmp_path: Path
) -> None:
    single = more(tmp_path / "single", 5) / "5.jpg"
    assert add_photos(index.path, single).added == 1
    write_jpeg(tmp_path / "single" / "plain.jpg", picture(6))
    (tmp_path / "single" / "table.csv").write_text("path,lat,lon\nplain.jpg,53.0,1.0\n5.jpg,52.005,0.5\n")
    report = add_photos(index.path, tmp_path / "single" / "table.csv")
    assert (report.added, report.unchanged) == (1, 1)
    folders = report.index.folders()
    assert {folder.root: folder.source for folder in folders.values()} == {
        str(street): str(street),
        str(tmp_path / "single"): str(tmp_path / "single" / "table.csv"),
    }
    assert report.index.manifest.root is None
    plain = report.index.records()[-1]
    assert (plain.photo, plain.lat, plain.lon) == ("plain.jpg", 53.0, 1.0)


def test_another_model_is_refused_with_both_names(index: Index, network: Model, tmp_path: Path) -> None:
    later = more(tmp_path / "later", 5)
    torch.manual_seed(1)
    other = create_network("resnet18", "base", height=64, width=64).eval()
    other.save(tmp_path / "other.safetensors")
    from landfall.models import load_model

    with pytest.raises(ModelError, match=r"was described by .*sha256 .* was given") as refused:
        add_photos(index.path, later, model=load_model(tmp_path / "other.safetensors"))
    own = str(index.manifest.model.sha256)[:12]
    assert own in str(refused.value)
    with pytest.raises(ModelError, match="densevlad"):
        add_photos(index.path, later, model=DenseVLAD())
    assert add_photos(index.path, later, model=index.model).added == 1
    others = build_index(later, tmp_path / "other.lf", model=other).index
    with pytest.raises(ModelError, match="weights are others"):
        merge_indexes(index.path, [others.path])


def test_an_update_takes_in_all_that_changed_at_once(index: Index, street: Path) -> None:
    walk = street / "walk"
    more(street / "later", 5)
    (street / "side").mkdir()
    (walk / "1.jpg").replace(street / "side" / "first.jpg")
    (walk / "2.jpg").unlink()
    more(street / "spare", 7)
    (street / "spare" / "7.jpg").replace(walk / "3.jpg")
    os.utime(walk / "4.jpg", (0, 0))
    report = update_index(index.path)
    told = report.to_dict()
    counts = {key: told[key] for key in ("added", "removed", "changed", "moved", "relocated", "unchanged")}
    assert counts == {"added": 1, "removed": 1, "changed": 1, "moved": 1, "relocated": 0, "unchanged": 2}
    assert names(report.index) == {
        "walk/0.jpg": 1, "side/first.jpg": 2, "walk/3.jpg": 4, "walk/4.jpg": 5, "later/5.jpg": PLACES + 1,
    }  # fmt: skip
    changed = next(record for record in report.index.records() if record.id == 4)
    assert changed.lat == pytest.approx(52.0 + STEP_DEG * 7, abs=1e-6)
    check_descriptors(report.index)
    assert verify_index(index.path, photos=True) == []
    # Nothing changed since, the dates that were touched among it: nothing is written.
    again = update_index(index.path)
    assert (again.unchanged, again.index.manifest.generation) == (5, report.index.manifest.generation)


def test_a_quick_look_trusts_length_and_date_and_a_rehash_does_not(index: Index, street: Path) -> None:
    path = street / "walk" / "0.jpg"
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert update_index(index.path).changed == 0
    assert update_index(index.path, rehash=True).changed == 1
    assert verify_index(index.path, photos=True) == []


def test_a_table_s_positions_and_rows_are_followed(network: Model, street: Path, tmp_path: Path) -> None:
    table = street / "table.csv"
    rows = [f"walk/{place}.jpg,{53 + place},1.0,10" for place in range(PLACES)]
    table.write_text("\n".join(["path,lat,lon,heading", *rows]))
    index = build_index(table, tmp_path / "t.lf", model=network).index
    before = np.asarray(index.descriptors)
    rows[0] = "walk/0.jpg,60.0,1.0,10"
    rows[1] = "walk/1.jpg,54,1.0,20"
    table.write_text("\n".join(["path,lat,lon,heading", *rows[:-1]]))
    described: list[Progress] = []
    report = update_index(index.path, table, progress=described.append)
    assert (report.relocated, report.removed, report.unchanged) == (2, 1, PLACES - 3)
    assert not described  # a position needs no description
    np.testing.assert_array_equal(np.asarray(report.index.descriptors), before[:-1])
    assert [(r.lat, r.heading_deg) for r in report.index.records()[:2]] == [(60.0, 10.0), (54.0, 20.0)]


def test_a_folder_that_is_missing_or_nearly_empty_is_no_reason_to_forget_it(
    index: Index, street: Path, tmp_path: Path
) -> None:
    generation = index.manifest.generation
    street.rename(tmp_path / "unmounted")
    with pytest.raises(UsageError, match="is a disk missing"):
        update_index(index.path, force=True)
    (street / "walk").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"5 of the 5 photos .* are gone"):
        update_index(index.path)
    shutil.copytree(tmp_path / "unmounted", street, dirs_exist_ok=True)
    for place in range(3):
        (street / "walk" / f"{place}.jpg").unlink()
    with pytest.raises(UsageError, match="3 of the 5 photos"):
        update_index(index.path)
    assert Index.open(index.path).manifest.generation == generation
    report = update_index(index.path, force=True)
    assert (report.removed, report.unchanged) == (3, 2)
    with pytest.raises(UsageError, match=r"is not what .* was made of"):
        update_index(index.path, tmp_path)


def test_photos_that_lose_their_position_or_can_not_be_read_stay(index: Index, street: Path) -> None:
    write_jpeg(street / "walk" / "0.jpg", picture(0))
    (street / "walk" / "1.jpg").write_bytes(b"")
    report = update_index(index.path)
    assert (report.removed, report.changed, report.unchanged) == (0, 0, PLACES - 2)
    assert [problem.photo for problem in report.failed] == ["walk/1.jpg"]
    assert set(names(report.index)) == {f"walk/{place}.jpg" for place in range(PLACES)}


def test_removing_is_all_or_nothing_and_names_close_ones(index: Index) -> None:
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        (
            {"names": ["walk/0.jpg", "wallk/1.jpg"]},
            r"no photo called wallk/1\.jpg\. Did you mean walk/1\.jpg",
        ),
        ({"names": ["walk/00.jpg"]}, "Did you mean walk/0.jpg"),
        ({"ids": [1, 99]}, "no photo with id 99. Close ones: 5, 4"),
        ({"pattern": "ride/*"}, "No photo of .* matches 'ride/.*', such as walk/0.jpg"),
        ({}, "Say which"),
    )
    for wrong, told in refused:
        with pytest.raises(UsageError, match=told):
            remove_photos(index.path, **wrong)
    assert len(Index.open(index.path)) == PLACES
    report = remove_photos(index.path, ids=[1], names=["walk/1.jpg"], pattern="*/[23].jpg")
    assert (report.removed, names(report.index)) == (4, {"walk/4.jpg": 5})
    compacted = compact_index(index.path)
    assert (compacted.index.info()["dead_rows"], names(compacted.index)) == (0, {"walk/4.jpg": 5})
    assert compact_index(index.path).index.manifest == compacted.index.manifest
    # What was removed and is still in its folder comes back, under new numbers.
    back = update_index(index.path)
    assert (back.added, sorted(names(back.index).values())) == (4, [5, 6, 7, 8, 9])
    check_descriptors(back.index)


def test_a_name_of_two_folders_must_be_told_by_id(index: Index, tmp_path: Path) -> None:
    more(tmp_path / "second" / "walk", 5)
    (tmp_path / "second" / "walk" / "5.jpg").replace(tmp_path / "second" / "walk" / "0.jpg")
    add_photos(index.path, tmp_path / "second")
    with pytest.raises(UsageError, match=r"2 photos called walk/0\.jpg.*by id: 1, 6"):
        remove_photos(index.path, names=["walk/0.jpg"])
    report = remove_photos(index.path, ids=[6])
    assert len(report.index) == PLACES


def test_merged_indexes_hold_each_photo_once(network: Model, street: Path, tmp_path: Path) -> None:
    north, south = more(tmp_path / "north", 5, 6), more(tmp_path / "south", 6, 7)
    parts = [
        build_index(folder, tmp_path / f"{folder.name}.lf", model=network).index
        for folder in (street, north, south)
    ]
    remove_photos(parts[0].path, ids=[2])
    report = merge_indexes(tmp_path / "all.lf", [part.path for part in parts])
    # 6.jpg of the north and of the south are the same photo at the same place.
    assert (report.added, report.unchanged, report.failed) == (PLACES - 1 + 3, 1, ())
    assert len(names(report.index)) == len(report.index) == PLACES + 2
    assert len(set(names(report.index).values())) == PLACES + 2
    check_descriptors(report.index)
    assert verify_index(tmp_path / "all.lf", photos=True) == []
    again = merge_indexes(tmp_path / "all.lf", [part.path for part in parts])
    assert (again.added, again.unchanged) == (0, PLACES - 1 + 4)
    assert again.index.manifest == report.index.manifest
    query = describe([south / "7.jpg"], network)
    assert report.index.search(query, 1)[0][0].photo == "7.jpg"
    with pytest.raises(UsageError, match="into itself"):
        merge_indexes(parts[0].path, [parts[0].path])
    with pytest.raises(UsageError, match="nothing to merge"):
        merge_indexes(parts[0].path, [])


def test_photos_of_one_content_at_two_places_are_two_photos(network: Model, tmp_path: Path) -> None:
    for name, lat in (("a", 50.0), ("b", 51.0)):
        (tmp_path / name).mkdir()
        write_jpeg(tmp_path / name / "p.jpg", picture(0))
        (tmp_path / name / "t.csv").write_text(f"path,lat,lon\np.jpg,{lat},0\n")
    a, b = (build_index(tmp_path / n / "t.csv", tmp_path / f"{n}.lf", model=network).index for n in "ab")
    report = merge_indexes(a.path, [b.path])
    assert (report.added, report.unchanged) == (1, 0)
    assert report.index.latlon[0].tolist() == [50.0, 51.0]


def test_a_name_that_is_taken_by_another_photo_is_refused_alone(
    network: Model, street: Path, tmp_path: Path
) -> None:
    first = build_index(street, tmp_path / "first.lf", model=network).index
    more(street / "spare", 8, 9)
    (street / "spare" / "8.jpg").replace(street / "walk" / "0.jpg")
    second = build_index(street, tmp_path / "second.lf", model=network).index
    report = merge_indexes(first.path, [second.path])
    assert (report.added, report.unchanged) == (1, PLACES - 1)
    assert [problem.photo for problem in report.failed] == ["walk/0.jpg"]


def test_a_photo_that_goes_away_while_it_is_added_leaves_the_index_as_it_was(
    index: Index, tmp_path: Path
) -> None:
    later = more(tmp_path / "later", 5, 6)

    def lose(told: Progress) -> None:
        if told.done == told.total:
            (later / "6.jpg").unlink()

    with pytest.raises(IndexStoreError, match=r"6\.jpg: no such file"):
        add_photos(index.path, later, progress=lose)
    assert Index.open(index.path).manifest == index.manifest
    assert add_photos(index.path, later).added == 1
    assert verify_index(index.path, photos=True) == []


def test_two_indexes_can_not_be_changed_at_once(index: Index, street: Path) -> None:
    changes: tuple[Callable[[], object], ...] = (
        lambda: add_photos(index.path, street),
        lambda: remove_photos(index.path, ids=[1]),
        lambda: update_index(index.path),
        lambda: compact_index(index.path),
    )
    with changing(index.path):
        for change in changes:
            with pytest.raises(IndexStoreError, match="being changed by another process"):
                change()
    assert Index.open(index.path).manifest == index.manifest
