"""Photos in, fixes out: the call that the command line, the service and the Python API all end in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path, PurePath

import numpy as np

from landfall.extraction import Batch, stream
from landfall.geo import LatLon
from landfall.index import Index, Match
from landfall.localization.fix import Fix
from landfall.localization.position import agreed_positions

# Matches that a fix rests on unless the caller says otherwise.
DEFAULT_MATCHES = 20


def localize(
    photos: Sequence[str | PathLike[str]],
    index: Index,
    *,
    k: int = DEFAULT_MATCHES,
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
        k: how many matches each fix rests on.
        names: what to call each photo in its fix; its path as given by default.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        progress: called with the counts of photos done and failed.

    Returns:
        One fix a photo, in order. A photo that can't be read gives a fix with ``error`` and nothing else.
    """
    called = [PurePath(photo).as_posix() for photo in photos] if names is None else list(names)
    fixes: dict[int, Fix] = {}
    failed = 0
    for batch in stream([Path(photo) for photo in photos], index.model, batch_size=batch_size, workers=workers):
        fixes.update(_fixes_of(batch, called, index, k))
        fixes.update({row: Fix(photo=called[row], error=reason) for row, reason in batch.failed})
        failed += len(batch.failed)
        if progress is not None:
            progress(len(fixes), failed)
    return [fixes[row] for row in range(len(called))]


def _fixes_of(batch: Batch, called: Sequence[str], index: Index, k: int) -> dict[int, Fix]:
    found = index.search(batch.descriptors, k)
    lat, lon = agreed_positions(*_padded(found, k))
    same = index.find_hashes(batch.content_hashes)
    return {
        row: Fix(
            photo=called[row],
            location=LatLon(float(lat[i]), float(lon[i])),
            matches=tuple(found[i]),
            in_index=same.get(batch.content_hashes[i]),
        )
        for i, row in enumerate(batch.rows.tolist())
    }


def _padded(found: list[list[Match]], k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return latitudes, longitudes and distances (Q, K); a missing match has distance inf."""
    table = np.zeros((3, len(found), k))
    table[2] = np.inf
    for i, matches in enumerate(found):
        if matches:
            table[:, i, : len(matches)] = np.array([(m.lat, m.lon, m.distance) for m in matches]).T
    return table[0], table[1], table[2]
