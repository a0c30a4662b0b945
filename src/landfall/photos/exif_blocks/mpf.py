"""Multi-picture JPEGs: the list of the pictures behind the first follows when the first one grows.

An APP2 segment "MPF" lists each picture's size and its place, counted from the segment's own header.
Source: CIPA DC-007 (Multi-Picture Format), 5.2.3.
"""

from __future__ import annotations

import struct

SIGNATURE = b"MPF\x00"
_ENTRIES_TAG = 0xB002
_ENTRY_BYTES = 16


def follow(edited: bytearray, payload: bytes, payload_at: int, cut_at: int, grown: int) -> None:
    """Correct the list in a file that grew.

    A segment that is no such list, or is broken, stays as it is.

    Args:
        edited: the file after it grew; changed in place.
        payload: of an APP2 segment.
        payload_at: where it stood before the file grew.
        cut_at: from which byte of the old file on everything moved.
        grown: by how many bytes.
    """
    if not payload.startswith(SIGNATURE):
        return
    header_at = payload_at + len(SIGNATURE)
    block = payload[len(SIGNATURE) :]
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(block[:4])
    if order is None:
        return
    header_moved = grown if header_at >= cut_at else 0
    try:
        places = _entries(block, order)
        for place in places:
            size, offset = struct.unpack_from(f"{order}2L", block, place + 4)
            if offset == 0:  # the first picture, which is the one that grew
                size += grown
            else:
                offset += (grown if header_at + offset >= cut_at else 0) - header_moved
            struct.pack_into(f"{order}2L", edited, header_at + header_moved + place + 4, size, offset)
    except struct.error:
        return


def _entries(block: bytes, order: str) -> range:
    """Return where the entries of the list stand in its block."""
    (directory,) = struct.unpack_from(f"{order}L", block, 4)
    (count,) = struct.unpack_from(f"{order}H", block, directory)
    for number in range(count):
        tag, _, length, at = struct.unpack_from(f"{order}HHLL", block, directory + 2 + 12 * number)
        if tag == _ENTRIES_TAG:
            return range(at, at + length // _ENTRY_BYTES * _ENTRY_BYTES, _ENTRY_BYTES)
    return range(0)
