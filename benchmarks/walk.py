"""A walk through the drawn city, photographed in order: what the benchmark of sequences localizes.

The city's own queries are single photos of single places. Here the camera goes along the streets of one
quarter from junction to junction, each street at least once, a photo every few metres, in autumn light, on
foot; the index has the summer pass, ahead and back at every place. Everything is synthetic.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.datasets.city.hashing import Dice
from landfall.datasets.city.passes import PASSES
from landfall.datasets.city.plan import Link, Plan
from landfall.datasets.city.renderer import Renderer
from landfall.datasets.city.route import Shot, shots
from landfall.datasets.city.sizes import SIZES
from landfall.datasets.city.town import furnish
from landfall.datasets.city.work import Job, draw_all, photo_name
from landfall.photos import write_jpeg

HEIGHT, WIDTH = 120, 160
VIEWS_A_PLACE = 2
STEP_M = 7.0
SPEED_M_S = 1.4
ON_FOOT = 1
# A street belongs to the walk where the index has a photo this near.
COVERED_M = 15.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Walk:
    """Where the photos are: a folder to index, and the frames in order of time."""

    database: Path
    frames: tuple[Path, ...]
    times_s: Floats


def draw_walk(out: Path, *, seed: int) -> Walk:
    """Draw the index's photos and the walk's into ``out``; what is there already is kept."""
    plan, taken = shots(seed, SIZES["demo"])
    places = [shot for shot in taken if shot.split == "test" and shot.role == "database"][::2]
    database = [view for shot in places for view in _around(shot)]
    frames = _frames(plan, places, seed, first=len(taken) + len(database))
    jobs = []
    for folder, chosen in (("database", database), ("walk", frames)):
        (out / folder).mkdir(parents=True, exist_ok=True)
        jobs += [Job(shot, out / folder / photo_name(shot)) for shot in chosen]
    missing = [job for job in jobs if not job.path.exists()]
    if missing:
        sum(draw_all(Renderer(furnish(plan), height=HEIGHT, width=WIDTH), missing))
    start = frames[0].taken_at
    return Walk(
        out / "database",
        tuple(out / "walk" / photo_name(shot) for shot in frames),
        np.array([(shot.taken_at - start).total_seconds() for shot in frames]),
    )


def black_out(
    walk: Walk, out: Path, *, share: float, seed: int
) -> tuple[tuple[Path, ...], NDArray[np.bool_]]:
    """Return the frames with runs of 1 to 5 of them black (a covered lens, with noise), and which are."""
    rng = np.random.default_rng(seed)
    black = np.zeros(len(walk.frames), dtype=np.bool_)
    wanted = round(share * len(black))
    while black.sum() < wanted:
        start = rng.integers(len(black))
        black[start : start + min(rng.integers(1, 6), wanted - black.sum())] = True
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for path, is_black in zip(walk.frames, black, strict=True):
        if is_black:
            write_jpeg(out / path.name, rng.integers(0, 6, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        paths.append(out / path.name if is_black else path)
    return tuple(paths), black


def _around(shot: Shot) -> list[Shot]:
    """Return a place's views: ahead and back."""
    turned = (shot.view.heading_deg + 360.0 * i / VIEWS_A_PLACE for i in range(VIEWS_A_PLACE))
    return [
        replace(shot, number=shot.number * VIEWS_A_PLACE + i, view=replace(shot.view, heading_deg=deg % 360))
        for i, deg in enumerate(turned)
    ]


def _frames(plan: Plan, places: list[Shot], seed: int, first: int) -> list[Shot]:
    drive, at_m = PASSES[ON_FOOT], 0.0
    made: list[Shot] = []
    for start, end, half_total in _route(plan, places):
        along = (end - start) / np.hypot(*(end - start))
        for place in np.arange(STEP_M / 2, np.hypot(*(end - start)), STEP_M):
            dice = Dice(seed, 71, len(made))
            aside = dice.between("lateral", *drive.side) * (half_total - 0.9)
            x, y = start + along * place + np.array([along[1], -along[0]]) * aside
            stray = dice.between("stray", -drive.turn_deg, drive.turn_deg)
            view = replace(
                places[0].view,
                x=float(x),
                y=float(y),
                z=drive.camera_height_m + dice.between("height", -0.12, 0.12),
                heading_deg=(math.degrees(math.atan2(along[0], along[1])) + stray) % 360.0,
                pitch_deg=dice.between("pitch", 3.0, 7.0),
                roll_deg=dice.between("roll", -1.2, 1.2),
                visit=ON_FOOT,
                number=int(dice.unit("number") * (1 << 24)) + seed,
                exposure=math.exp(dice.between("exposure", -0.22, 0.22)),
            )
            taken_at = drive.start + timedelta(seconds=round((at_m + place) / SPEED_M_S))
            made.append(Shot("test", "queries", first + len(made), view, taken_at))
        at_m += float(np.hypot(*(end - start)))
    return made


def _route(plan: Plan, places: list[Shot]) -> list[tuple[Floats, Floats, float]]:
    """Return pieces of street, end to end: from each junction the nearest street not yet walked."""
    known = np.array([(shot.view.x, shot.view.y) for shot in places])
    links = [link for link in plan.links if link.inner and _is_covered(link, known)]
    ends: dict[tuple[float, float], list[tuple[Link, tuple[float, float]]]] = {}
    for link in links:
        a, b = _corner(link.start), _corner(link.end)
        ends.setdefault(a, []).append((link, b))
        ends.setdefault(b, []).append((link, a))
    here = max(ends, key=lambda corner: (_reachable(ends, corner), corner))
    walked: set[int] = set()
    route: list[tuple[Floats, Floats, float]] = []
    while (way := _to_new_street(ends, here, walked)) is not None:
        for link, there in way:
            walked.add(id(link))
            route.append((np.array(here), np.array(there), link.half_total))
            here = there
    return route


def _to_new_street(
    ends: dict[tuple[float, float], list[tuple[Link, tuple[float, float]]]],
    here: tuple[float, float],
    walked: set[int],
) -> list[tuple[Link, tuple[float, float]]] | None:
    """Return the links to go, the last of them new; None where all that can be reached is walked."""
    waiting: deque[tuple[tuple[float, float], list[tuple[Link, tuple[float, float]]]]] = deque([(here, [])])
    met = {here}
    while waiting:
        corner, way = waiting.popleft()
        for link, there in ends[corner]:
            if id(link) not in walked:
                return [*way, (link, there)]
            if there not in met:
                met.add(there)
                waiting.append((there, [*way, (link, there)]))
    return None


def _reachable(
    ends: dict[tuple[float, float], list[tuple[Link, tuple[float, float]]]], corner: tuple[float, float]
) -> int:
    met, waiting = {corner}, [corner]
    while waiting:
        new = {there for _, there in ends[waiting.pop()]} - met
        met |= new
        waiting += new
    return len(met)


def _is_covered(link: Link, known: Floats) -> bool:
    along = np.linspace(0.1, 0.9, 9)[:, None]
    points = link.start + along * (link.end - link.start)
    gaps = np.linalg.norm(points[:, None] - known[None], axis=2).min(axis=1)
    return bool((gaps <= COVERED_M).all())


def _corner(point: Floats) -> tuple[float, float]:
    return round(float(point[0]), 1), round(float(point[1]), 1)
