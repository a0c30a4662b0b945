"""Positions along a path: the closed form, limit cases, and what happens between and beyond."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from landfall.localization.sequence import Candidates, Path, SequenceOptions, path_positions
from landfall.localization.sequence.smoothing import smoothed

# So little noise that nothing is smoothed.
EXACT = SequenceOptions(speed_limit_m_s=100.0, noise_m=1e-6)


def along(*metres: float) -> tuple[Candidates, Path]:
    """Photos seen on a line; NaN for a lost one."""
    xyz = np.zeros((len(metres), 1, 3))
    xyz[:, 0, 0] = metres
    seen = np.isfinite(metres)
    return Candidates(xyz, seen[:, None] * 1.0), Path(np.where(seen, 0, -1), 0.0)


def test_lost_photos_lie_between_their_neighbours_by_time() -> None:
    nan = float("nan")
    places, path = along(nan, 0.0, nan, nan, 80.0, nan)
    got = path_positions(places, np.array([0.0, 1.0, 2.0, 4.0, 5.0, 9.0]), path, EXACT)[:, 0]
    assert got == pytest.approx([0.0, 0.0, 20.0, 60.0, 80.0, 80.0], abs=1e-6)


def test_between_two_sides_of_a_jump_nothing_is_interpolated() -> None:
    nan = float("nan")
    places, path = along(0.0, nan, nan, 9000.0)
    got = path_positions(places, np.array([0.0, 1.0, 2.0, 3.0]), path, EXACT)[:, 0]
    assert got == pytest.approx([0.0, 0.0, 9000.0, 9000.0], abs=1e-6)


def test_photos_at_one_time_share_a_lost_one() -> None:
    places, path = along(0.0, 10.0, float("nan"), 20.0)
    got = path_positions(places, np.array([5.0, 5.0, 5.0, 5.0]), path, EXACT)[:, 0]
    assert np.isfinite(got).all()
    assert 0.0 <= got[2] <= 20.0


def test_all_lost_is_nowhere() -> None:
    places, path = along(float("nan"), float("nan"))
    assert np.isnan(path_positions(places, np.arange(2.0), path, EXACT)).all()


def test_smoothing_is_the_minimum_of_what_is_written_down() -> None:
    rng = np.random.default_rng(3)
    seen, move_m, noise_m = rng.normal(0, 20, (6, 3)), np.array([3.0, 6.0, np.inf, 1.5, 3.0]), 5.0

    def cost(flat: np.ndarray) -> float:
        x = flat.reshape(6, 3)
        steps = (np.diff(x, axis=0) ** 2).sum(axis=1) / move_m**2
        return float(((x - seen) ** 2).sum() / noise_m**2 + steps.sum())

    best = minimize(cost, seen.ravel(), tol=1e-12).x.reshape(6, 3)
    assert smoothed(seen, move_m, noise_m) == pytest.approx(best, abs=1e-4)


def test_a_single_photo_and_one_far_from_the_origin_stay() -> None:
    place = np.array([[3_900_000.0, 30_000.0, 5_000_000.0]])
    assert smoothed(place, np.zeros(0), 8.0) == pytest.approx(place, abs=1e-6)
