"""The unfinished state of an extraction: what a kill leaves behind and the next run goes on from.

``OUT.partial/`` holds

- ``lock``: held by the process at work, freed by its death;
- ``header.json``: the fingerprint, what the result depends on;
- ``descriptors.npy``: all rows in their places, those not yet described undefined;
- ``journal.jsonl``: a line for each batch whose rows are on the disk, with hashes, failures and seconds;
- ``kept.npy``: the rows without those of failed photos, where there are any, made at the end;
- ``result.json``: what will stand beside the finished array. From here on only renames are left.

A batch's line goes to the journal after its rows are on the disk, so the journal never tells of
rows that are not there. A torn last line, the mark of a kill, is cut off.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Any

import numpy as np

from landfall.errors import UsageError
from landfall.extraction.fingerprint import differences
from landfall.extraction.plan import PlannedBatch
from landfall.extraction.progress import Timing
from landfall.extraction.rowfile import RowFile, copy_rows
from landfall.extraction.store import result_document, result_path
from landfall.extraction.stream import Batch
from landfall.files import hold, read_json, write_json
from landfall.photos import PhotoProblem

# At most this much work is lost to a kill; waiting for the disk after every batch costs more than it saves.
SYNC_EVERY_S = 1.0

HEADER = "header.json"
DATA = "descriptors.npy"
JOURNAL = "journal.jsonl"
KEPT = "kept.npy"
RESULT = "result.json"


@dataclass(frozen=True)
class BatchRecord:
    """What the journal keeps of a batch: hashes of its described photos, failures, and seconds spent."""

    hashes: tuple[str, ...]
    failed: tuple[tuple[int, str], ...]
    timing: Timing


class Partial:
    """The open state of an unfinished extraction.

    Args:
        folder: ``OUT.partial``; it exists and this process holds it.
        batches: the batches to be done; the journal numbers them.
        fingerprint: what the result depends on.

    Raises:
        UsageError: the folder holds work of another extraction, or can't be written.
    """

    def __init__(self, folder: Path, batches: Sequence[PlannedBatch], fingerprint: Mapping[str, Any]) -> None:
        self.folder = folder
        self._batches = batches
        self._fingerprint = fingerprint
        self.rows = np.sort(np.concatenate([np.empty(0, np.int64), *(batch.rows for batch in batches)]))
        self.records: dict[int, BatchRecord] = {}
        with writing(folder):
            self._resume()
            shape = (len(self.rows), int(fingerprint["dim"]))
            self._data = RowFile(folder / DATA, shape, np.dtype(fingerprint["dtype"]))
            self._journal: IO[bytes] = (folder / JOURNAL).open("ab")
        self._unsynced: list[bytes] = []
        self._synced_at = monotonic()

    def __enter__(self) -> Partial:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.sync()
        finally:
            self._journal.close()
            self._data.close()

    def save(self, number: int, batch: Batch, timing: Timing) -> None:
        """Keep batch ``number``; it reaches the disk within ``SYNC_EVERY_S`` or with ``sync``."""
        line = {
            "batch": number,
            "hashes": batch.content_hashes,
            "failed": batch.failed,
            "seconds": [timing.reading_s, timing.network_s, timing.writing_s],
        }
        with writing(self.folder):
            self._data.write(np.searchsorted(self.rows, batch.rows), batch.descriptors)
        self.records[number] = BatchRecord(batch.content_hashes, batch.failed, timing)
        self._unsynced.append(json.dumps(line).encode() + b"\n")
        if monotonic() - self._synced_at >= SYNC_EVERY_S:
            self.sync()

    def sync(self) -> None:
        """Bring all that was saved to the disk: the rows first, then the journal that tells of them."""
        if self._unsynced:
            with writing(self.folder):
                self._data.sync()
                self._journal.write(b"".join(self._unsynced))
                self._journal.flush()
                os.fsync(self._journal.fileno())
            self._unsynced.clear()
        self._synced_at = monotonic()

    def complete(self, names: Sequence[str]) -> None:
        """Drop the rows of failed photos, if any, and write what will stand beside the array.

        Args:
            names: the photos of the whole list.
        """
        self.sync()
        reasons = dict(failure for record in self.records.values() for failure in record.failed)
        hashes: dict[int, str] = {}
        for number, record in self.records.items():
            described = [row for row in self._batches[number].rows.tolist() if row not in reasons]
            hashes.update(zip(described, record.hashes, strict=True))
        kept = sorted(hashes)
        timing = sum((record.timing for record in self.records.values()), Timing())
        document = result_document(
            [names[row] for row in kept],
            kept,
            [hashes[row] for row in kept],
            [PhotoProblem(names[row], reasons[row]) for row in sorted(reasons)],
            self._fingerprint,
            {"total": timing.total_s, **timing.seconds()},
        )
        with writing(self.folder):
            if reasons:
                copy_rows(
                    self.folder / DATA,
                    np.searchsorted(self.rows, np.array(kept, np.int64)),
                    self.folder / KEPT,
                )
            write_json(self.folder / RESULT, document, durable=True)

    def _resume(self) -> None:
        """Read the journal of the same extraction, or clear what holds no finished batch."""
        journal = self.folder / JOURNAL
        earlier = read_json(self.folder / HEADER)
        if earlier is not None and (self.folder / DATA).exists() and journal.exists():
            lines = journal.read_bytes().splitlines(keepends=True)
            changed = differences(earlier, self._fingerprint)
            if changed and lines and lines[0].endswith(b"\n"):
                raise _of_another(self.folder, changed)
            if not changed:
                good = self._read_journal(lines)
                os.truncate(journal, sum(map(len, lines[:good])))
                return
        for name in (JOURNAL, DATA, KEPT, RESULT):
            (self.folder / name).unlink(missing_ok=True)
        write_json(self.folder / HEADER, self._fingerprint, durable=True)

    def _read_journal(self, lines: Sequence[bytes]) -> int:
        """Enter the batches that ``lines`` tell of; return how many lines are whole."""
        for count, line in enumerate(lines):
            try:
                told = json.loads(line)
                number = int(told["batch"])
                failed = tuple((int(row), str(reason)) for row, reason in told["failed"])
                record = BatchRecord(tuple(told["hashes"]), failed, Timing(*told["seconds"]))
                photos = len(self._batches[number].rows)
            except (ValueError, KeyError, IndexError, TypeError):
                return count
            if not line.endswith(b"\n") or len(record.hashes) + len(record.failed) != photos:
                return count
            self.records[number] = record
        return len(lines)


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Make ``folder`` and keep other processes out of it; the end or death of this one lets them in.

    Raises:
        UsageError: the folder can't be made, or another process works in it.
    """
    busy = UsageError(f"Another process is extracting into {folder}. Wait until it is done.")
    try:
        lock = hold(folder / "lock", busy)
    except OSError as error:
        raise UsageError(
            f"{folder} can't be written: {error.strerror}. Choose another place for the descriptors."
        ) from error
    with lock:
        if os.fstat(lock.fileno()).st_nlink == 0:
            raise UsageError(f"Another process has just finished with {folder}. Look at what it made.")
        yield


