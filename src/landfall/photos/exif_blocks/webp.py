"""WebP: the block is a chunk called EXIF, which the extended header must announce.

A file in the simple format has no such header and gets one, which says the same size and transparency as its
pixels do. Source: WebP Container Specification (Google); RFC 9649, 2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from landfall.photos.exif_blocks.change import Change, UneditableError, changed_payload

_HEADER_BYTES = 12
_HAS_EXIF, _HAS_ALPHA = 0x08, 0x10


def edit(data: bytes, change: Change) -> bytes:
    """Return the file with its EXIF changed.

    Raises:
        UneditableError: a broken structure.
    """
    (size,) = struct.unpack_from("<L", data, 4)
    end = min(8 + size, len(data))
    parts = list(chunks(data[:end]))
    extended = bytearray(_extended_header(parts))
    extended[0] |= _HAS_EXIF
    old = next((body for kind, body in parts if kind == b"EXIF"), None)
    block = chunk(b"EXIF", change(None) if old is None else changed_payload(old, change))
    body = chunk(b"VP8X", bytes(extended))
    written = False
    for kind, content in parts:
        # Metadata come last, EXIF before XMP.
        if not written and (kind == b"EXIF" or (kind == b"XMP " and old is None)):
            body += block
            written = True
        if kind not in (b"VP8X", b"EXIF"):
            body += chunk(kind, content)
    if not written:
        body += block
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body + data[end:]


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each chunk's type and content."""
    place = _HEADER_BYTES
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sL", data, place)
        end = place + 8 + length
        if end > len(data):
            raise UneditableError(f"its WebP structure is broken at byte {place}")
        yield kind, data[place + 8 : end]
        place = end + length % 2


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk as it stands in a file."""
    return kind + struct.pack("<L", len(body)) + body + bytes(len(body) % 2)


def _extended_header(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return the content of the file's VP8X chunk, or what it would say."""
    kind, body = chunks[0] if chunks else (b"", b"")
    if kind == b"VP8X" and len(body) >= 10:
        return body
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        # The upper two bits of each are a scaling hint.
        width, height = (side & 0x3FFF for side in struct.unpack_from("<2H", body, 6))
        flags = 0
    elif kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        (bits,) = struct.unpack_from("<L", body, 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _HAS_ALPHA if bits >> 28 & 1 else 0
    else:
        raise UneditableError("its WebP structure is broken: no picture where it should stand")
    # 24 bits each, of which the lower 16 hold a simple file's sides.
    return struct.pack("<LHBHB", flags, width - 1, 0, height - 1, 0)
