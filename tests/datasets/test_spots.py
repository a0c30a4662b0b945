from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landfall.datasets import spots
from landfall.geo import Positions

steps = st.none() | st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([31, 32]))


@given(st.lists(steps, max_size=12))
def test_spots_are_those_of_a_plain_loop(rows: list[tuple[int, int, int] | None]) -> None:
    positions = Positions.from_utm(
        [np.nan if row is None else 500_000.0 + row[0] for row in rows],
        [np.nan if row is None else 5_000_000.0 + row[1] for row in rows],
        np.array([31 if row is None else row[2] for row in rows], dtype=np.int16),
        False,
    )
    wanted: list[int] = []
    seen: dict[tuple[int, int, int], int] = {}
    count = 0
    for row in rows:
        if row is None or row not in seen:
            wanted.append(count)
            count += 1
            if row is not None:
                seen[row] = wanted[-1]
        else:
            wanted.append(seen[row])
    assert spots(positions).tolist() == wanted


def test_a_centimetre_parts_spots_and_a_hair_does_not() -> None:
    positions = Positions.planar([1.0, 1.0001, 1.02], [5.0, 5.0, 5.0])
    assert spots(positions).tolist() == [0, 0, 1]


def test_near_the_pole_there_are_spots_too() -> None:
    positions = Positions.from_latlon([89.0, 89.0, 89.0], [10.0, 10.0, 10.1])
    assert spots(positions).tolist() == [0, 0, 1]
