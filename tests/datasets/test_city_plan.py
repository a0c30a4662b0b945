"""Layout, sizes and routes of the drawn city: what can be checked without drawing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from landfall.datasets.city import font
from landfall.datasets.city.hashing import Dice, name_key, uniform
from landfall.datasets.city.noise import hash_unit
from landfall.datasets.city.passes import DATABASE_PASS, PASSES
from landfall.datasets.city.plan import inset, lay_out
from landfall.datasets.city.route import Shot, shots
from landfall.datasets.city.sizes import SIZES, SPLITS, CitySize, large, resolve
from landfall.datasets.city.town import CELL_M, HEIGHT_STEP_M, furnish
from landfall.datasets.city.visit import Visit
from landfall.errors import UsageError


def places(taken: list[Shot], split: str, role: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([(s.view.x, s.view.y) for s in taken if s.split == split and s.role == role])


@pytest.mark.parametrize(
    ("size", "seed"), [(SIZES["tiny"], 0), (SIZES["tiny"], 5), (SIZES["demo"], 0), (large(3000), 2)]
)
def test_splits_are_apart_and_every_query_has_a_positive(size: CitySize, seed: int) -> None:
    _, taken = shots(seed, size)
    assert len(taken) == size.photos
    groups = {}
    for split in SPLITS:
        database, queries = places(taken, split, "database"), places(taken, split, "queries")
        assert (len(database), len(queries)) == size.of(split)
        distance, _ = cKDTree(database).query(queries)
        assert np.max(distance) < 25.0
        groups[split] = np.concatenate([database, queries])
    for one, other in (("train", "val"), ("val", "test"), ("train", "test")):
        distance, _ = cKDTree(groups[one]).query(groups[other])
        assert np.min(distance) > 50.0


def test_one_pass_makes_the_database_and_others_the_queries() -> None:
    _, taken = shots(0, SIZES["demo"])
    assert {s.view.visit for s in taken if s.role == "database"} == {DATABASE_PASS}
    assert {s.view.visit for s in taken if s.role == "queries"} == set(range(1, len(PASSES)))


def test_no_camera_stands_in_a_house() -> None:
    plan, taken = shots(0, SIZES["demo"])
    town = furnish(plan)
    for shot in taken:
        column, row = ((np.array([shot.view.x, shot.view.y]) - town.origin) / CELL_M).astype(int)
        assert town.heights[row, column] == 0


@given(st.integers(24, 5000))
def test_large_is_any_number(photos: int) -> None:
    assert large(photos).photos == photos


@pytest.mark.parametrize(
    ("size", "photos", "says"),
    [("huge", None, "tiny, demo, large"), ("tiny", 40, "'large' only"), ("large", 3, "24 to")],
)
def test_an_impossible_size_says_what_is_possible(size: str, photos: int | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        resolve(size, photos)  # type: ignore[arg-type]


def test_a_split_without_photos_is_refused() -> None:
    with pytest.raises(UsageError, match="every split"):
        replace(SIZES["tiny"], val=(0, 0))


def test_the_same_seed_lays_the_same_town() -> None:
    one, two, other = lay_out(3, 400.0, 3), lay_out(3, 400.0, 3), lay_out(4, 400.0, 3)
    assert all(np.array_equal(a.polygon, b.polygon) for a, b in zip(one.blocks, two.blocks, strict=True))
    assert not np.array_equal(one.blocks[0].polygon, other.blocks[0].polygon)
    town, again = furnish(one), furnish(two)
    assert np.array_equal(town.walls, again.walls)
    assert np.array_equal(town.facades, again.facades)


def test_an_inset_square_is_a_smaller_square() -> None:
    square = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    inner = inset(square, np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_allclose(inner, [[4, 1], [8, 1], [8, 7], [4, 7]])


def test_the_two_nearest_streets_of_a_cell_are_those_of_a_full_search() -> None:
    town = furnish(lay_out(1, 300.0, 3))
    rng = np.random.default_rng(0)
    rows, columns = town.link_map.shape[1:]
    for row, column in zip(rng.integers(25, rows - 25, 60), rng.integers(25, columns - 25, 60), strict=True):
        x, y = (np.array([column, row]) + 0.5) * 2.0 + town.origin
        distance = []
        for link in town.links:
            along = np.clip((x - link[0]) * link[2] + (y - link[1]) * link[3], 0, link[4])
            reach = np.hypot(x - link[0] - along * link[2], y - link[1] - along * link[3]) - link[5]
            distance.append(reach)
        near = np.sort(distance)[:2]
        found = [distance[town.link_map[rank, row, column]] for rank in range(2)]
        # streets farther than the map's margin of 30 m need not be known
        known = near + town.links[:, 5].min() < 26.0
        np.testing.assert_allclose(np.array(found)[known], near[known])


def test_shadows_equal_a_march_towards_the_sun() -> None:
    """The doubling of shadow lengths against a plain march of half-metre steps, for a sun due south."""
    visit = Visit(furnish(lay_out(1, 200.0, 3)), 0)
    visit.environment = replace(visit.environment, sun_azimuth_deg=180.0, sun_elevation_deg=45.0)
    found = visit.shadow_heights(torch.device("cpu")).numpy()
    heights = visit.solid.astype(np.float64) * HEIGHT_STEP_M
    expected = heights.copy()
    for steps in range(1, 180):
        expected[steps:] = np.maximum(expected[steps:], heights[:-steps] - steps * CELL_M)
    # the top rows alone can be reached by what the roll brings round from the far side
    np.testing.assert_allclose(found[180:], expected[180:], atol=1e-4)
    assert (found >= heights - 1e-4).all()


def test_a_choice_hangs_on_its_name_only() -> None:
    one, two = Dice(7, 1), Dice(7, 1)
    first = [one.unit("a"), one.unit("b")]
    assert [two.unit("b"), two.unit("a")] == first[::-1]
    assert Dice(7, 2).unit("a") != first[0]


@given(st.lists(st.integers(-(2**31), 2**40), min_size=1, max_size=4), st.text(max_size=6))
def test_dice_and_arrays_hash_alike(keys: list[int], name: str) -> None:
    assert Dice(*keys).unit(name) == uniform(*keys, name_key(name))


@settings(max_examples=20)
@given(st.integers(0, 2**31 - 1))
def test_hashes_are_spread_evenly(key: int) -> None:
    """Means of 4096 uniform numbers: 0.5 within six standard errors of 1 / sqrt(12 n)."""
    limit = 6 / np.sqrt(12 * 4096)
    assert abs(uniform(key, np.arange(4096)).mean() - 0.5) < limit
    assert abs(float(hash_unit(torch.arange(4096), key).mean()) - 0.5) < limit


def test_every_sign_can_be_lettered() -> None:
    glyphs = font.glyphs()
    ink = glyphs.sum(axis=(1, 2))
    assert all(set(text) <= set(font.ALPHABET) and 0 < len(text) <= font.LETTERS for text in font.SIGNS)
    assert len(set(font.SIGNS)) == len(font.SIGNS)
    assert ink[font.ALPHABET.index(" ")] == 0
    assert (np.delete(ink, font.ALPHABET.index(" ")) > 0).all()
    flat = glyphs.reshape(len(glyphs), -1)
    assert len(np.unique(flat, axis=0)) == len(flat)


def test_importing_the_city_does_not_import_torch() -> None:
    code = "import sys, landfall.datasets.city; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
