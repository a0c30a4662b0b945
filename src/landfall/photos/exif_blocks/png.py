"""PNG: the block is a chunk called eXIf.

Source: Portable Network Graphics (third edition), 5.3 and 11.3.4.5.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from landfall.photos.exif_blocks.change import Change, UneditableError, changed_payload

SIGNATURE_BYTES = 8
# An older way of the ImageMagick tools: the block as hexadecimal text.
_TEXT_PROFILES = (b"Raw profile type exif", b"Raw profile type APP1")


def edit(data: bytes, change: Change) -> bytes:
    """Return the file with its EXIF changed.

    Raises:
        UneditableError: a broken structure, or EXIF that is kept as text.
    """
    pixels_at = None
    for kind, start, end in chunks(data):
        body = data[start + 8 : end - 4]
        if kind == b"eXIf":
            return data[:start] + _chunk(changed_payload(body, change)) + data[end:]
        if kind in (b"tEXt", b"zTXt", b"iTXt") and body.startswith(_TEXT_PROFILES):
            raise UneditableError("its EXIF is kept as text, in ImageMagick's way; expected an eXIf chunk")
        if kind == b"IDAT" and pixels_at is None:
            pixels_at = start
    if pixels_at is None:
        raise UneditableError("its PNG structure is broken: no pixels follow")
    return data[:pixels_at] + _chunk(change(None)) + data[pixels_at:]


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's type, and where it begins and ends."""
    place = SIGNATURE_BYTES
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">L4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise UneditableError(f"its PNG structure is broken at byte {place}")
        yield kind, place, end
        place = end


def _chunk(body: bytes) -> bytes:
    named = b"eXIf" + body
    return struct.pack(">L", len(body)) + named + struct.pack(">L", zlib.crc32(named))
