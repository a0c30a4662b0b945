"""The likeliest way against every way there is, and the cases that the model is made for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.localization.sequence import Candidates, SequenceOptions, best_path
from landfall.localization.sequence.path import move_costs

OPTIONS = SequenceOptions(speed_limit_m_s=10.0, slack_m=0.0, slack_s=0.0, excess_m=10.0)
Floats = NDArray[np.float64]


def cheapest_of_all(candidates: Candidates, times_s: Floats, options: SequenceOptions) -> float:
    """Try every choice of a candidate, or of none, for every photo."""
    frames, width = candidates.share.shape
    best = np.inf
    for choice in itertools.product(range(-1, width), repeat=frames):
        cost, last = 0.0, None
        for frame, k in enumerate(choice):
            if k < 0:
                cost += options.lost_cost
                continue
            if candidates.share[frame, k] == 0:
                cost = np.inf
                break
            here = candidates.xyz[frame, k]
            if last is not None:
                metres = np.asarray(np.linalg.norm(last[0] - here))
                cost += float(move_costs(metres, np.asarray(times_s[frame] - last[1]), options))
            cost += -np.log(candidates.share[frame, k])
            last = (here, times_s[frame])
        best = min(best, cost)
    return best


@given(st.data())
def test_no_way_is_cheaper(data: st.DataObject) -> None:
    frames, width = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    share = rng.choice([0.0, 0.01, 0.05, 0.2, 0.5, 0.9], size=(frames, width))
    xyz = np.where(share[..., None] > 0, rng.integers(0, 12, (frames, width, 3)) * 15.0, np.nan)
    times = np.sort(rng.integers(0, 6, frames)).astype(float)  # some at the same time
    options = SequenceOptions(
        speed_limit_m_s=10.0,
        slack_m=float(rng.choice([0.0, 25.0])),
        jump_cost=float(rng.choice([1.0, 6.0])),
        lost_share=float(rng.choice([0.05, 0.3])),
    )
    candidates = Candidates(xyz, share)
    path = best_path(candidates, times, options)
    assert path.cost == pytest.approx(cheapest_of_all(candidates, times, options), abs=1e-9)
    # The way told is the one that costs as much: only it is left to choose.
    rows = np.arange(frames)
    only = np.zeros_like(share)
    seen = path.choice >= 0
    only[rows[seen], path.choice[seen]] = share[rows[seen], path.choice[seen]]
    again = cheapest_of_all(Candidates(xyz, only), times, options)
    assert again == pytest.approx(path.cost, abs=1e-9)


def line(*metres: float) -> Candidates:
    """One sure candidate a photo, on a line; NaN for a photo without."""
    xyz = np.zeros((len(metres), 1, 3))
    xyz[:, 0, 0] = metres
    known = np.isfinite(metres)
    return Candidates(np.where(known[:, None, None], xyz, np.nan), known[:, None] * 0.9)


def test_a_planted_outlier_is_gone_without() -> None:
    path = best_path(line(0, 10, 900, 30, 40), np.arange(5.0), OPTIONS)
    assert path.choice.tolist() == [0, 0, -1, 0, 0]


def test_a_real_break_is_passed_once() -> None:
    path = best_path(line(0, 10, 20, 30, 900, 910, 920, 930), np.arange(8.0), OPTIONS)
    assert (path.choice == 0).all()
    # All that it costs is one jump.
    assert path.cost == pytest.approx(OPTIONS.jump_cost - 8 * np.log(0.9))


def test_a_memory_outlasts_many_lost_photos() -> None:
    # 100 photos with nothing between two that the limit just allows, and a lookalike near the second.
    xyz = np.full((102, 2, 3), np.nan)
    share = np.zeros((102, 2))
    xyz[0, 0], share[0, 0] = (0.0, 0.0, 0.0), 0.9
    xyz[-1], share[-1] = [(1010.0, 0.0, 0.0), (5000.0, 0.0, 0.0)], (0.4, 0.5)
    path = best_path(Candidates(xyz, share), np.arange(102.0), OPTIONS)
    assert (path.choice[0], path.choice[-1]) == (0, 0)
    assert (path.choice[1:-1] == -1).all()


def test_nothing_seen_anywhere_is_lost_throughout() -> None:
    path = best_path(line(np.nan, np.nan, np.nan), np.arange(3.0), OPTIONS)
    assert path.choice.tolist() == [-1, -1, -1]
    assert path.cost == pytest.approx(3 * OPTIONS.lost_cost)


def test_a_move_costs_nothing_within_the_limit_and_at_most_a_jump() -> None:
    costs = move_costs(np.array([0.0, 10.0, 20.0, 30.0, 1e9]), np.array(1.0), OPTIONS)
    assert costs == pytest.approx([0.0, 0.0, np.log(2.0), np.log(5.0), 6.0])


@pytest.mark.parametrize(
    "wrong", [{"speed_limit_m_s": 0.0}, {"slack_m": -1.0}, {"lost_share": 1.5}, {"step_s": float("nan")}]
)
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        SequenceOptions(**wrong)
