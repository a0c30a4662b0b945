"""The one way in which Landfall reads a photo's pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.files import hash_bytes, hash_stream
from landfall.photos.containers import open_file, open_photo, read_file, unreadable
from landfall.photos.decoding import decode
from landfall.photos.metadata import PhotoMetadata, metadata_of
from landfall.photos.spec import InputSpec


@dataclass(frozen=True)
class LoadedPhoto:
    """A photo ready for a model.

    Args:
        pixels: (H, W, 3) uint8 RGB, upright.
        metadata: what the photo's header says; its size is that of the file, not of ``pixels``.
        content_hash: hex of the 128-bit BLAKE2b of the file's bytes.
    """

    pixels: NDArray[np.uint8]
    metadata: PhotoMetadata
    content_hash: str


def load_photo(path: str | PathLike[str], spec: InputSpec) -> LoadedPhoto:
    """Read a photo's file once: its hash, its metadata, and its pixels as ``spec`` wants them.

    The same file and spec give the same pixels in every thread, process and command.

    Raises:
        PhotoUnreadableError: missing, empty, truncated, no photo, too small, or it can't be read or decoded.
        PhotoTooLargeError: more than MAX_PIXELS or MAX_FILE_BYTES.
    """
    data = read_file(Path(path))
    opened = open_photo(io.BytesIO(data), str(path))
    metadata = metadata_of(opened)
    pixels = np.array(decode(opened, spec.size, spec.interpolation))
    return LoadedPhoto(pixels, metadata, hash_bytes(data))


def content_hash(path: str | PathLike[str]) -> str:
    """Hash a file's bytes as ``load_photo`` does, in bounded memory.

    Raises:
        PhotoUnreadableError: missing, no permission, or it can't be read.
    """
    with open_file(Path(path)) as stream:
        try:
            return hash_stream(stream)
        except OSError as error:
            raise unreadable(str(path), error) from error
