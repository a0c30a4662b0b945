"""Putting a position into an EXIF block, or a TIFF file, with everything else where it stands.

Nothing moves: a MakerNote is a camera maker's own structure, often with offsets that count from the block's
beginning, and whoever rewrites a block from parsed tags breaks it. So the new GPS directory is appended, and
one pointer to it is patched in the first directory. Where that has no such pointer, a copy of it with one
more entry is appended, too, and the header's pointer is patched; the values of its entries stay. What is no
longer pointed at stays as dead bytes.

Source: TIFF 6.0, section 2; CIPA DC-008 (Exif 2.32), 4.6.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Literal

from landfall.geo import LatLon
from landfall.photos.exif import GPS_DIRECTORY, MalformedExifError
from landfall.photos.gps_entries import OF_ANOTHER_FIX, Entry, gps_entries, pointer_entry

# A header, and a first directory of no entries and no successor.
_EMPTY_BLOCK = b"MM\x00*\x00\x00\x00\x08" + bytes(6)
_ENTRY_BYTES = 12


def with_position(
    block: bytes | None,
    location: LatLon,
    *,
    radius_m: float | None = None,
    altitude_m: float | None = None,
) -> bytes:
    """Return an EXIF block (without its prefix) or TIFF file that says where the photo was taken.

    Other GPS tags (time, heading, speed; the altitude, unless one is given) are kept, but for those of
    ``gps_entries.OF_ANOTHER_FIX``. A GPS directory that can't be followed is replaced.

    Args:
        block: None for a photo without EXIF.
        location: see ``gps_entries``.
        radius_m: see ``gps_entries``.
        altitude_m: see ``gps_entries``.

    Raises:
        MalformedExifError: no TIFF header, or a first directory that can't be followed.
        UsageError: a number that the tags can't hold.
    """
    edited = bytearray(_EMPTY_BLOCK if block is None else block)
    order = _byte_order(edited)
    (first,) = struct.unpack_from(f"{order}L", edited, 4)
    primary, successor = _read_directory(edited, first, order)
    new = gps_entries(location, order, radius_m=radius_m, altitude_m=altitude_m)
    replaced = OF_ANOTHER_FIX | {entry.tag for entry in new}
    at = next((i for i, raw in enumerate(primary) if _tag(raw, order) == GPS_DIRECTORY), None)
    kept = [] if at is None else _followed(edited, primary[at], order)
    offset = _append_directory(
        edited, [raw for raw in kept if _tag(raw, order) not in replaced], new, bytes(4), order
    )
    pointer = pointer_entry(GPS_DIRECTORY, offset, order)
    if at is None:
        moved = _append_directory(edited, primary, [pointer], successor, order)
        struct.pack_into(f"{order}L", edited, 4, moved)
    else:
        place = first + 2 + _ENTRY_BYTES * at
        edited[place : place + _ENTRY_BYTES] = _raw(pointer, pointer.value, order)
    return bytes(edited)


def _byte_order(block: bytearray) -> Literal["<", ">"]:
    if len(block) >= 8 and block[:4] == b"II*\x00":
        return "<"
    if len(block) >= 8 and block[:4] == b"MM\x00*":
        return ">"
    raise MalformedExifError("no TIFF header (BigTIFF is not edited)")


def _read_directory(block: bytearray, offset: int, order: str) -> tuple[list[bytes], bytes]:
    """Return a directory's raw entries and the pointer to its successor (none where the block ends)."""
    if offset + 2 > len(block):
        raise MalformedExifError("a directory lies outside the file")
    (count,) = struct.unpack_from(f"{order}H", block, offset)
    start, end = offset + 2, offset + 2 + _ENTRY_BYTES * count
    if end > len(block):
        raise MalformedExifError("a directory is cut short")
    entries = [bytes(block[place : place + _ENTRY_BYTES]) for place in range(start, end, _ENTRY_BYTES)]
    return entries, bytes(block[end : end + 4]).ljust(4, b"\x00")


def _followed(block: bytearray, pointer: bytes, order: str) -> list[bytes]:
    """Return the raw entries of the directory that an entry points to; none where it can't be followed."""
    (offset,) = struct.unpack(f"{order}L", pointer[8:])
    try:
        return _read_directory(block, offset, order)[0]
    except MalformedExifError:
        return []


def _append_directory(
    block: bytearray, kept: Iterable[bytes], new: Iterable[Entry], successor: bytes, order: str
) -> int:
    """Append a directory of old raw entries and new ones, with the new ones' values; return its offset."""
    kept, new = list(kept), list(new)
    block.extend(bytes(len(block) % 2))  # directories and values begin at even offsets
    offset = len(block)
    values_at = offset + 2 + _ENTRY_BYTES * (len(kept) + len(new)) + 4
    values = bytearray()
    raws = list(kept)
    for entry in new:
        if len(entry.value) <= 4:
            raws.append(_raw(entry, entry.value, order))
            continue
        raws.append(_raw(entry, struct.pack(f"{order}L", values_at + len(values)), order))
        values += entry.value + bytes(len(entry.value) % 2)
    raws.sort(key=lambda raw: _tag(raw, order))
    block += struct.pack(f"{order}H", len(raws)) + b"".join(raws) + successor + values
    return offset


def _raw(entry: Entry, field: bytes, order: str) -> bytes:
    return struct.pack(f"{order}HHL", entry.tag, entry.kind, entry.count) + field.ljust(4, b"\x00")


def _tag(raw: bytes, order: str) -> int:
    (tag,) = struct.unpack(f"{order}H", raw[:2])
    return int(tag)