def is_complete(folder: Path, fingerprint: Mapping[str, Any]) -> bool:
    """Tell whether only ``put_in_place`` is left to do.

    Raises:
        UsageError: it is, but for another extraction.
    """
    result = folder / RESULT
    if not result.exists():
        return False
    changed = differences(json.loads(result.read_text(encoding="utf-8"))["fingerprint"], fingerprint)
    if changed:
        raise _of_another(folder, changed)
    return True


def put_in_place(folder: Path, out: Path) -> None:
    """Move the finished array and, last, its JSON to their places; after a kill in between, repeat it.

    ``result.json`` stands in ``folder``, so everything that it tells of is complete.
    """
    told = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    array = folder / (KEPT if told["failures"] else DATA)
    with writing(folder):
        if array.exists():
            array.replace(out)
        (folder / RESULT).replace(result_path(out))
        tidy(folder)


def tidy(folder: Path) -> None:
    """Remove what a finished extraction leaves: first the large files, last the lock and the folder."""
    for name in (DATA, KEPT, JOURNAL, HEADER, "lock"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tell of an error of the disk as one that the user can do something about."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{folder} can't be written: {error.strerror or error}. What is done so far is kept: "
            "mend that and run the same again."
        ) from error


def _of_another(folder: Path, changed: Sequence[str]) -> UsageError:
    return UsageError(
        f"{folder} holds an unfinished extraction, and since then these changed: {', '.join(changed)}. "
        "Run it again as it was, or delete that folder to start anew."
    )
