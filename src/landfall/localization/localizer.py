"""Photos in, fixes out: the call that the command line, the service and the Python API all end in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.extraction import Batch, stream
from landfall.geo import LatLon, from_geocentric, to_geocentric
from landfall.index import Among, Index, Match
from landfall.localization.calibration import (
    Calibration,
    Certainty,
    NoCalibration,
    answer_features,
    index_calibration,
)
from landfall.localization.fix import Fix
from landfall.localization.position import agreed_points

Floats = NDArray[np.float64]

# Matches that a fix rests on unless the caller says otherwise.
DEFAULT_MATCHES = 20
# Each search reads the whole index once, so queries are gathered until there are this many.
QUERIES_A_SEARCH = 256


def localize(
    photos: Sequence[str | PathLike[str]],
    index: Index,
    *,
    k: int = DEFAULT_MATCHES,
    among: Among | None = None,
    names: Sequence[str] | None = None,
    batch_size: int = 16,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Fix]:
    """Tell where photos were taken.

    A photo's own position, in its EXIF or in its name, is never read: the answer is the same without it.

    Args:
        photos: paths of the photos.
        index: the geotagged photos to find them among; its own model describes the queries.
        k: how many matches each fix rests on. Its confidence always rests on as many as the index was
            calibrated with.
        among: which of the index's photos to look among; all by default.
        names: what to call each photo in its fix; its path as given by default.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        progress: called with the counts of photos done and failed, before the first batch and after each.

    Returns:
        One fix a photo, in order. A photo that can't be read gives a fix with ``error`` and nothing else.

    Raises:
        UsageError: ``photos`` is a single path, there are not as many ``names``, ``k`` is below 1, or no
            photo of the index meets ``among``.
        IndexStoreError: the index is damaged.
    """
    if isinstance(photos, str | PathLike):
        raise UsageError(f"localize takes a list of photos; for one photo give [{str(photos)!r}].")
    if not isinstance(index, Index):
        raise UsageError(
            f"localize takes an opened index, not {type(index).__name__}; open it with Index.open({index!r})."
        )
    if names is not None and len(names) != len(photos):
        raise UsageError(f"{len(photos)} photos came with {len(names)} names; each needs one.")
    if k < 1:
        raise UsageError(f"A fix can't rest on {k} matches; it needs at least 1.")
    called = [PurePath(photo).as_posix() for photo in photos] if names is None else list(names)
    search = _Search(index, k, among)
    batches = stream([Path(photo) for photo in photos], index.model, batch_size=batch_size, workers=workers)
    fixes: dict[int, Fix] = {}
    for gathered in _gathered(_counted(batches, progress), QUERIES_A_SEARCH):
        fixes.update(_fixes_of(gathered, called, search))
    return [fixes[row] for row in range(len(called))]


def _counted(batches: Iterable[Batch], progress: Callable[[int, int], None] | None) -> Iterator[Batch]:
    done = failed = 0
    if progress is not None:
        progress(done, failed)
    for batch in batches:
        done += len(batch.rows) + len(batch.failed)
        failed += len(batch.failed)
        if progress is not None:
            progress(done, failed)
        yield batch


def _gathered(batches: Iterable[Batch], least: int) -> Iterator[list[Batch]]:
    """Yield lists of batches with at least ``least`` photos in each but the last."""
    held: list[Batch] = []
    for batch in batches:
        held.append(batch)
        if sum(len(one.rows) for one in held) >= least:
            yield held
            held = []
    if held:
        yield held


class _Search:
    """What each batch of queries is put to.

    Args:
        index: that they are searched in.
        k: matches that a fix rests on.
        among: which of its photos they are searched among.
    """

    def __init__(self, index: Index, k: int, among: Among | None) -> None:
        self.index = index
        self.k = k
        learned = index_calibration(index)
        self.calibration: Calibration | None = None if isinstance(learned, NoCalibration) else learned
        self._among = among
        if among is not None:
            index.rows_among(among)  # nothing left to look among is told before any photo is described

    def answer(self, descriptors: NDArray[np.float32]) -> tuple[list[list[Match]], Floats, Certainty | None]:
        """Return the matches of each of Q queries, the answers (Q, 3) in geocentric metres, and how sure."""
        deepest = self.k if self.calibration is None else max(self.k, self.calibration.matches)
        found = self.index.search(descriptors, deepest, among=self._among)
        lat, lon, distances = _padded(found)
        points = to_geocentric(lat, lon)
        answers = agreed_points(points[:, : self.k], distances[:, : self.k])
        return [matches[: self.k] for matches in found], answers, self._judge(points, distances, answers)

    def _judge(self, points: Floats, distances: Floats, answers: Floats) -> Certainty | None:
        if self.calibration is None:
            return None
        used = self.calibration.matches
        if used != self.k:
            answers = agreed_points(points[:, :used], distances[:, :used])
        return self.calibration.judge(answer_features(points[:, :used], distances[:, :used], answers))


def _fixes_of(batches: list[Batch], called: Sequence[str], search: _Search) -> dict[int, Fix]:
    """Return the fixes of some batches' photos by row."""
    fixes = {row: Fix(photo=called[row], error=reason) for batch in batches for row, reason in batch.failed}
    rows = [row for batch in batches for row in batch.rows.tolist()]
    if not rows:
        return fixes
    found, answers, certainty = search.answer(np.concatenate([batch.descriptors for batch in batches]))
    lat, lon = from_geocentric(answers)
    hashes = [content_hash for batch in batches for content_hash in batch.content_hashes]
    same = search.index.find_hashes(hashes)
    fixes.update(
        {
            row: Fix(
                photo=called[row],
                location=LatLon(float(lat[i]), float(lon[i])),
                radius_m=None if certainty is None else float(certainty.radius_m[i]),
                confidence=None if certainty is None else float(certainty.confidence[i]),
                accepted=None if certainty is None else bool(certainty.accepted[i]),
                matches=tuple(found[i]),
                in_index=same.get(hashes[i]),
            )
            for i, row in enumerate(rows)
        }
    )
    return fixes


def _padded(found: list[list[Match]]) -> tuple[Floats, Floats, Floats]:
    """Return latitudes, longitudes and distances (Q, K) of matches, of which every query has as many."""
    table = np.array([[(match.lat, match.lon, match.distance) for match in matches] for matches in found])
    return table[..., 0], table[..., 1], table[..., 2]
