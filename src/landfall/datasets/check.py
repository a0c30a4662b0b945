"""Looking for what is wrong with a dataset before anybody trains or evaluates on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from landfall.datasets.check_files import FileFacts, read_files
from landfall.datasets.check_positions import disagreeing_exif, disagreeing_names, strange_positions
from landfall.datasets.dataset import Dataset
from landfall.datasets.listing import PhotoListing
from landfall.datasets.photo_set import PhotoSet
from landfall.datasets.report import KINDS, DatasetReport, Finding
from landfall.errors import PositionError
from landfall.geo import Positions, neighbours_within
from landfall.photos import PhotoProblem

TINY_SIDE = 64
"""Photos whose shorter side has fewer pixels are tiny: a feature map of them is 4 cells wide or less."""


def check_dataset(
    dataset: Dataset | PhotoListing,
    *,
    radius_m: float = 25.0,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> DatasetReport:
    """Read every photo in full and look at every position.

    Finds photos that can't be read, of the same content (in the database and among the queries, too), tiny,
    or without a position; queries without a positive; positions at 0,0, with latitude and longitude
    swapped, far from all others, or far from where the photo's own EXIF has it; several UTM zones; names
    whose two positions disagree.

    Args:
        dataset: a dataset, or a mere list of photos from ``load_photos``.
        radius_m: how near a database photo must be to be a query's positive.
        workers: threads that read photos; one a core by default.
        progress: called with the count of photos read so far, in the calling thread.

    Raises:
        PositionError: a radius that is negative or not finite.
    """
    if isinstance(dataset, Dataset):
        root, sets = dataset.root, (dataset.database, dataset.queries)
        problems, left_out = dataset.problems, dataset.left_out
        name, split, layout = dataset.name, dataset.split, dataset.layout
        is_table = layout == "table"
    else:
        root, sets = dataset.photos.root, (dataset.photos, PhotoSet.empty(dataset.photos.root))
        problems, left_out = dataset.without_position + dataset.remarks, dataset.failed
        name, split, layout = root.absolute().name, None, None
        is_table = dataset.is_table
    database, queries = sets
    labels = [label for photos in sets for label in _labels(photos, root)]
    positions = Positions.concatenate([photos.positions for photos in sets])
    facts = read_files([path for photos in sets for path in photos.paths], workers=workers, progress=progress)

    findings = [
        *_of_files(labels, facts, len(database)),
        *(Finding("unreadable", (problem.photo,), problem.reason) for problem in left_out),
        *_of_listing(labels, facts, positions, problems),
        *_of_positives(labels, database, queries, radius_m),
        *_of_positions(labels, positions),
        *_of_exif(labels, facts, positions, "the table" if is_table else "its name"),
    ]
    for row, apart_m in zip(*disagreeing_names([n for photos in sets for n in photos.names]), strict=True):
        detail = f"its degrees are {_distance(apart_m)} from its east, north and zone, which count"
        findings.append(Finding("name disagrees", (labels[row],), detail))
    order = list(KINDS)
    findings.sort(key=lambda finding: (order.index(finding.kind), finding.photos))
    return DatasetReport(name, split, layout, len(database), len(queries), radius_m, tuple(findings))


def _labels(photos: PhotoSet, root: Path) -> list[str]:
    """Return names relative to the dataset's root; a table's own are so already."""
    if photos.root == root or not photos.root.is_relative_to(root):
        return list(photos.names)
    prefix = photos.root.relative_to(root).as_posix()
    return [f"{prefix}/{name}" for name in photos.names]


def _of_files(labels: Sequence[str], facts: Sequence[FileFacts], database: int) -> Iterator[Finding]:
    same: dict[str, list[int]] = defaultdict(list)
    for row, fact in enumerate(facts):
        if fact.problem is not None:
            yield Finding("unreadable", (labels[row],), fact.problem)
            continue
        same[fact.content_hash].append(row)
        if min(fact.width, fact.height) < TINY_SIDE:
            yield Finding("tiny", (labels[row],), f"{fact.width} x {fact.height} pixels")
    for rows in same.values():
        if len(rows) > 1:
            both = rows[0] < database <= rows[-1]
            detail = "the same file in the database and among the queries" if both else "the same content"
            yield Finding("leakage" if both else "duplicate", tuple(labels[row] for row in rows), detail)


def _of_listing(
    labels: Sequence[str],
    facts: Sequence[FileFacts],
    positions: Positions,
    problems: Sequence[PhotoProblem],
) -> Iterator[Finding]:
    """Tell photos without a position, with the reason known from loading, and what else loading told."""
    unreadable = {label for label, fact in zip(labels, facts, strict=True) if fact.problem is not None}
    # A photo may be of the database and a query at once, and lack a position as both.
    lost = Counter(labels[row] for row in np.flatnonzero(~positions.known).tolist())
    reasons: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        # Why a position is unknown is what loading tells of a photo first.
        if len(reasons[problem.photo]) < lost[problem.photo]:
            reasons[problem.photo].append(problem.reason)
        else:
            yield Finding("other", (problem.photo,), problem.reason)
    for label in lost.elements():
        if label not in unreadable:
            reason = reasons[label].pop(0) if reasons[label] else "its position is unknown"
            yield Finding("no position", (label,), reason)


def _of_positives(
    labels: Sequence[str], database: PhotoSet, queries: PhotoSet, radius_m: float
) -> Iterator[Finding]:
    try:
        near = neighbours_within(database.positions, queries.positions, radius_m)
    except PositionError:
        if not (np.isfinite(radius_m) and radius_m >= 0):
            raise
        return  # told as mixed frames
    for row in np.flatnonzero((near.counts == 0) & queries.positions.known).tolist():
        yield Finding("no positive", (labels[len(database) + row],), f"none within {radius_m:g} m")


def _of_positions(labels: Sequence[str], positions: Positions) -> Iterator[Finding]:
    on_earth = np.isfinite(positions.lat)
    planar = positions.known & ~on_earth
    if planar.any() and on_earth.any():
        fewer, what = (on_earth, "on earth") if on_earth.sum() <= planar.sum() else (planar, "in a plane")
        photos = tuple(labels[row] for row in np.flatnonzero(fewer).tolist())
        yield Finding("mixed frames", photos, f"{what}, the others not: no distance joins the two")
        return
    strange = strange_positions(positions)
    for row in strange.zero.tolist():
        yield Finding("zero position", (labels[row],), "never filled in?")
    for row in strange.swapped.tolist():
        detail = f"at {positions.lat[row]:.5f}, {positions.lon[row]:.5f}; exchanged, they are near the rest"
        yield Finding("swapped", (labels[row],), detail)
    for row, far_m in zip(strange.far.tolist(), strange.far_m.tolist(), strict=True):
        yield Finding("far outlier", (labels[row],), f"{_distance(far_m)} from the nearest other")
    yield from _of_zones(labels, positions)


def _of_exif(
    labels: Sequence[str], facts: Sequence[FileFacts], positions: Positions, source: str
) -> Iterator[Finding]:
    """Tell photos whose own EXIF has them elsewhere; ``source`` says in words what their positions are of."""
    exif = Positions.from_latlon(
        [np.nan if fact.location is None else fact.location.lat for fact in facts],
        [np.nan if fact.location is None else fact.location.lon for fact in facts],
    )
    found = disagreeing_exif(positions, exif)
    for row, apart_m, swapped in zip(
        found.rows.tolist(), found.apart_m.tolist(), found.swapped.tolist(), strict=True
    ):
        detail = (
            f"{source} says {positions.lat[row]:.5f}, {positions.lon[row]:.5f}; "
            f"its EXIF says {exif.lat[row]:.5f}, {exif.lon[row]:.5f}: {_distance(apart_m)} apart"
        )
        hint = "; latitude and longitude swapped?" if swapped else ""
        yield Finding("exif disagrees", (labels[row],), detail + hint)


def _of_zones(labels: Sequence[str], positions: Positions) -> Iterator[Finding]:
    keys = [
        f"{zone}{'S' if south else 'N'}" if zone else ""
        for zone, south in zip(positions.zone.tolist(), positions.south.tolist(), strict=True)
    ]
    counted = Counter(key for key in keys if key)
    for zone, count in counted.most_common()[1:]:
        main = counted.most_common(1)[0]
        photos = tuple(label for label, key in zip(labels, keys, strict=True) if key == zone)
        yield Finding(
            "mixed zones",
            photos,
            f"{count} in zone {zone}, {main[1]} in zone {main[0]}; distances are measured rightly here, "
            "but many other tools ignore the zone",
        )


def _distance(metres: float) -> str:
    if not np.isfinite(metres):
        return "(out of range) infinitely far"
    if metres < 1000:
        return f"{metres:.0f} m"
    return f"{metres / 1000:.1f} km" if metres < 100_000 else f"{metres / 1000:,.0f} km".replace(",", " ")
