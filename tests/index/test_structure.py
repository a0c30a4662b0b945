"""An index that is searched through a structure, in all that may happen to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.localization.calibration.conftest import World, make_world
from tests.localization.calibration.test_stored import indexed

from landfall.errors import IndexStoreError, UnknownNameError, UsageError
from landfall.geo import LatLon
from landfall.index import Among, FolderIndex, Index, verify_index
from landfall.index.change import changing_folder
from landfall.index.manifest import MODEL, SEARCH
from landfall.localization import compact_index, merge_indexes, remove_photos
from landfall.localization.searching import keep_searchable, report_search, tune_index


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(450, views=2, noise=0.5)


@pytest.fixture
def index(world: World, tmp_path: Path) -> FolderIndex:
    return indexed(world, tmp_path / "street.lf")


def in_folder(index: Index) -> FolderIndex:
    assert isinstance(index, FolderIndex)
    return index


def much_the_same(tuned: FolderIndex, queries: np.ndarray) -> None:
    """A shortlist of 18 in 900 misses a neighbour now and then; what is told of those found is exact."""
    exact = FolderIndex.open(tuned.path)
    exact.structure = None
    distances, rows = tuned.search_rows(queries, 1)
    nearest = exact.search_rows(queries, len(exact))
    assert (rows[:, 0] == nearest[1][:, 0]).mean() >= 0.9
    for query, row in enumerate(rows[:, 0].tolist()):
        place = nearest[1][query].tolist().index(row)
        assert distances[query, 0] == nearest[0][query, place]


@pytest.mark.parametrize("kind", ["sq8", "binary"])
def test_it_finds_what_exact_search_finds(index: FolderIndex, world: World, kind: str) -> None:
    told: list[str] = []
    tuned = tune_index(index.path, kind, say=told.append)
    assert tuned.info()["search"]["kind"] == kind
    assert any("as asked for" in line for line in told)
    much_the_same(tuned, world.look(np.linspace(0, 3500, 20), 5))
    # The index opened before is searched as it was.
    assert index.structure is None


def test_removed_photos_are_not_found_and_rows_are_those_of_live_photos(
    index: FolderIndex, world: World
) -> None:
    tune_index(index.path, "sq8")
    changed = in_folder(remove_photos(index.path, ids=range(1, 101)).index)
    queries = np.asarray(index.descriptors[np.array([5, 300])], np.float32)
    matches = changed.search(queries, 3)
    assert matches[0][0].id > 100
    assert matches[1][0].id == 301
    much_the_same(changed, queries)


def test_only_photos_asked_for_are_found(index: FolderIndex) -> None:
    tuned = tune_index(index.path, "sq8")
    among = Among(near=LatLon(52.0, 0.01), within_m=100.0)
    rows = tuned.rows_among(among)
    assert 0 < len(rows) < 100
    found = tuned.search_rows(np.asarray(index.descriptors[:3], np.float32), 5, among=among)[1]
    assert np.isin(found, rows).all()


def test_compacting_builds_it_anew_of_the_same_kind(index: FolderIndex, world: World) -> None:
    tune_index(index.path, "sq8")
    remove_photos(index.path, ids=range(1, 11))
    compacted = in_folder(compact_index(index.path).index)
    assert compacted.structure is not None
    assert compacted.structure.kind == "sq8"
    assert compacted.structure.covered == 890
    much_the_same(compacted, world.look(np.linspace(0, 3500, 5), 5))
    # The model of these tests is none.
    assert {problem.where for problem in verify_index(index.path)} <= {MODEL}


def test_added_rows_are_found_at_once_and_taken_in_when_they_are_many(
    index: FolderIndex, world: World, tmp_path: Path
) -> None:
    tune_index(index.path, "sq8")
    other = make_world(100, views=2, seed=9)
    merged = in_folder(merge_indexes(index.path, [indexed(other, tmp_path / "other.lf").path]).index)
    # 200 photos at places that are there, with the hashes that are there: none is the same in both.
    added = len(merged) - 900
    assert merged.structure is not None
    assert merged.structure.covered in (900, 900 + added)
    much_the_same(merged, np.asarray(merged.descriptors[-10:], np.float32))


def test_exact_that_was_chosen_stays(index: FolderIndex) -> None:
    tuned = tune_index(index.path, "exact")
    assert tuned.structure is not None
    assert keep_searchable(tuned) is tuned
    by_size = tune_index(index.path)
    assert by_size.structure is None
    assert SEARCH not in by_size.manifest.derived


def test_a_big_index_is_given_a_structure_by_itself(
    index: FolderIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    from landfall.index.kinds.choice import Choice
    from landfall.localization import searching

    monkeypatch.setattr(searching, "choose_kind", lambda *_: Choice("binary", "because"))
    kept = in_folder(keep_searchable(index))
    assert kept.structure is not None
    assert kept.structure.kind == "binary"


def test_unknown_kinds_and_too_few_photos_are_refused_and_nothing_changes(index: FolderIndex) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        tune_index(index.path, "ivfpg")
    with pytest.raises(UsageError, match="at least"):
        tune_index(index.path, "ivfpq")
    assert FolderIndex.open(index.path).manifest == index.manifest


def test_leftovers_of_a_killed_change_go_and_a_damaged_structure_is_named(index: FolderIndex) -> None:
    tuned = tune_index(index.path, "sq8")
    (index.path / "search-000099").mkdir()
    (index.path / "search-000099" / "codes").write_bytes(b"half")
    with changing_folder(index.path):
        assert not (index.path / "search-000099").exists()
    folder = tuned.derived(SEARCH)
    assert folder is not None
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    with pytest.raises(IndexStoreError, match="damaged"):
        FolderIndex.open(index.path)
    assert any(largest.name in problem.where for problem in verify_index(index.path))


def test_it_is_measured_against_exact_search(index: FolderIndex, tmp_path: Path) -> None:
    assert report_search(index, tmp_path / "report") is None
    measured = report_search(tune_index(index.path, "sq8"), tmp_path / "report")
    assert measured is not None
    assert measured.photos == 900
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"search.json", "search.png"}
