"""Opening a photo's file: which format it is, how large, how oriented; nothing is decoded yet.

Formats are told by their first bytes, never by the name, and only the five that Landfall promises are tried.
Pillow's process-wide registry and limits stay as they are: Landfall behaves the same inside any program
and in any number of threads.
"""

from __future__ import annotations

import io
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from landfall.errors import PhotoTooLargeError, PhotoUnreadableError
from landfall.photos.exif import ExifTags, MalformedExifError, parse_exif

MAX_PIXELS = 178_956_970
"""Most pixels of a photo: Pillow's own hard limit, 512 MiB of RGB. Checked before decoding."""

MIN_SIDE = 16
"""Fewest pixels of a side: one cell of the feature map of a network that divides by 16."""

MAX_FILE_BYTES = 2 << 30
"""Largest file that is read into memory: MAX_PIXELS of uncompressed 16-bit RGBA, and room to spare."""

_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
# First bytes in lower case.
_OTHER_FORMATS = {
    b"gif8": "a GIF",
    b"bm": "a BMP",
    b"%pdf": "a PDF",
    b"pk\x03\x04": "a ZIP archive",
    b"<svg": "an SVG",
    b"<?xml": "an XML file",
    b"<!doc": "a web page",
    b"<html": "a web page",
}


@dataclass(frozen=True)
class OpenedPhoto:
    """A photo whose header has been read: ``image`` as stored, ``orientation`` still to be applied."""

    name: str
    format: str
    image: ImageFile.ImageFile
    orientation: int
    tags: ExifTags | None
    exif_problem: str | None

    @property
    def oriented_size(self) -> tuple[int, int]:
        """``(width, height)`` of the upright photo."""
        width, height = self.image.size
        return (height, width) if self.orientation >= 5 else (width, height)


class _JpegFile(JpegImagePlugin.JpegImageFile):
    def _read_dpi_from_exif(self) -> None:
        """Do nothing: Pillow would parse all EXIF, warning about damage, for a dpi that isn't needed."""


class _TiffFile(TiffImagePlugin.TiffImageFile):
    def load_prepare(self) -> None:
        # Pillow's version warns from half the limit on; the limit was checked when the file was opened.
        if self._im is None:
            self.im = Image.core.new(self.mode, self._tile_size)  # type: ignore[attr-defined]
        ImageFile.ImageFile.load_prepare(self)


def open_file(path: Path) -> BufferedReader:
    """Open a photo's file for reading.

    Raises:
        PhotoUnreadableError: missing, no permission, a folder, a device, or the system's own words.
        PhotoTooLargeError: more than MAX_FILE_BYTES.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PhotoUnreadableError(str(path), "a folder, not a photo")
        if not stat.S_ISREG(status.st_mode):
            # Opening a pipe would wait for ever.
            raise PhotoUnreadableError(str(path), "not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise PhotoTooLargeError(
                str(path),
                f"{status.st_size / 2**30:.1f} GiB: "
                f"more than the limit of {MAX_FILE_BYTES / 2**30:.0f} GiB a file",
            )
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise unreadable(path, error) from error


def read_file(path: Path) -> bytes:
    """Read a photo's whole file; raises as ``open_file``, and PhotoUnreadableError where reading fails."""
    with open_file(path) as stream:
        try:
            return stream.read()
        except (OSError, MemoryError) as error:
            raise unreadable(path, error) from error


def unreadable(photo: Path | str, error: Exception) -> PhotoUnreadableError:
    """Make the error for a file that the system would not open or read."""
    if isinstance(error, FileNotFoundError):
        reason = "no such file"
    elif isinstance(error, PermissionError):
        reason = "permission denied"
    else:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = f"can't be read: {text or type(error).__name__}"
    return PhotoUnreadableError(str(photo), reason)


