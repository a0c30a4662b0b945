"""Thumbnails of an index's photos: made with what is built or added, for all that is there, or taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from landfall.cores import available_cores
from landfall.errors import PhotoError
from landfall.extraction import Progress
from landfall.index import Change, FolderIndex, PhotoRecord, ThumbnailsWriting
from landfall.index.change import FolderChange, changing_folder, writing
from landfall.localization.change_report import ChangeReport
from landfall.localization.describing import forget_work
from landfall.photos import PhotoProblem, hashed_thumbnail

LONGEST_SIDE_PX = 480
_NOT_IN_A_STORE = "A store keeps no thumbnails; an index in a folder does."
# Pictures made before they are written, some ten megabytes; a kill costs no more than these.
_TOGETHER = 256


class Shown(NamedTuple):
    """A photo that a thumbnail is wanted of: its name, where it is, and the hash that the index has of it."""

    photo: str
    path: Path | None
    content_hash: str


@dataclass
class _Tally:
    """How far the work has come."""

    total: int
    progress: Callable[[Progress], None] | None
    done: int = 0
    problems: list[PhotoProblem] = field(default_factory=list)
    _started: float = field(default_factory=monotonic)

    def tell(self) -> None:
        if self.progress is not None:
            speed = self.done / max(monotonic() - self._started, 1e-9)
            left_s = (self.total - self.done) / speed if speed else None
            self.progress(Progress(self.done, self.total, len(self.problems), speed, left_s))


def make_thumbnails(
    file: Path,
    photos: Iterable[Shown],
    total: int,
    *,
    longest_side_px: int,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> list[PhotoProblem]:
    """Make thumbnails into a file, in bounded memory; those that it has are not made again.

    Args:
        file: of ``ThumbnailsWriting``; a killed run's is gone on with.
        photos: that are wanted.
        total: how many these are.
        longest_side_px: of a thumbnail.
        workers: threads that read photos; one a core by default.
        progress: told now and then how far it is.

    Returns:
        the photos that none could be made of, with the reason.

    Raises:
        IndexStoreError: the file can't be written.
    """
    tally = _Tally(total, progress)
    tally.tell()
    waiting = iter(photos)
    with ThumbnailsWriting(file) as made, ThreadPoolExecutor(workers or available_cores()) as pool:
        while part := list(islice(waiting, _TOGETHER)):
            held = made.held([photo.content_hash for photo in part])
            todo = [photo for photo in part if photo.content_hash not in held]
            drawn = list(pool.map(lambda photo: _draw(photo, longest_side_px), todo))
            made.put(
                (photo.content_hash, jpeg)
                for photo, jpeg in zip(todo, drawn, strict=True)
                if isinstance(jpeg, bytes)
            )
            tally.problems += [each for each in drawn if isinstance(each, PhotoProblem)]
            tally.done += len(part)
            tally.tell()
    return tally.problems


def show_photos(
    change: Change,
    photos: Sequence[Shown],
    *,
    workers: int | None,
    say: Callable[[str], None],
    progress: Callable[[Progress], None] | None,
) -> list[PhotoProblem]:
    """Make the thumbnails of the photos that a change brings in, where the index has thumbnails.

    Finished pictures of a change that was killed, in its work folder, are used again.

    Returns:
        the photos that none could be made of, with the reason.

    Raises:
        IndexStoreError: they can't be written.
    """
    longest_side_px = change.thumbnail_px
    if longest_side_px is None or not photos or not isinstance(change, FolderChange):
        return []
    held = change.index.thumbnails.held([photo.content_hash for photo in photos])
    wanted = [photo for photo in photos if photo.content_hash not in held]
    say(f"Making thumbnails of {len(wanted)} photos")
    file = change.work / thumbnails_work(longest_side_px)
    with writing(change.folder):
        change.work.mkdir(exist_ok=True)
    problems = make_thumbnails(
        file, wanted, len(wanted), longest_side_px=longest_side_px, workers=workers, progress=progress
    )
    change.append_thumbnails(file)
    return problems


def add_thumbnails(
    index_path: str | PathLike[str],
    *,
    longest_side_px: int | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] | None = None,
) -> ChangeReport:
    """Give an index a thumbnail of each of its photos; those that it has in that size stay.

    By this its owner lets whoever may ask the index see its photos. Photos that can't be read, or are no
    longer what was indexed, keep the thumbnail that they had, or none.

    Args:
        index_path: the index folder.
        longest_side_px: of a thumbnail; what the index has by default, or 480.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
        progress: told now and then how far it is.

    Raises:
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    with changing_folder(index_path, of_store=_NOT_IN_A_STORE) as change:
        index = change.index
        own_px = change.thumbnail_px
        wanted_px = longest_side_px or own_px or LONGEST_SIDE_PX
        anew = own_px != wanted_px
        total = len(index) if anew else sum(1 for _ in _without(index))
        problems: list[PhotoProblem] = []
        if anew or total:
            say(f"Making thumbnails of {total} photos, {wanted_px} pixels along the longer side")
            with writing(change.folder):
                change.work.mkdir(exist_ok=True)
            file = change.work / thumbnails_work(wanted_px)
            photos = _all(index) if anew else _without(index)
            problems = make_thumbnails(
                file, photos, total, longest_side_px=wanted_px, workers=workers, progress=progress
            )
            if anew:
                _keep_earlier(index, file)
            change.show_photos(wanted_px)
            change.append_thumbnails(file)
            index = change.commit()
            forget_work(change)
    return ChangeReport(
        index=index,
        changed=total - len(problems),
        unchanged=len(index) - total,
        failed=tuple(problems),
    )


