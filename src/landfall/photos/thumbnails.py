"""Small pictures of many photos, where one that can't be read is merely missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from landfall.errors import PhotoError
from landfall.photos.writing import encode_thumbnail


def thumbnail_reader(longest_side: int) -> Callable[[Path], bytes | None]:
    """Return a reader of thumbnails that reads each photo once, for as long as the reader lives.

    It gives a JPEG, or None for a photo that can't be read: a page shows a placeholder for it.
    """

    @cache
    def read(path: Path) -> bytes | None:
        try:
            return encode_thumbnail(path, longest_side=longest_side)
        except PhotoError:
            return None

    return read
