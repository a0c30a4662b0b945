"""TIFF: the whole file is the block."""

from __future__ import annotations

from landfall.photos.exif_blocks.change import Change


def edit(data: bytes, change: Change) -> bytes:
    """Return the file with its tags changed."""
    return change(data)