def remove_thumbnails(index_path: str | PathLike[str]) -> ChangeReport:
    """Take the thumbnails out of an index, and with them the leave to show its photos.

    Raises:
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    with changing_folder(index_path, of_store=_NOT_IN_A_STORE) as change:
        index = change.index
        if not index.has_thumbnails:
            return ChangeReport(index=index, unchanged=len(index))
        change.hide_photos()
        index = change.commit()
        forget_work(change)
    return ChangeReport(index=index, changed=len(index))


def thumbnails_work(longest_side_px: int) -> str:
    """Return the name of a file of unfinished thumbnails: of one size, for they are known by photo alone."""
    return f"thumbnails-{longest_side_px}.sqlite"


def _draw(photo: Shown, longest_side_px: int) -> bytes | PhotoProblem:
    if photo.path is None:
        return PhotoProblem(photo.photo, "no thumbnail: nobody said which folder it is in")
    try:
        found, jpeg = hashed_thumbnail(photo.path, longest_side=longest_side_px)
    except PhotoError as error:
        return PhotoProblem(photo.photo, f"no thumbnail: {error.reason}")
    if found != photo.content_hash:
        return PhotoProblem(photo.photo, "no thumbnail: its bytes are not those that were indexed")
    return jpeg


def _all(index: FolderIndex) -> Iterator[Shown]:
    roots = {folder.id: folder.root for folder in index.folders().values()}
    for record in index.stored_records.all():
        yield shown(record, roots[record.folder])


def _without(index: FolderIndex) -> Iterator[Shown]:
    """Yield the photos that have no thumbnail."""
    waiting = _all(index)
    while part := list(islice(waiting, _TOGETHER)):
        held = index.thumbnails.held([photo.content_hash for photo in part])
        yield from (photo for photo in part if photo.content_hash not in held)


def _keep_earlier(index: FolderIndex, file: Path) -> None:
    """Put the thumbnails that the index has into a file that has none of these photos."""
    waiting = _all(index)
    with ThumbnailsWriting(file) as made:
        while part := list(islice(waiting, _TOGETHER)):
            hashes = [photo.content_hash for photo in part]
            held = made.held(hashes)
            made.put(index.thumbnails.pictures([each for each in hashes if each not in held]))


def shown(record: PhotoRecord, root: str | Path | None) -> Shown:
    """Return what a thumbnail is made of, of an indexed photo in the folder ``root``."""
    return Shown(record.photo, None if root is None else Path(root) / record.photo, record.content_hash)
