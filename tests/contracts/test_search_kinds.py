"""What every registered kind of search must do; a new kind is covered as soon as it is registered."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from landfall.errors import IndexStoreError, UsageError
from landfall.index import search_exact
from landfall.index.kinds import KINDS, SearchStructure, build_structure, load_structure, search_with
from landfall.index.kinds.search import nearest_among

DIM = 24
#: Enough for every kind's training.
ROWS = 1400
CPU = torch.device("cpu")

Structure = SearchStructure[Any]


@pytest.fixture(params=KINDS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def places(count: int, dim: int = DIM, *, seed: int = 0) -> NDArray[np.float16]:
    """Unit descriptors of which each four in a row see one place, so that there are neighbours to find."""
    rng = np.random.default_rng(seed)
    seen = np.repeat(rng.normal(size=(-(-count // 4), dim)), 4, axis=0)[:count]
    views = seen + 0.35 * rng.normal(size=seen.shape)
    return np.asarray(views / np.linalg.norm(views, axis=1, keepdims=True), np.float16)


DATABASE = places(ROWS)
QUERIES = places(ROWS, seed=0)[::37].astype(np.float32) + np.float32(0.01)

_built: dict[str, Structure] = {}


def built(name: str) -> Structure:
    """One structure of the kind over ``DATABASE``; nothing here changes it."""
    if name not in _built:
        _built[name] = build_structure(name, DATABASE, seed=1)
    return _built[name]


def same(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    for mine, theirs in zip(one, other, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def test_with_all_rows_as_candidates_it_is_exact_search_bit_for_bit(name: str) -> None:
    structure = built(name)
    expected = search_exact(DATABASE, QUERIES, 10, device="cpu")
    same(search_with(structure, DATABASE, QUERIES, 10, shortlist=ROWS, device="cpu"), expected)
    if structure.covered:
        # search_with takes the short way there; this is the long one.
        named = structure.shortlist(QUERIES, ROWS)
        same(nearest_among(DATABASE, QUERIES, named, 10, CPU), expected)


def test_a_shortlist_holds_each_row_once(name: str) -> None:
    structure = built(name)
    named = structure.shortlist(QUERIES, 50)
    assert named.shape == (len(QUERIES), 50)
    assert named.dtype == np.int64
    for row in named:
        known = row[row >= 0]
        assert len(set(known.tolist())) == len(known)
        assert (known < structure.covered).all()


def test_neighbours_are_found_at_their_exact_distances(name: str) -> None:
    distances, rows = search_with(built(name), DATABASE, QUERIES, 5, shortlist=100, device="cpu")
    differences = DATABASE[rows].astype(np.float32) - QUERIES[:, None]
    expected = np.sqrt((differences.astype(np.float64) ** 2).sum(axis=2)).astype(np.float32)
    np.testing.assert_allclose(distances, expected, rtol=2e-7, atol=0)
    assert (np.diff(distances, axis=1) >= 0).all()
    true = search_exact(DATABASE, QUERIES, 5, device="cpu")[1]
    # 100 of 1 400 rows at random would hold 7 % of the neighbours.
    assert (rows[:, :, None] == true[:, None, :]).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("share", [0.001, 0.2, 0.9])
def test_only_allowed_rows_are_found(name: str, share: float) -> None:
    mask = np.random.default_rng(2).random(ROWS) < share
    mask[700] = True
    found = search_with(built(name), DATABASE, QUERIES, 6, shortlist=60, allowed=mask, device="cpu")
    assert found[1].shape == (len(QUERIES), min(6, mask.sum()))
    assert mask[found[1]].all()
    by_rows = search_with(
        built(name), DATABASE, QUERIES, 6, shortlist=60, allowed=np.flatnonzero(mask), device="cpu"
    )
    same(found, by_rows)
    # Exact search with all other rows moved away is the plain way to the same.
    apart = DATABASE.astype(np.float32)
    apart[~mask] = 50
    true = search_exact(apart, QUERIES, int(min(6, mask.sum())), device="cpu")[1]
    # 60 of 280 rows at random would hold 21 % of the neighbours.
    assert (found[1][:, :, None] == true[:, None, :]).any(axis=1).mean() > 0.7


def test_nothing_allowed_finds_nothing(name: str) -> None:
    none = np.zeros(ROWS, bool)
    distances, rows = search_with(built(name), DATABASE, QUERIES, 6, allowed=none, device="cpu")
    assert distances.shape == rows.shape == (len(QUERIES), 0)


def test_what_was_saved_answers_alike(name: str, tmp_path: Path) -> None:
    structure = built(name)
    structure.save(tmp_path / "s")
    loaded = load_structure(tmp_path / "s")
    assert type(loaded) is type(structure)
    assert loaded.describe() == structure.describe()
    json.dumps(loaded.describe())
    np.testing.assert_array_equal(loaded.shortlist(QUERIES, 40), structure.shortlist(QUERIES, 40))
    loaded.check(DATABASE)
    with pytest.raises(IndexStoreError, match="already"):
        structure.save(tmp_path / "s")


@pytest.mark.parametrize("mapped", [False, True])
def test_added_rows_are_found(name: str, mapped: bool, tmp_path: Path) -> None:
    more = np.concatenate([DATABASE, places(200, seed=5)])
    structure = build_structure(name, DATABASE, seed=1)
    if mapped:
        structure.save(tmp_path / "s")
        structure = load_structure(tmp_path / "s")
    asked = more[ROWS:].astype(np.float32)

    def own_found() -> bool:
        rows = search_with(structure, more, asked, 1, shortlist=60, device="cpu")[1]
        return bool((rows[:, 0] == np.arange(ROWS, ROWS + 200)).mean() > 0.97)

    before = structure.covered
    assert own_found(), "rows beyond those covered are searched exactly"
    structure.add(more)
    assert structure.covered == (before and len(more))
    assert own_found()
    structure.save(tmp_path / "more")
    again = load_structure(tmp_path / "more")
    np.testing.assert_array_equal(again.shortlist(asked, 20), structure.shortlist(asked, 20))


def test_the_same_seed_gives_the_same_structure(name: str, tmp_path: Path) -> None:
    for place in ("one", "other"):
        build_structure(name, DATABASE, seed=4).save(tmp_path / place)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "other").iterdir())
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_threads_that_search_at_once_agree(name: str) -> None:
    structure = built(name)
    alone = search_with(structure, DATABASE, QUERIES, 5, shortlist=60, device="cpu")
    with ThreadPoolExecutor(4) as pool:
        futures = [
            pool.submit(search_with, structure, DATABASE, QUERIES, 5, shortlist=60, device="cpu")
            for _ in range(8)
        ]
        for future in futures:
            same(future.result(), alone)


@pytest.mark.parametrize("count", [1, 2, 5, 70])
@pytest.mark.parametrize("dim", [8, 33])
def test_few_rows_are_searched_or_refused_with_the_least_number(name: str, count: int, dim: int) -> None:
    rows = places(count, dim)
    least = KINDS[name].least_rows
    if count < least:
        with pytest.raises(UsageError, match=rf"at least {least} photos .* has {count}.*exact"):
            build_structure(name, rows)
        return
    structure = build_structure(name, rows)
    asked = places(3, dim, seed=9).astype(np.float32)
    found = search_with(structure, rows, asked, 4, device="cpu")
    same(found, search_exact(rows, asked, 4, device="cpu"))
    named = np.sort(structure.shortlist(asked, count + 2), axis=1)
    covered = list(range(structure.covered))
    assert named.tolist() == [[-1] * (count + 2 - len(covered)) + covered] * 3


def test_a_descriptor_of_16384_numbers_is_taken(name: str) -> None:
    rows = places(max(40, KINDS[name].least_rows), 16_384)
    structure = build_structure(name, rows)
    found = search_with(structure, rows, rows[:2].astype(np.float32), 1, shortlist=20, device="cpu")
    assert found[1].tolist() == [[0], [1]]
    assert (found[0] == 0).all()


def test_duplicates_and_zero_vectors_come_by_row(name: str) -> None:
    rows = np.repeat(places(ROWS // 4), 4, axis=0)
    rows[100:160] = 0
    structure = build_structure(name, rows)
    asked = np.concatenate([rows[:1], np.zeros((1, DIM))]).astype(np.float32)
    distances, found = search_with(structure, rows, asked, 4, shortlist=300, device="cpu")
    assert (distances == 0).all()
    assert found[0].tolist() == [0, 1, 2, 3]
    assert ((found[1] >= 100) & (found[1] < 160)).all()
    assert (np.diff(found[1]) > 0).all()


@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_rows_and_queries_that_are_not_finite_are_refused(name: str, strange: float) -> None:
    broken = DATABASE.copy()
    broken[1234, 3] = strange
    if name != "exact":  # which looks at rows when they are searched
        with pytest.raises(UsageError, match="Database descriptor 1234"):
            build_structure(name, broken)
    asked = QUERIES.copy()
    asked[2, 1] = strange
    with pytest.raises(UsageError, match="Query descriptor 2"):
        search_with(built(name), DATABASE, asked, 3, shortlist=60, device="cpu")


def test_rows_of_another_index_are_refused(name: str) -> None:
    structure = built(name)
    with pytest.raises(UsageError, match="24 numbers"):
        structure.check(places(ROWS, 25))
    if structure.covered:
        with pytest.raises(IndexStoreError, match="build it anew"):
            structure.check(places(ROWS, seed=8))
        with pytest.raises(IndexStoreError, match="build it anew"):
            structure.check(DATABASE[:-1])


def test_a_damaged_folder_is_refused(name: str, tmp_path: Path) -> None:
    built(name).save(tmp_path / "s")
    for file in sorted((tmp_path / "s").iterdir()):
        whole = file.read_bytes()
        file.write_bytes(whole[:-3])
        with pytest.raises(IndexStoreError, match=file.name):
            load_structure(tmp_path / "s")
        file.unlink()
        with pytest.raises(IndexStoreError, match=file.name):
            load_structure(tmp_path / "s")
        file.write_bytes(whole)
    load_structure(tmp_path / "s")


def test_bytes_are_those_estimated(name: str) -> None:
    structure = built(name)
    assert structure.resident_bytes == KINDS[name].estimated_bytes(structure.covered, DIM)


@pytest.mark.parametrize("dim", [64, 128, 512, 4096, 16_384])
def test_small_kinds_are_within_a_sixteenth_of_float32(dim: int) -> None:
    for photos in (100_000, 1_000_000):
        for small in ("ivfpq", "binary"):
            assert KINDS[small].estimated_bytes(photos, dim) <= photos * dim * 4 / 16
        assert KINDS["sq8"].estimated_bytes(photos, dim) > photos * dim * 4 / 16