def open_photo(stream: BinaryIO, name: str) -> OpenedPhoto:
    """Read a photo's header and EXIF from an open file or from memory.

    Raises:
        PhotoUnreadableError: empty, not a photo, a broken header, or a side below MIN_SIDE.
        PhotoTooLargeError: more than MAX_PIXELS.
    """
    try:
        head = stream.read(32)
    except OSError as error:
        raise unreadable(name, error) from error
    if not head:
        raise PhotoUnreadableError(name, "empty file (0 bytes)")
    kind = _sniff(head)
    if kind is None:
        raise PhotoUnreadableError(name, _not_a_photo(head))
    try:
        stream.seek(0)
        image = _open_as(kind, stream)
        size = image.size
    except Exception as error:  # whatever a decoder throws at a hostile header
        if isinstance(error, OSError) and error.errno is not None:
            raise unreadable(name, error) from error  # the file system's, not the decoder's
        raise PhotoUnreadableError(name, f"broken {kind} header: {describe_fault(error)}") from error
    if size[0] * size[1] > MAX_PIXELS:
        raise PhotoTooLargeError(
            name,
            f"{size[0]}x{size[1]} pixels ({size[0] * size[1] / 1e6:.0f} megapixels): "
            f"more than the limit of {MAX_PIXELS / 1e6:.0f} megapixels",
        )
    if min(size) < MIN_SIDE:
        raise PhotoUnreadableError(
            name, f"{size[0]}x{size[1]} pixels: too small to describe, at least {MIN_SIDE}x{MIN_SIDE} needed"
        )
    tags, problem = _read_exif(kind, stream, image)
    # Pillow turns a TIFF upright as it decodes, and libheif a HEIC by the container's own rotation.
    upright = kind in ("TIFF", "HEIC") or tags is None
    return OpenedPhoto(name, kind, image, 1 if upright or tags is None else tags.orientation, tags, problem)


def describe_fault(error: BaseException) -> str:
    """A decoder's exception in words: its text, or its type where it has none."""
    return str(error) or type(error).__name__


def _sniff(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    return "HEIC" if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS else None


def _not_a_photo(head: bytes) -> str:
    lower = head.lower()
    found = next((words for magic, words in _OTHER_FORMATS.items() if lower.startswith(magic)), None)
    if head[4:12] == b"ftypavif":
        found = "an AVIF"
    elif found is None and b"".join(head.split()).decode("latin-1").isprintable():
        found = "text"
    return f"not a photo{f' but {found}' if found else ''}: expected JPEG, PNG, WebP, TIFF or HEIC"


def _open_as(kind: str, stream: BinaryIO) -> ImageFile.ImageFile:
    if kind == "HEIC":
        # A library of 20 MB: only for those who have such photos.
        from pillow_heif import HeifImageFile

        heic: ImageFile.ImageFile = HeifImageFile(stream)  # type: ignore[no-untyped-call]
        return heic
    opener: Callable[[BinaryIO], ImageFile.ImageFile] = {
        "JPEG": _JpegFile,
        "PNG": PngImagePlugin.PngImageFile,
        "WebP": WebPImagePlugin.WebPImageFile,
        "TIFF": _TiffFile,
    }[kind]
    return opener(stream)


def _read_exif(kind: str, stream: BinaryIO, image: ImageFile.ImageFile) -> tuple[ExifTags | None, str | None]:
    """The tags, or ``None`` and why there are none."""
    try:
        if kind == "TIFF":
            return _restoring(stream), None
        block = image.info.get("exif")
        if block is None and kind == "PNG":
            block = _late_png_exif(stream)
        if not block:
            return None, "no EXIF"
        # Some writers repeat the prefix.
        return parse_exif(io.BytesIO(block.removeprefix(b"Exif\x00\x00").removeprefix(b"Exif\x00\x00"))), None
    except (MalformedExifError, OSError, OverflowError) as error:
        return None, f"EXIF is malformed: {describe_fault(error)}"


def _restoring(stream: BinaryIO) -> ExifTags:
    # Pillow reads on from where it left the file.
    place = stream.tell()
    try:
        return parse_exif(stream)
    finally:
        stream.seek(place)


def _late_png_exif(stream: BinaryIO) -> bytes | None:
    """The eXIf chunk where it stands behind the pixels, as the format allows: found without decoding them."""
    place = stream.tell()
    try:
        stream.seek(8)
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">L4s", head)
            if kind == b"eXIf":
                return stream.read(length)
            if kind == b"IEND":
                return None
            stream.seek(length + 4, io.SEEK_CUR)
        return None
    finally:
        stream.seek(place)
