"""A photo without what it says of its owner: the pixels, their colour profile, and which way is up.

Not only EXIF tells where and by whom a photo was taken: XMP, IPTC, comments, the text of a PNG, and pictures
or videos behind the first picture do so, too. So what is kept is named here, and all else goes. JPEG, PNG and
WebP lose it without a change of a pixel; the other formats become a JPEG.

Source: ITU T.81, annex B; PNG (third edition), 11; WebP Container Specification (Google).
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

from landfall.errors import PhotoUnreadableError
from landfall.photos.containers import open_photo
from landfall.photos.decoding import decode
from landfall.photos.exif import ORIENTATION
from landfall.photos.exif_blocks import EDITORS, UneditableError, png, webp
from landfall.photos.writing import jpeg_bytes

# Of a photo that has to be encoded anew.
_QUALITY = 95
_START_OF_SCAN, _END_OF_IMAGE, _COMMENT = 0xDA, 0xD9, 0xFE
_KEPT_APPLICATION_DATA = {0xE0: b"JFIF\x00", 0xE2: b"ICC_PROFILE\x00", 0xEE: b"Adobe"}
# Within a scan, 00 and the restart markers follow an FF.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_KEPT_IN_PNG = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP"}
)
_KEPT_IN_WEBP = frozenset({b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"})
_HAS_EXIF_OR_XMP = 0x08 | 0x04


def strip_metadata(data: bytes, name: str) -> tuple[bytes, str]:
    """Return a photo's file without metadata, and the suffix of its format.

    Args:
        data: the file.
        name: of the photo, for errors.

    Raises:
        PhotoUnreadableError: no photo, or one whose structure is broken.
        PhotoTooLargeError: more than MAX_PIXELS.
    """
    with (opened := open_photo(io.BytesIO(data), name)).image:
        if opened.format not in _STRIPPERS:
            return jpeg_bytes(decode(opened, None, "bilinear"), _QUALITY), ".jpg"
        orientation = opened.orientation
    strip, suffix = _STRIPPERS[opened.format]
    try:
        stripped = strip(data)
        if orientation != 1:
            stripped = EDITORS[opened.format](stripped, lambda _: _orientation_block(orientation))
    except (UneditableError, struct.error) as error:
        raise PhotoUnreadableError(name, f"what it says of its owner can't be taken out: {error}") from error
    return stripped, suffix


def _orientation_block(orientation: int) -> bytes:
    """Return an EXIF block that holds this one tag (CIPA DC-008, 4.6.2)."""
    return struct.pack("<2sHLHHHLHxxL", b"II", 42, 8, 1, ORIENTATION, 3, 1, orientation, 0)


def _strip_jpeg(data: bytes) -> bytes:
    return data[:2] + b"".join(_kept_segments(data)) + b"\xff\xd9"


def _kept_segments(data: bytes) -> Iterator[bytes]:
    place = 2
    while True:
        while data[place : place + 2] == b"\xff\xff":  # fill bytes
            place += 1
        if place + 4 > len(data) or data[place] != 0xFF:
            raise UneditableError(f"its JPEG structure is broken at byte {place}")
        marker = data[place + 1]
        if marker == _END_OF_IMAGE:
            return
        (length,) = struct.unpack_from(">H", data, place + 2)
        end = place + 2 + length
        if length < 2 or end > len(data):
            raise UneditableError(f"its JPEG structure is broken at byte {place}")
        if marker == _START_OF_SCAN:
            following = _NEXT_MARKER.search(data, end)
            if following is None:
                raise UneditableError("its JPEG is cut short")
            end = following.start()
        if _is_kept(marker, data[place + 4 : place + 4 + 16]):
            yield data[place:end]
        place = end
        if data[place : place + 2] == b"\xff\xd9":
            return


def _is_kept(marker: int, payload: bytes) -> bool:
    if 0xE0 <= marker <= 0xEF:
        wanted = _KEPT_APPLICATION_DATA.get(marker)
        return wanted is not None and payload.startswith(wanted)
    return marker != _COMMENT


def _strip_png(data: bytes) -> bytes:
    kept = data[: png.SIGNATURE_BYTES]
    for kind, start, end in png.chunks(data):
        if kind in _KEPT_IN_PNG:
            kept += data[start:end]
        if kind == b"IEND":
            return kept
    raise UneditableError("its PNG is cut short")


def _strip_webp(data: bytes) -> bytes:
    (size,) = struct.unpack_from("<L", data, 4)
    body = b""
    for kind, content in webp.chunks(data[: 8 + size]):
        if kind not in _KEPT_IN_WEBP:
            continue
        if kind == b"VP8X":
            content = bytes([content[0] & ~_HAS_EXIF_OR_XMP]) + content[1:]
        body += webp.chunk(kind, content)
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body


_STRIPPERS = {"JPEG": (_strip_jpeg, ".jpg"), "PNG": (_strip_png, ".png"), "WebP": (_strip_webp, ".webp")}
