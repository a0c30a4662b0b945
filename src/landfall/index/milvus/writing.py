"""Photos into a collection, batch by batch, so that whatever dies in between loses and doubles nothing.

A photo's id is a function of its folder and name, and every batch is an upsert: what a killed or refused
attempt stored already is written over by the same. A journal beside counts the photos that the server has
flushed to its storage; the next attempt goes on there. At its end every id is looked up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.errors import IndexStoreError
from landfall.files import read_json, write_json
from landfall.index.milvus.collection import PAGE, Collection
from landfall.index.milvus.records import at_once
from landfall.index.milvus.schema import entity_of
from landfall.index.records import PhotoRecord
from landfall.index.rows import Matrix
from landfall.index.rows_writing import first_not_finite, not_storable

# Vectors that are sent between two flushes: servers take a flush of a collection once in ten seconds.
FLUSH_BYTES = 256 * 2**20

Progress = Callable[[int, int], None]


def store_photos(
    collection: Collection,
    records: Sequence[PhotoRecord],
    roots: Mapping[int, str | None],
    descriptors: Matrix,
    journal: Path,
    *,
    half: bool,
    progress: Progress = lambda _done, _of: None,
) -> None:
    """Store photos, or go on where an earlier attempt at the same ones stopped.

    Args:
        collection: to store them in.
        records: of N photos, with the ids that they have there; ``row`` is of ``descriptors``.
        roots: their folders by number.
        descriptors: (M, D).
        journal: the file that tells how far it is.
        half: whether the collection is in half precision.
        progress: called with photos stored, of how many.

    Raises:
        IndexStoreError: the server is not there, or refuses; what is stored by then is kept.
    """
    of = _fingerprint(records)
    told = read_json(journal)
    done = int(told["stored"]) if told is not None and told.get("of") == of else 0
    dim = descriptors.shape[1]
    step = at_once(dim)
    sent = 0
    progress(done, len(records))
    for first in range(done, len(records), step):
        part = records[first : first + step]
        rows = np.array([record.row for record in part], np.int64)
        block: NDArray[np.floating] = np.asarray(descriptors[rows], np.float16 if half else np.float32)
        if (wrong := first_not_finite(block)) is not None:
            raise not_storable(part[wrong].row, block.dtype)
        collection.upsert(
            [entity_of(record, roots[record.folder], row) for record, row in zip(part, block, strict=True)]
        )
        sent += len(part)
        last = first + len(part)
        if sent * dim * 4 >= FLUSH_BYTES or last == len(records):
            collection.flush()
            write_json(journal, {"of": of, "stored": last}, durable=True)
            sent = 0
        progress(last, len(records))
    _look_up(collection, [record.id for record in records], journal)


def remove_photos(collection: Collection, ids: Sequence[int]) -> None:
    """Take photos out of a collection; done twice it does nothing.

    Raises:
        IndexStoreError: the server is not there, or refuses.
    """
    for first in range(0, len(ids), PAGE):
        collection.delete(ids[first : first + PAGE])
    if ids:
        collection.flush()


def _look_up(collection: Collection, ids: Sequence[int], journal: Path) -> None:
    """See that every photo is there.

    Raises:
        IndexStoreError: some are not.
    """
    gone = 0
    for first in range(0, len(ids), PAGE):
        part = set(ids[first : first + PAGE])
        gone += len(part - {int(entity["id"]) for entity in collection.get(sorted(part), ("id",))})
    if gone:
        journal.unlink(missing_ok=True)
        raise IndexStoreError(
            f"{collection.address} acknowledged {len(ids)} photos and has lost {gone} of them: was it set "
            "back to an earlier state? Run the same again to store them all anew."
        )


def _fingerprint(records: Sequence[PhotoRecord]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for record in records:
        digest.update(repr(record).encode())
    return digest.hexdigest()
