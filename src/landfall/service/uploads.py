"""Photos that came over HTTP: made ready to be kept, and kept in the folder that the owner named.

A photo's file is called by the hash of its bytes, so that the same photo sent twice is the same file. It is
on the disk before the index says so. Which files are in doubt meanwhile, because a kill may come in between,
is written down first; the next start removes those that the index doesn't have.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from landfall.datasets import PhotoListing, PhotoSet
from landfall.errors import PhotoError, PhotoTooLargeError, UsageError
from landfall.files import beside, hash_bytes, hold, read_json, sync_folder, write_bytes, write_json
from landfall.geo import LatLon, Positions
from landfall.index import Index
from landfall.localization.listed import told_path
from landfall.photos import MAX_PIXELS, strip_metadata
from landfall.photos.containers import open_photo
from landfall.photos.metadata import metadata_of

# Beside the photos: the lock of the server that writes there, and the files in doubt.
_OWN, _LOCK, _IN_DOUBT = ".landfall", "lock", "in-doubt.json"
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "TIFF": ".tif", "HEIC": ".heic"}


@dataclass(frozen=True)
class Upload:
    """A photo that is ready to be indexed.

    Attributes:
        photo: what its sender calls it.
        data: the file as it is kept.
        content_hash: of ``data``.
        suffix: of the file's format.
        location: where it was taken.
        heading_deg: where the camera looked, clockwise from north; None where unknown.
        taken_at: when; a camera's own clock has no zone.
    """

    photo: str
    data: bytes
    content_hash: str
    suffix: str
    location: LatLon
    heading_deg: float | None
    taken_at: datetime | None

    @property
    def file(self) -> str:
        """The name that its file has in the folder."""
        return self.content_hash + self.suffix


def prepare_upload(
    photo: str,
    data: bytes,
    *,
    location: LatLon | None = None,
    keep_exif: bool = False,
    most_pixels: int = MAX_PIXELS,
) -> Upload:
    """Read what a photo says of itself, and take that out of it unless it is to be kept.

    Args:
        photo: what its sender calls it.
        data: the file as it came.
        location: where it was taken; what the photo itself says by default.
        keep_exif: keep the file as it came.
        most_pixels: that a photo may have.

    Raises:
        PhotoError: no photo, one that is too large, or one that says nowhere where it was taken.
    """
    with (opened := open_photo(io.BytesIO(data), photo)).image:
        told = metadata_of(opened)
        if told.width * told.height > most_pixels:
            raise PhotoTooLargeError(
                photo,
                f"{told.width}x{told.height} pixels; up to {most_pixels / 1e6:.0f} MP are taken",
            )
        suffix = _SUFFIXES[opened.format]
    place = location or told.location
    if place is None:
        raise PhotoError(photo, f"no position: {told.location_problem}; send lat and lon with it")
    if not keep_exif:
        data, suffix = strip_metadata(data, photo)
    return Upload(photo, data, hash_bytes(data), suffix, place, told.heading_deg, told.taken_at)


class UploadFolder:
    """The folder of photos that came over HTTP; one process writes there at a time.

    Args:
        root: the folder, made if it is not there.
        index: that the photos are put into; files in doubt that it doesn't have are removed.

    Raises:
        UsageError: it can't be written, or another process writes there.
    """

    def __init__(self, root: Path, index: Index) -> None:
        self.root = Path(told_path(root))
        busy = UsageError(f"{root} is written to by another process. Stop that, or name another folder.")
        try:
            self._lock = hold(self.root / _OWN / _LOCK, busy)
            told = read_json(self._journal) or {}
            self._doubtful = [str(name) for name in told.get("files", [])]
            self.settle(index)
        except OSError as error:
            raise UsageError(f"{root} can't be written: {error.strerror or error}.") from error

    def doubt(self, files: Sequence[str]) -> None:
        """Write down that these files are about to come or go, until ``settle`` is called.

        Raises:
            OSError: it can't be written.
        """
        self._doubtful = list(dict.fromkeys([*self._doubtful, *files]))
        write_json(self._journal, {"files": self._doubtful}, durable=True)
        sync_folder(self._journal.parent)

    def keep(self, uploads: Sequence[Upload]) -> None:
        """Write photos, and return when they are on the disk.

        Raises:
            OSError: they can't be written.
        """
        for upload in uploads:
            write_bytes(self.root / upload.file, upload.data, durable=True)
        sync_folder(self.root)

    def settle(self, index: Index) -> None:
        """Remove the files in doubt that an index doesn't have, and doubt no more.

        Args:
            index: as it is now.

        Raises:
            OSError: they can't be removed.
        """
        folders = [folder.id for folder in index.folders().values() if folder.root == str(self.root)]
        held = {
            record.photo
            for record in index.stored_records.of_names(self._doubtful)
            if record.folder in folders
        }
        for name in self._doubtful:
            beside(self.root / name).unlink(missing_ok=True)
            if name not in held:
                (self.root / name).unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)
        self._doubtful = []

    def file_of(self, index: Index, photo_id: int) -> str | None:
        """Return the file name of an indexed photo that lies here; None where it lies elsewhere."""
        path = index.path_of(photo_id)
        return path.name if path is not None and path.parent == self.root else None

    def listing(self, uploads: Sequence[Upload]) -> PhotoListing:
        """Return the photos as they are added to an index."""
        return PhotoListing(
            PhotoSet(
                root=self.root,
                names=tuple(upload.file for upload in uploads),
                positions=Positions.from_latlon(
                    [upload.location.lat for upload in uploads], [upload.location.lon for upload in uploads]
                ),
                heading_deg=np.array(
                    [np.nan if upload.heading_deg is None else upload.heading_deg for upload in uploads]
                ),
                taken_at=np.array([_seconds(upload.taken_at) for upload in uploads], "datetime64[s]"),
            )
        )

    def close(self) -> None:
        """Let another process write here."""
        self._lock.close()

    @property
    def _journal(self) -> Path:
        return self.root / _OWN / _IN_DOUBT


def _seconds(time: datetime | None) -> np.datetime64:
    """Return a time as an index's columns have it: as UTC where its zone is known."""
    if time is None:
        return np.datetime64("NaT", "s")
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time, "s")
