from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from landfall.errors import PositionError
from landfall.geo import Neighbours, Positions, neighbours_within

# Multiples of 2.5 m, so that many pairs are exactly 25 m apart; None is an unknown position.
GRID_POINTS = st.lists(
    st.one_of(st.none(), st.tuples(st.integers(0, 40), st.integers(0, 40))), min_size=0, max_size=25
)


def planar(points: list[tuple[int, int] | None]) -> Positions:
    metres = [(math.nan, math.nan) if point is None else (point[0] * 2.5, point[1] * 2.5) for point in points]
    return Positions.planar([m[0] for m in metres], [m[1] for m in metres])


@given(GRID_POINTS, GRID_POINTS)
def test_equals_the_plain_loop(
    database: list[tuple[int, int] | None], queries: list[tuple[int, int] | None]
) -> None:
    found = neighbours_within(planar(database), planar(queries), 25.0)

    assert len(found) == len(queries)
    for row, query in enumerate(queries):
        # 25 m are 10 steps of the grid; whole numbers, so that the border itself is certain.
        expected = [
            i
            for i, point in enumerate(database)
            if point and query and (point[0] - query[0]) ** 2 + (point[1] - query[1]) ** 2 <= 100
        ]
        assert found[row].tolist() == expected
        assert found.counts[row] == len(expected)
    assert found.indptr.dtype == found.indices.dtype == np.int64


def test_two_zones_find_what_the_ellipsoid_says() -> None:
    rng = np.random.default_rng(1)
    lat = 50.0 + rng.uniform(-0.001, 0.001, (2, 150))
    lon = 6.0 + rng.uniform(-0.001, 0.001, (2, 150))

    found = neighbours_within(
        Positions.from_latlon(lat[0], lon[0]), Positions.from_latlon(lat[1], lon[1]), 25.0
    )

    across = 0
    for query in range(150):
        here = np.full(150, lon[1, query]), np.full(150, lat[1, query])
        distances = Geod(ellps="WGS84").inv(*here, lon[0], lat[0])[2]
        assert found[query].tolist() == np.flatnonzero(distances <= 25.0).tolist()
        across += int(((lon[0][found[query]] < 6.0) != (lon[1, query] < 6.0)).sum())
    assert across > 0


@given(GRID_POINTS, GRID_POINTS, st.integers(0, 2**32 - 1))
def test_contains_equals_the_plain_loop(
    database: list[tuple[int, int] | None], queries: list[tuple[int, int] | None], seed: int
) -> None:
    found = neighbours_within(planar(database), planar(queries), 25.0)
    ranked = np.random.default_rng(seed).integers(-1, len(database) + 2, (len(queries), 4))

    answer = found.contains(ranked)

    assert answer.shape == ranked.shape
    for query, row in enumerate(ranked):
        assert answer[query].tolist() == [int(i) in found[query].tolist() for i in row]


def test_minus_one_is_never_a_neighbour() -> None:
    # -1 after query 0 has the key of the last row of the query before it, were it not looked after.
    found = Neighbours(np.array([0, 2, 2]), np.array([0, 1]), 25.0)

    assert found.contains([[1, -1], [-1, 0]]).tolist() == [[True, False], [False, False]]


def test_rows_can_be_asked_for_like_a_sequence() -> None:
    found = Neighbours(np.array([0, 2, 2, 3]), np.array([4, 7, 1]), 10.0)

    assert [row.tolist() for row in found] == [[4, 7], [], [1]]
    assert found[-1].tolist() == [1]
    with pytest.raises(IndexError):
        found[3]


def test_nothing_near_and_nothing_there() -> None:
    somewhere = Positions.from_latlon([52.0, 53.0], [0.0, 0.0])
    for database, queries in (
        (somewhere, Positions.unknown(2)),
        (Positions.unknown(0), somewhere),
        (somewhere, Positions.unknown(0)),
        (Positions.from_latlon([10.0], [10.0]), somewhere),
    ):
        found = neighbours_within(database, queries, 25.0)
        assert found.counts.tolist() == [0] * len(queries)
        assert found.contains(np.zeros((len(queries), 3), np.int64)).sum() == 0


def test_a_radius_of_zero_finds_the_same_place() -> None:
    place = Positions.planar([1.0, 2.0, 1.0], [1.0, 1.0, 1.0])

    found = neighbours_within(place, place, 0.0)

    assert [row.tolist() for row in found] == [[0, 2], [1], [0, 2]]


@pytest.mark.parametrize("radius_m", [-1.0, math.nan, math.inf])
def test_a_radius_that_is_none_is_refused(radius_m: float) -> None:
    with pytest.raises(PositionError, match="radius"):
        neighbours_within(Positions.unknown(1), Positions.unknown(1), radius_m)


@pytest.mark.parametrize("shape", [(3, 5), (2,), (2, 1, 1)])
def test_contains_refuses_another_number_of_queries(shape: tuple[int, ...]) -> None:
    found = neighbours_within(Positions.unknown(1), Positions.unknown(2), 25.0)
    with pytest.raises(ValueError, match=r"expected \(2, K\)"):
        found.contains(np.zeros(shape, np.int64))


def test_a_city_of_many_photos_keeps_its_rows_sorted_and_complete() -> None:
    # A street of 20 000 photos, one each metre: all but those at the ends have 25 on either side.
    street = Positions.planar(np.arange(20_000.0), np.zeros(20_000))

    found = neighbours_within(street, street, 25.0)

    assert found.counts[25:-25].tolist() == [51] * (20_000 - 50)
    assert found.counts[0] == found.counts[-1] == 26
    np.testing.assert_array_equal(found[10_000], np.arange(9_975, 10_026))
