"""The likeliest way through the candidates of a sequence: Viterbi with a speed limit and a lost state.

A photo is placed at one of its candidates, at the cost -log(share), or gone without, at
``SequenceOptions.lost_cost``: lost. A move between the candidates of two placed photos, with any number of
lost ones between them, costs::

    excess = max(0, metres - speed_limit * (seconds + slack_s) - slack_m)
    cost   = min(jump_cost, log(1 + (excess / excess_m)^2))

so that what is lost keeps the place and time where it was seen last (a semi-Markov model). Each such memory
is a state; one that is worse than the best by more than a jump can never win again and is dropped, which
keeps the result exact and the states few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.localization.sequence.candidates import Candidates
from landfall.localization.sequence.options import SequenceOptions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Bounds memory and time where photos say next to nothing for long; beyond it the worst are forgotten.
_MOST_STATES = 2048


@dataclass(frozen=True, eq=False)
class Path:
    """A way through T photos.

    Attributes:
        choice: (T,) the candidate of each photo, -1 where it is lost.
        cost: of the whole way.
    """

    choice: Integers
    cost: float


@dataclass(frozen=True, eq=False)
class _States:
    """Memories of where the camera was seen last: S places (S, 3), times, costs, and the nodes t K + k."""

    xyz: Floats
    time_s: Floats
    cost: Floats
    node: Integers

    def take(self, rows: Integers | NDArray[np.bool_]) -> _States:
        return _States(self.xyz[rows], self.time_s[rows], self.cost[rows], self.node[rows])


def excess_m(metres: Floats, seconds: Floats, options: SequenceOptions) -> Floats:
    """Return how much further than the speed limit allows each move is; shapes broadcast."""
    reach = options.speed_limit_m_s * (seconds + options.slack_s) + options.slack_m
    return np.maximum(metres - reach, 0.0)


def move_costs(metres: Floats, seconds: Floats, options: SequenceOptions) -> Floats:
    """Return the cost of each move; shapes broadcast."""
    excess = excess_m(metres, seconds, options) / options.excess_m
    return np.minimum(np.log1p(excess**2), options.jump_cost)


def best_path(candidates: Candidates, times_s: Floats, options: SequenceOptions) -> Path:
    """Return the way of the least cost.

    Args:
        candidates: of T photos in order of time.
        times_s: (T,) seconds, ascending; equal ones are allowed.
        options: of the sequence.
    """
    frames, width = candidates.share.shape
    parents = np.full(frames * width, -1, dtype=np.int64)
    # Before the first photo the camera was nowhere, from where every place is free to begin with.
    states = _States(np.full((1, 3), np.nan), np.zeros(1), np.zeros(1), np.full(1, -1, dtype=np.int64))
    for frame in range(frames):
        states = _dropped(_moved(states, candidates, frame, times_s, parents, options), options)
    best = int(states.cost.argmin())
    choice = np.full(frames, -1, dtype=np.int64)
    node = int(states.node[best])
    while node >= 0:
        choice[node // width] = node % width
        node = int(parents[node])
    return Path(choice, float(states.cost[best]))


def _moved(
    states: _States,
    candidates: Candidates,
    frame: int,
    times_s: Floats,
    parents: Integers,
    options: SequenceOptions,
) -> _States:
    """Return the states after a photo: the old ones, now lost, and one for each of its candidates."""
    share = candidates.share[frame]
    places = np.flatnonzero(share > 0)
    lost = states.cost + options.lost_cost
    if not len(places):
        return _States(states.xyz, states.time_s, lost, states.node)
    xyz = candidates.xyz[frame, places]
    metres = np.linalg.norm(states.xyz[:, None] - xyz[None], axis=2)
    moves = move_costs(metres, (times_s[frame] - states.time_s)[:, None], options)
    totals = states.cost[:, None] + np.where(np.isnan(metres), 0.0, moves)
    before = totals.argmin(axis=0)
    nodes = frame * len(share) + places
    parents[nodes] = states.node[before]
    cost = totals[before, np.arange(len(places))] - np.log(share[places])
    return _States(
        np.concatenate([states.xyz, xyz]),
        np.concatenate([states.time_s, np.full(len(places), times_s[frame])]),
        np.concatenate([lost, cost]),
        np.concatenate([states.node, nodes]),
    )


def _dropped(states: _States, options: SequenceOptions) -> _States:
    """Return the states that may still win: from the best, any place is at most a jump away."""
    kept = states.take(states.cost <= states.cost.min() + options.jump_cost)
    if len(kept.cost) > _MOST_STATES:
        kept = kept.take(np.argpartition(kept.cost, _MOST_STATES)[:_MOST_STATES])
    return kept
