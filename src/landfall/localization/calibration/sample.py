"""Indexed photos that play the queries, with what no stranger's query could find left out.

Left out of a sampled photo's answer are the photos of its own spot and those of its own moment (the same
pass, where the index has others), for they are other frames of one visit. What is left is searched as for any
query, and the distance to the nearest photo left is stated: a stranger's query is like the sample as far as
that distance is like the stranger's. The same photos play queries from elsewhere when everything around them
is left out, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landfall.datasets import spots
from landfall.geo import Neighbours, Positions, metric_coordinates, neighbours_within

Floats = NDArray[np.float64]
# Given rows (S,) of photos and a depth: the distances, ascending, and rows (S, depth) of the photos that they
# find, themselves among them or not; inf where there is none.
SampleSearch = Callable[[NDArray[np.int64], int], tuple[NDArray[np.float32], NDArray[np.int64]]]

# Photos nearer than this stand at one spot: two frames of one tripod, as GPS tells them.
SPOT_M = 2.0
# To be "elsewhere" a query must have no photo within this: twice what counts as right.
ELSEWHERE_M = 50.0
# How long a moment may be, the longest first: minutes part passes of one street, seconds frames of one burst.
MOMENTS_S = (600.0, 60.0, 10.0, 2.0)
# Two photos look the same way when their headings differ by no more; half of a camera's usual view.
SAME_WAY_DEG = 30.0
# The sample must keep such a photo within this share of the reach for at least this share of its photos: a
# stranger has one near by, and a photo that has one at the edge of its reach alone is seldom found.
KEPT_REACH = 0.5
KEPT_SHARE = 0.5
# A photo with more photos around it than this is not sampled: leaving all of them out costs too much memory.
MOST_LEFT_OUT = 2000
# Memory for the candidates of a block of sampled photos, in numbers.
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class Answers:
    """What S sampled photos find: rows (S, K), -1 where there is none, and distances (S, K), inf there."""

    rows: NDArray[np.int64]
    distances: Floats


@dataclass(frozen=True, eq=False)
class Sample:
    """S indexed photos that played the queries.

    Attributes:
        photos: (S,) their rows.
        present: what they find when their own spot and moment are left out.
        elsewhere: what they find when all photos around them are left out, too.
        nearest_left_m: (S,) metres to the nearest photo that was left for ``present``.
        moment_s: how long the moment was that is left out; None where times were not used.
        crowded: photos that were drawn and not used because too many stand around them.
    """

    photos: NDArray[np.int64]
    present: Answers
    elsewhere: Answers
    nearest_left_m: Floats
    moment_s: float | None
    crowded: int


def sample_answers(
    search: SampleSearch,
    positions: Positions,
    taken_s: Floats,
    heading_deg: Floats,
    *,
    k: int,
    photos: int,
    reach_m: float,
    candidates: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Sample:
    """Let a sample of indexed photos look for their places.

    Args:
        search: finds photos like those of the index.
        positions: (N,) of its photos.
        taken_s: (N,) seconds since some moment, NaN where unknown.
        heading_deg: (N,) degrees clockwise from north, NaN where unknown.
        k: matches of an answer.
        photos: how many to sample, at most.
        reach_m: the distance within which an answer is right; times are used only as far as half of the
            sample keeps a photo within half of that that looks the same way.
        candidates: rows that may be drawn; all by default.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    allowed = np.arange(len(positions)) if candidates is None else candidates
    drawn = np.sort(rng.permutation(allowed)[:photos])
    around = neighbours_within(positions, positions.take(drawn), ELSEWHERE_M)
    usable = around.counts <= MOST_LEFT_OUT
    crowded = int((~usable).sum())
    if crowded:
        drawn = drawn[usable]
        around = neighbours_within(positions, positions.take(drawn), ELSEWHERE_M)
    xyz, _ = metric_coordinates(positions, positions)
    apart_m = np.linalg.norm(xyz[around.indices] - xyz[drawn[around.queries]], axis=1)
    spot = spots(positions)
    own = (apart_m <= SPOT_M) | (spot[around.indices] == spot[drawn[around.queries]])
    asked, found = drawn[around.queries], around.indices
    turned_deg = np.abs((heading_deg[found] - heading_deg[asked] + 180.0) % 360.0 - 180.0)
    alike = (apart_m <= KEPT_REACH * reach_m) & ~(turned_deg > SAME_WAY_DEG)
    between_s = np.abs(taken_s[found] - taken_s[asked])
    own, moment_s = _with_moment(around, own, alike, between_s)
    present, elsewhere = _search(search, len(positions), drawn, around, own, k)
    left = np.full(len(drawn), np.inf)
    np.minimum.at(left, around.queries[~own], apart_m[~own])
    return Sample(drawn, present, elsewhere, left, moment_s, crowded)


