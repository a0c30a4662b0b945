"""JPEG: the block is one APP1 segment among those before the compressed pixels.

All other segments (XMP, colour profile, the maker's own) and all that follows are copied byte for byte.
Phones append further pictures and list them in an MPF segment, whose numbers must follow: see ``mpf``.
Source: ITU T.81, annex B; CIPA DC-008 (Exif 2.32), 4.5 and 4.7.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from landfall.photos.exif_blocks import mpf
from landfall.photos.exif_blocks.change import PREFIX, Change, UneditableError, changed_payload

# A segment's length counts its own two bytes.
_MOST_BYTES = 65_535 - 2
_START_OF_SCAN, _END_OF_IMAGE, _APP0, _APP1, _APP2 = 0xDA, 0xD9, 0xE0, 0xE1, 0xE2
# Markers that stand alone: TEM, RST0 to RST7.
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True)
class _Segment:
    """A segment's marker, where it begins and ends, and where in it the payload begins."""

    marker: int
    start: int
    payload: int
    end: int


def edit(data: bytes, change: Change) -> bytes:
    """Return the file with its EXIF changed.

    Raises:
        UneditableError: a broken structure, a block in several segments, or one beyond 64 KiB.
    """
    segments = list(_segments(data))
    found = [s for s in segments if s.marker == _APP1 and data[s.payload : s.end].startswith(PREFIX)]
    if len(found) > 1:
        raise UneditableError(f"its EXIF stands in {len(found)} pieces; expected one")
    if found:
        (old,) = found
        start, end = old.start, old.end
        payload = changed_payload(data[old.payload : old.end], change)
    else:
        start = end = _place_for_exif(segments)
        payload = PREFIX + change(None)
    if len(payload) > _MOST_BYTES:
        raise UneditableError(
            f"its EXIF is full: {len(payload)} bytes with a position, and a JPEG holds {_MOST_BYTES}"
        )
    segment = struct.pack(">BBH", 0xFF, _APP1, len(payload) + 2) + payload
    edited = bytearray(data[:start] + segment + data[end:])
    for other in segments:
        if other.marker == _APP2:
            mpf.follow(edited, data[other.payload : other.end], other.payload, end, len(edited) - len(data))
    return bytes(edited)


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments before the compressed pixels."""
    place = 2
    while place + 4 <= len(data):
        start = place
        if data[place] != 0xFF:
            raise UneditableError(f"its JPEG structure is broken at byte {place}")
        while place < len(data) and data[place] == 0xFF:  # any number of fill bytes
            place += 1
        if place + 3 > len(data):
            break
        marker = data[place]
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return
        if marker in _NO_LENGTH:
            place += 1
            continue
        (length,) = struct.unpack_from(">H", data, place + 1)
        end = place + 1 + length
        if length < 2 or end > len(data):
            raise UneditableError(f"its JPEG structure is broken at byte {start}")
        yield _Segment(marker, start, place + 3, end)
        place = end
    raise UneditableError("its JPEG structure is broken: no pixels follow")


def _place_for_exif(segments: list[_Segment]) -> int:
    """Return where a new APP1 goes: first, but for the APP0 that JFIF wants there."""
    place = 2
    for segment in segments:
        if segment.marker != _APP0 or segment.start != place:
            break
        place = segment.end
    return place
