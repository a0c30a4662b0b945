"""The EXIF block inside a photo's file: replaced or put in, with not a byte of the pixels touched.

One format a file, each with ``edit(data, change)``: ``change`` takes the block (None where there is none) and
returns the new one. What can't be done without loss raises ``UneditableError`` with the reason in words.
"""

from __future__ import annotations

from collections.abc import Callable

from landfall.photos.exif_blocks import jpeg, png, tiff, webp
from landfall.photos.exif_blocks.change import Change, UneditableError

EDITORS: dict[str, Callable[[bytes, Change], bytes]] = {
    "JPEG": jpeg.edit,
    "PNG": png.edit,
    "WebP": webp.edit,
    "TIFF": tiff.edit,
}
"""How each format is edited, by the name that ``containers`` gives it."""

__all__ = ["EDITORS", "Change", "UneditableError"]
