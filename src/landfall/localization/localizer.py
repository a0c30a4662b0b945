"""Photos in, fixes out: the call that the command line, the service and the Python API all end in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path, PurePath

import numpy as np

from landfall.errors import UsageError
from landfall.extraction import Batch, stream
from landfall.geo import LatLon, from_geocentric
from landfall.index import Among, Index
from landfall.localization.answering import Search, Verify
from landfall.localization.fix import Fix

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
    verify: Verify = "never",
    names: Sequence[str] | None = None,
    batch_size: int = 16,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
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
        verify: whose first matches are compared with the query by their local features, too: "auto" takes
            the answers that are in doubt. The index's photos must be where they were indexed.
        names: what to call each photo in its fix; its path as given by default.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what the user should know.
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
    search = Search(index, k, among=among, verify=verify, workers=workers, say=say)
    paths = [Path(photo) for photo in photos]
    batches = stream(paths, index.model, batch_size=batch_size, workers=workers)
    fixes: dict[int, Fix] = {}
    for gathered in _gathered(_counted(batches, progress), QUERIES_A_SEARCH):
        fixes.update(_fixes_of(gathered, called, paths, search))
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


def _fixes_of(
    batches: list[Batch], called: Sequence[str], paths: Sequence[Path], search: Search
) -> dict[int, Fix]:
    """Return the fixes of some batches' photos by row."""
    fixes = {row: Fix(photo=called[row], error=reason) for batch in batches for row, reason in batch.failed}
    rows = [row for batch in batches for row in batch.rows.tolist()]
    if not rows:
        return fixes
    answers = search.answer(
        [paths[row] for row in rows], np.concatenate([batch.descriptors for batch in batches])
    )
    lat, lon = from_geocentric(answers.places)
    hashes = [content_hash for batch in batches for content_hash in batch.content_hashes]
    same = search.index.find_hashes(hashes)
    for i, row in enumerate(rows):
        location = LatLon(float(lat[i]), float(lon[i]))
        fixes[row] = answers.fix(i, called[row], location, same.get(hashes[i]))
    return fixes
