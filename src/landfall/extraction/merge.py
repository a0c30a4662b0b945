"""The shards of one extraction joined into the file that a single run would have written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landfall.errors import UsageError
from landfall.extraction.fingerprint import differences, digest
from landfall.extraction.partial import DATA, HEADER, KEPT, RESULT, holding, put_in_place, writing
from landfall.extraction.rowfile import COPY_BYTES, RowFile
from landfall.extraction.store import Descriptors, partial_path, result_document, result_path
from landfall.files import write_json


def merge_descriptors(paths: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> Descriptors:
    """Join all shards of one extraction, in any order, into ``out``.

    The array has the bytes that an extraction without shards gives. The shards are left as they are.

    Raises:
        UsageError: ``out`` exists or can't be written; a file is no shard, is of another extraction than the
            first, comes twice, or is missing.
    """
    out = Path(out)
    folder = partial_path(out)
    if out.exists() or result_path(out).exists() or (folder / HEADER).exists():
        raise UsageError(f"{out} exists, or is the place of an unfinished extraction. Choose another place.")
    shards = sorted((Descriptors.open(path) for path in paths), key=_number)
    fingerprint = _fingerprint_of_all(shards)
    document = _document(shards, fingerprint)
    rows = np.array(document["rows"], np.int64)
    with holding(folder), writing(folder):
        array = folder / (KEPT if document["failures"] else DATA)
        array.unlink(missing_ok=True)
        file = RowFile(array, (len(rows), document["dim"]), np.dtype(document["dtype"]))
        try:
            for shard in shards:
                _copy(shard, np.searchsorted(rows, shard.rows), file)
            file.sync()
        finally:
            file.close()
        write_json(folder / RESULT, document, durable=True)
        put_in_place(folder, out)
    return Descriptors.open(out)


def _fingerprint_of_all(shards: Sequence[Descriptors]) -> dict[str, Any]:
    """Return the fingerprint of the whole, having checked that the shards are its parts, each once."""
    if not shards:
        raise UsageError("No shards were given to be merged.")
    seen: dict[int, Path] = {}
    first = _without_shard(shards[0].fingerprint)
    for shard in shards:
        changed = differences(first, _without_shard(shard.fingerprint))
        if changed or shard.fingerprint["shard"][1] != shards[0].fingerprint["shard"][1]:
            raise UsageError(
                f"{shard.path} and {shards[0].path} are shards of different extractions; they differ in: "
                f"{', '.join(changed) or 'the number of shards'}."
            )
        part = _number(shard)
        if part in seen:
            raise UsageError(f"{shard.path} and {seen[part]} are the same shard, number {part}.")
        seen[part] = shard.path
    parts = int(shards[0].fingerprint["shard"][1])
    missing = [f"{part}/{parts}" for part in range(1, parts + 1) if part not in seen]
    if missing:
        raise UsageError(f"Shards are missing: {', '.join(missing)}. Extract them, then merge all {parts}.")
    files = digest(str(shard.fingerprint["files"]) for shard in shards)
    return {**shards[0].fingerprint, "files": files, "shard": None}


def _number(shard: Descriptors) -> int:
    """Return which part of an extraction this is, from 1."""
    if shard.fingerprint["shard"] is None:
        raise UsageError(f"{shard.path} is no shard but the whole of an extraction.")
    return int(shard.fingerprint["shard"][0])


def _without_shard(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fingerprint without what shards of one extraction differ in."""
    return {key: value for key, value in fingerprint.items() if key not in ("shard", "files")}


def _document(shards: Sequence[Descriptors], fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    described = sorted(
        row
        for shard in shards
        for row in zip(shard.rows.tolist(), shard.names, shard.content_hashes, strict=True)
    )
    stages = shards[0].seconds
    return result_document(
        [name for _, name, _ in described],
        [row for row, _, _ in described],
        [content_hash for _, _, content_hash in described],
        [failure for shard in shards for failure in shard.failures],
        fingerprint,
        {stage: sum(shard.seconds[stage] for shard in shards) for stage in stages},
    )


def _copy(shard: Descriptors, places: np.ndarray[Any, np.dtype[np.int64]], file: RowFile) -> None:
    step = max(1, COPY_BYTES // max(1, shard.dim * shard.array.itemsize))
    for start in range(0, len(places), step):
        file.write(places[start : start + step], shard.array[start : start + step])
