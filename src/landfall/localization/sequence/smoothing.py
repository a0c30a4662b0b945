"""From the chosen candidates to a position for every photo: smoothed where seen, interpolated where lost.

Seen positions z at times t are replaced by the x that minimise::

    sum |x_i - z_i|^2 / noise^2  +  sum |x_(i+1) - x_i|^2 / (speed_limit (t_(i+1) - t_i + slack_s))^2

a random walk seen with noise, whose maximum a posteriori is a tridiagonal system: a move that the limit just
allows is one standard deviation. So photos far apart, or a loose limit, smooth nothing. Moves that were jumps
have no second term: what lies before a break says nothing of what comes after it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from landfall.localization.sequence.candidates import Candidates
from landfall.localization.sequence.options import SequenceOptions
from landfall.localization.sequence.path import Path, excess_m

Floats = NDArray[np.float64]


def path_positions(candidates: Candidates, times_s: Floats, path: Path, options: SequenceOptions) -> Floats:
    """Return (T, 3) geocentric metres of every photo; all NaN where every photo is lost.

    A lost photo lies on the straight line between the photos seen before and after it, by its time. At an
    end of the sequence, or at a jump, it lies where the photo nearest in time does.

    Args:
        candidates: of T photos in order of time.
        times_s: (T,) seconds, ascending.
        path: of ``best_path``.
        options: of the sequence.
    """
    seen = np.flatnonzero(path.choice >= 0)
    if not len(seen):
        return np.full((len(times_s), 3), np.nan)
    places = candidates.xyz[seen, path.choice[seen]]
    seconds = np.diff(times_s[seen])
    jumps = excess_m(np.linalg.norm(np.diff(places, axis=0), axis=1), seconds, options) > 0
    reach_m = options.speed_limit_m_s * (seconds + options.slack_s)
    smooth = smoothed(places, np.where(jumps, np.inf, reach_m), options.noise_m)
    return _interpolated(smooth, times_s[seen], jumps, times_s)


def smoothed(places: Floats, move_m: Floats, noise_m: float) -> Floats:
    """Return (N, 3) smoothed places.

    Args:
        places: (N, 3) metres, in order of time.
        move_m: (N - 1,) standard deviation of the move from each to the next; inf where nothing joins them.
        noise_m: standard deviation of a place.
    """
    if len(places) < 2:
        return places
    # Photos at the same time, without slack, are as one: a large weight stands for an infinite one.
    pull = noise_m**2 / np.maximum(move_m**2, 1e-6 * noise_m**2)
    bands = np.zeros((2, len(places)))
    bands[0, 1:] = -pull
    bands[1] = 1.0
    bands[1, 1:] += pull
    bands[1, :-1] += pull
    # From the first place on, metres are small numbers and keep their precision.
    local = places - places[0]
    return np.asarray(places[0] + solveh_banded(bands, local))


def _interpolated(places: Floats, seen_s: Floats, jumps: NDArray[np.bool_], times_s: Floats) -> Floats:
    """Return (T, 3) places at ``times_s`` from N places at ``seen_s``."""
    last = len(places) - 1
    after = np.clip(np.searchsorted(seen_s, times_s, side="left"), 0, last)
    before = np.clip(np.searchsorted(seen_s, times_s, side="right") - 1, 0, last)
    span = seen_s[after] - seen_s[before]
    fraction = np.divide(times_s - seen_s[before], span, out=np.zeros_like(times_s), where=span > 0)
    at_jump = (after == before + 1) & np.append(jumps, False)[before]
    fraction = np.where(at_jump, np.round(fraction), np.clip(fraction, 0.0, 1.0))
    return np.asarray(places[before] + fraction[:, None] * (places[after] - places[before]))
