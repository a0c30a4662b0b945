"""One thread that changes the index: what many ask for at a time becomes one change.

A change costs the same for one photo as for some: a copy of the records, a new manifest, a few waits for the
disk. So while one is under way, what comes in waits, and all of it goes into the next. A request is answered
when its change is on the disk and the index that answers is the new one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread
from typing import Any

from landfall.errors import LandfallError, UsageError
from landfall.index import Change, Index, PhotoRecord, changing
from landfall.localization.adding import add_listed
from landfall.localization.upkeep import keep_up
from landfall.photos import PhotoProblem
from landfall.service.uploads import Upload, UploadFolder

# What waits is in memory.
_MOST_WAITING, _MOST_WAITING_BYTES = 64, 512 * 2**20
# Positions that differ by less, some centimetre, are the same.
_SAME_DEG = 1e-7


class WriterBusyError(LandfallError):
    """More wait to change the index than can; it can be tried again."""


@dataclass(frozen=True)
class Added:
    """A photo that is in the index now: its number, name and position there."""

    id: int
    photo: str
    lat: float
    lon: float


@dataclass(frozen=True)
class _Adding:
    uploads: Sequence[Upload]
    answer: Future[list[Added | PhotoProblem]]


@dataclass(frozen=True)
class _Removing:
    photo_id: int
    answer: Future[bool]


class IndexWriter:
    """Adds and removes photos of an index for many threads at a time.

    Args:
        index: as it is.
        folder: where the photos are kept.
        changed: called with the index as it then is after each change, before the change is answered.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
    """

    def __init__(
        self,
        index: Index,
        folder: UploadFolder,
        *,
        changed: Callable[[Index], None] = lambda _: None,
        batch_size: int = 16,
        workers: int | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.index = index
        self.folder = folder
        self._changed = changed
        self._batch_size = batch_size
        self._workers = workers
        self._say = say
        self._waiting: deque[_Adding | _Removing] = deque()
        self._closed = False
        # Guards the two above, and tells the thread of what comes.
        self._told = Condition()
        self._thread = Thread(target=self._run, name="index writer", daemon=True)
        self._thread.start()

    def add(self, uploads: Sequence[Upload]) -> Future[list[Added | PhotoProblem]]:
        """Add photos; the answer has for each, in order, what it is in the index, or why it is not there.

        A photo whose bytes are there already is that one, if the position is the same.

        Raises:
            WriterBusyError: too many wait.
        """
        answer: Future[list[Added | PhotoProblem]] = Future()
        self._put(_Adding(tuple(uploads), answer))
        return answer

    def remove(self, photo_id: int) -> Future[bool]:
        """Take a photo out, with its file if it came over HTTP; the answer is whether it was there.

        Raises:
            WriterBusyError: too many wait.
        """
        answer: Future[bool] = Future()
        self._put(_Removing(photo_id, answer))
        return answer

    def close(self) -> None:
        """Finish what waits, and return when it is done."""
        with self._told:
            self._closed = True
            self._told.notify()
        self._thread.join()
        self.folder.close()

    def _put(self, job: _Adding | _Removing) -> None:
        with self._told:
            if self._closed:
                raise WriterBusyError("The index is no longer changed here: the server stops.")
            waiting_bytes = sum(map(_bytes_of, self._waiting))
            full = len(self._waiting) >= _MOST_WAITING or waiting_bytes + _bytes_of(job) > _MOST_WAITING_BYTES
            if self._waiting and full:
                raise WriterBusyError(
                    f"{len(self._waiting)} requests with {waiting_bytes / 2**20:.0f} MB of photos wait to "
                    "change the index. Try again."
                )
            self._waiting.append(job)
            self._told.notify()

    def _take(self) -> list[_Adding | _Removing]:
        """Return all that waits, as soon as something does; nothing where no more will come."""
        with self._told:
            self._told.wait_for(lambda: self._waiting or self._closed)
            jobs = list(self._waiting)
            self._waiting.clear()
            return jobs

    def _run(self) -> None:
        while jobs := self._take():
            adding = [job for job in jobs if isinstance(job, _Adding)]
            removing = [job for job in jobs if isinstance(job, _Removing)]
            generation = self.index.manifest.generation
            if adding:
                self._tell([job.answer for job in adding], partial(self._add, adding))
            if removing:
                self._tell([job.answer for job in removing], partial(self._remove, removing))
            if self.index.manifest.generation != generation:
                self._keep_up()

    def _tell(self, answers: Sequence[Future[Any]], work: Callable[[], Sequence[object]]) -> None:
        """Give each its part of what the work returns, or all of them its error."""
        try:
            results = work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            self._say(f"The index could not be changed: {error}")
            for answer in answers:
                answer.set_exception(error)
            return
        for answer, result in zip(answers, results, strict=True):
            answer.set_result(result)

    def _add(self, jobs: Sequence[_Adding]) -> list[list[Added | PhotoProblem]]:
        """Add the photos of all jobs in one change; return what became of each job's."""
        # Of the same photo sent twice the first counts.
        uploads = {upload.content_hash: upload for job in reversed(jobs) for upload in reversed(job.uploads)}
        reasons: dict[str, str] = {}
        with changing(self.index.path, opened=self.index) as change:
            self.index = change.index
            there = self.index.stored_records.of_hashes(list(uploads))
            fresh = [upload for content, upload in uploads.items() if content not in there]
            if fresh:
                reasons = self._add_fresh(change, fresh)
        self._changed(self.index)
        there = self.index.stored_records.of_hashes(list(uploads))
        return [
            [_became(upload, there.get(upload.content_hash), reasons) for upload in job.uploads]
            for job in jobs
        ]

    def _add_fresh(self, change: Change, fresh: Sequence[Upload]) -> dict[str, str]:
        """Add photos that are not there; return by file name why some could not be."""
        try:
            self.folder.doubt([upload.file for upload in fresh])
            try:
                self.folder.keep(fresh)
                report = add_listed(
                    change,
                    self.folder.listing(fresh),
                    what="photos sent over HTTP",
                    source=None,
                    batch_size=self._batch_size,
                    workers=self._workers,
                    say=self._say,
                )
            finally:
                self._settle()
        except OSError as error:
            raise self._unwritable(error) from error
        return {problem.photo: problem.reason for problem in report.failed}

    def _remove(self, jobs: Sequence[_Removing]) -> list[bool]:
        """Take the photos of all jobs out in one change; return which were there."""
        with changing(self.index.path, opened=self.index) as change:
            self.index = change.index
            asked = sorted({job.photo_id for job in jobs})
            there = {record.id for record in self.index.stored_records.of_ids(asked)}
            if there:
                files = [self.folder.file_of(self.index, photo_id) for photo_id in there]
                try:
                    self.folder.doubt([file for file in files if file is not None])
                    try:
                        change.records.delete(sorted(there))
                        change.commit()
                    finally:
                        self._settle()
                except OSError as error:
                    raise self._unwritable(error) from error
        self._changed(self.index)
        return [job.photo_id in there for job in jobs]

    def _settle(self) -> None:
        self.index = self.index.latest()
        self.folder.settle(self.index)

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(
            f"{self.folder.root} can't be written: {error.strerror or error}. Look at the disk and send the "
            "same again."
        )

    def _keep_up(self) -> None:
        """Learn anew what has changed much, when those who wait have their answers."""
        try:
            keep_up(self.index, say=self._say)
            self.index = self.index.latest()
        except LandfallError as error:
            # The changes themselves stand; the next one tries this again.
            self._say(f"The index could not be kept up: {error}")
            return
        self._changed(self.index)


def _bytes_of(job: _Adding | _Removing) -> int:
    return sum(len(upload.data) for upload in job.uploads) if isinstance(job, _Adding) else 0


def _became(upload: Upload, record: PhotoRecord | None, reasons: dict[str, str]) -> Added | PhotoProblem:
    if record is None:
        return PhotoProblem(upload.photo, reasons.get(upload.file, "it could not be described"))
    away_deg = max(abs(record.lat - upload.location.lat), abs(record.lon - upload.location.lon))
    if away_deg > _SAME_DEG:
        return PhotoProblem(
            upload.photo,
            f"it is there as number {record.id} at {record.lat:.7f}, {record.lon:.7f}; remove that first to "
            "give it another position",
        )
    return Added(record.id, record.photo, record.lat, record.lon)
