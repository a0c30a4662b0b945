"""A process that dies while it stores photos; run as ``killed_storing.py INDEX VERB MOMENT``.

VERB is "build" or "add". MOMENT is how often the server may be asked to store a batch before the process is
killed, right after the server's answer; with "never" the work is done to its end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.index.milvus.photos import build_milvus, descriptors_of, records_of

from landfall.index import changing
from landfall.index.milvus import writing
from landfall.index.milvus.collection import Collection

COUNT, ADDED, BATCH = 100, 60, 16


def die_after(batches: int) -> None:
    upsert = Collection.upsert
    done = 0

    def counted(self: Collection, entities: Sequence[Mapping[str, Any]]) -> None:
        nonlocal done
        upsert(self, entities)
        done += 1
        if done > batches:
            os.kill(os.getpid(), signal.SIGKILL)

    Collection.upsert = counted  # type: ignore[method-assign]


def add(path: Path) -> None:
    """Add photos of another folder, and take the first ten by id out."""
    with changing(path) as change:
        folder = change.records.folder("/more", None)
        first = change.append(descriptors_of(ADDED, seed=9))
        records = records_of(ADDED, first=1000)
        change.records.insert(replace(record, row=first + record.row, folder=folder) for record in records)
        change.records.delete(change.index.ids[:10].tolist())
        change.commit()


if __name__ == "__main__":
    index, verb, moment = sys.argv[1:]
    vars(writing).update(at_once=lambda _dim: BATCH, FLUSH_BYTES=2 * BATCH * 4 * 12)
    if moment != "never":
        die_after(int(moment))
    if verb == "build":
        build_milvus(Path(index), COUNT)
    else:
        add(Path(index))
