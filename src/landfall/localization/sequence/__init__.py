"""Photos of one drive or walk, answered together: a way through town is more certain than any photo on it.

``candidates`` makes places of each photo's matches, ``path`` chooses the likeliest way through them
(Viterbi with a speed limit and a lost state), ``smoothing`` makes positions of it, ``times`` says when each
photo was taken, ``apply`` brings fixes in and out, ``options`` holds the numbers and the reason of each.
"""

from __future__ import annotations

from landfall.localization.sequence.apply import SequenceAnswer, apply_sequence
from landfall.localization.sequence.candidates import Candidates, find_candidates
from landfall.localization.sequence.options import SequenceOptions
from landfall.localization.sequence.path import Path, best_path
from landfall.localization.sequence.smoothing import path_positions
from landfall.localization.sequence.times import PhotoTimes, read_times
from landfall.localization.sequence.track import Change, Track

__all__ = [
    "Candidates",
    "Change",
    "Path",
    "PhotoTimes",
    "SequenceAnswer",
    "SequenceOptions",
    "Track",
    "apply_sequence",
    "best_path",
    "find_candidates",
    "path_positions",
    "read_times",
]
