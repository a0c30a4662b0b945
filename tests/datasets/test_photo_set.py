from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from landfall.datasets import PhotoSet
from landfall.geo import Positions


def three() -> PhotoSet:
    return PhotoSet.of(
        Path("root"),
        ("a.jpg", "sub/b.jpg", "c.png"),
        Positions.planar([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]),
        heading_deg=np.array([10.0, np.nan, 30.0]),
    )


def test_rows_stay_together() -> None:
    taken = three().take(np.array([2, 0, 2]))
    assert taken.names == ("c.png", "a.jpg", "c.png")
    assert taken.positions.east_m.tolist() == [3.0, 1.0, 3.0]
    assert taken.heading_deg.tolist() == [30.0, 10.0, 30.0]
    assert taken.paths == [Path("root/c.png"), Path("root/a.jpg"), Path("root/c.png")]


def test_a_mask_takes_where_it_is_true() -> None:
    taken = three().take(np.array([False, True, True]))
    assert taken.names == ("sub/b.jpg", "c.png")
    assert np.isnat(taken.taken_at).all()


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(IndexError, match="3 photos"):
        three().take(np.array([True]))


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        PhotoSet.of(Path("root"), ("a.jpg",), Positions.unknown(2))


def test_no_photos() -> None:
    empty = PhotoSet.empty(Path("root"))
    assert len(empty) == 0
    assert len(empty.take(np.array([], dtype=np.int64))) == 0