def _with_moment(
    around: Neighbours, own: NDArray[np.bool_], alike: NDArray[np.bool_], between_s: Floats
) -> tuple[NDArray[np.bool_], float | None]:
    """Return which neighbours are left out, and the longest moment that leaves enough of them.

    Only photos near by are looked at: those of the same moment further off are no help to a query anyway.

    Args:
        around: the photos around each sampled one.
        own: (P,) those of its own spot.
        alike: (P,) those that a query would be found by: within reach, looking the same way.
        between_s: (P,) seconds between the two, NaN where unknown.
    """
    if not np.isfinite(between_s[~own]).any():
        return own, None
    for moment_s in MOMENTS_S:
        left_out = own | (between_s <= moment_s)
        kept = np.bincount(around.queries[~left_out & alike], minlength=len(around)) > 0
        if kept.mean() >= KEPT_SHARE:
            return left_out, moment_s
    return own, None


def _search(
    search: SampleSearch,
    count: int,
    drawn: NDArray[np.int64],
    around: Neighbours,
    own: NDArray[np.bool_],
    k: int,
) -> tuple[Answers, Answers]:
    """Search once, deep enough that ``k`` matches are left in either case, and leave out."""
    most = int(around.counts.max(initial=0))
    depth = min(count, k + most)
    present = Answers(np.full((len(drawn), k), -1, np.int64), np.full((len(drawn), k), np.inf))
    elsewhere = Answers(present.rows.copy(), present.distances.copy())
    block = max(1, _BLOCK_CELLS // max(depth, 1))
    for start in range(0, len(drawn), block):
        part = slice(start, min(start + block, len(drawn)))
        distances, rows = search(drawn[part], depth)
        first, last = around.indptr[part.start], around.indptr[part.stop]
        asked = around.queries[first:last] - part.start
        near = Neighbours(around.indptr[part.start : part.stop + 1] - first, around.indices[first:last], 0.0)
        kept = own[first:last]
        counts = np.bincount(asked[kept], minlength=part.stop - part.start)
        own_near = Neighbours(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), near.indices[kept], 0.0
        )
        for answers, left_out in ((present, own_near), (elsewhere, near)):
            _fill(answers, part, rows, distances, left_out.contains(rows) | np.isinf(distances))
    return present, elsewhere


def _fill(
    answers: Answers,
    part: slice,
    rows: NDArray[np.int64],
    distances: NDArray[np.float32],
    left_out: NDArray[np.bool_],
) -> None:
    """Keep the first matches that are not left out, in their order."""
    k = answers.rows.shape[1]
    first = np.argsort(left_out, axis=1, kind="stable")[:, :k]
    gone = np.take_along_axis(left_out, first, axis=1)
    width = first.shape[1]
    answers.rows[part, :width] = np.where(gone, -1, np.take_along_axis(rows, first, axis=1))
    answers.distances[part, :width] = np.where(gone, np.inf, np.take_along_axis(distances, first, axis=1))
