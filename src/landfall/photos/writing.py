"""Writing photos: JPEGs that carry their position, and thumbnails."""

from __future__ import annotations

import io
import math
from datetime import datetime
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from landfall.errors import UsageError
from landfall.files import hash_bytes, write_bytes
from landfall.geo import LatLon
from landfall.photos.containers import open_photo, read_file
from landfall.photos.decoding import decode
from landfall.photos.gps import split_degrees


def write_jpeg(
    path: str | PathLike[str],
    pixels: NDArray[np.uint8],
    *,
    location: LatLon | None = None,
    altitude_m: float | None = None,
    heading_deg: float | None = None,
    taken_at: datetime | None = None,
    quality: int = 90,
) -> None:
    """Write a JPEG with its position as EXIF; the same arguments give the same bytes.

    The file is written beside its place and renamed: a killed run leaves no half photo under the name.

    Args:
        path: the file; its folder must be there.
        pixels: (H, W, 3) uint8 RGB, upright: no orientation is written.
        location: to 0.3 mm.
        altitude_m: metres above sea level, to 1 mm.
        heading_deg: degrees clockwise from true north, to 0.01.
        taken_at: written as DateTimeOriginal, with its offset from UTC if it is aware.
        quality: of the JPEG, 1 to 100.

    Raises:
        UsageError: pixels of another shape or type, or numbers that are not finite.
    """
    image = _image_of(pixels)
    exif = Image.Exif()
    gps = _gps_tags(location, altitude_m, heading_deg)
    if gps:
        exif[ExifTags.IFD.GPSInfo] = gps
    if taken_at is not None:
        exif[ExifTags.IFD.Exif] = _time_tags(taken_at)
    write_bytes(Path(path), jpeg_bytes(image, quality, exif))


def encode_thumbnail(
    photo: str | PathLike[str] | NDArray[np.uint8], *, longest_side: int = 320, quality: int = 80
) -> bytes:
    """A small upright JPEG of a photo, its shape kept; a photo that is small already keeps its size.

    Args:
        photo: a path, or (H, W, 3) uint8 RGB pixels.
        longest_side: pixels.
        quality: of the JPEG, 1 to 100.

    Raises:
        PhotoError: the photo can't be read.
        UsageError: pixels of another shape or type.
    """
    if isinstance(photo, np.ndarray):
        image = _image_of(photo)
        small = image.resize(_fit(image.size, longest_side), Image.Resampling.BILINEAR)
        return jpeg_bytes(small, quality)
    return _small_jpeg(read_file(Path(photo)), str(photo), longest_side, quality)


def hashed_thumbnail(
    path: str | PathLike[str], *, longest_side: int = 480, quality: int = 80
) -> tuple[str, bytes]:
    """Read a photo's file once: its hash, as ``content_hash`` gives it, and its ``encode_thumbnail``.

    Raises:
        PhotoError: the photo can't be read.
    """
    data = read_file(Path(path))
    return hash_bytes(data), _small_jpeg(data, str(path), longest_side, quality)


def _small_jpeg(data: bytes, name: str, longest_side: int, quality: int) -> bytes:
    opened = open_photo(io.BytesIO(data), name)
    return jpeg_bytes(decode(opened, _fit(opened.oriented_size, longest_side), "bilinear"), quality)


def _fit(size: tuple[int, int], longest_side: int) -> tuple[int, int]:
    shrink = min(1.0, longest_side / max(size))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def _image_of(pixels: NDArray[np.uint8]) -> Image.Image:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise UsageError(
            f"Pixels are {pixels.dtype} of shape {pixels.shape}: expected uint8 of shape (H, W, 3)."
        )
    return Image.fromarray(np.ascontiguousarray(pixels))


def jpeg_bytes(image: Image.Image, quality: int, exif: Image.Exif | None = None) -> bytes:
    """Return an image as a JPEG of a quality, 1 to 100, that says nothing but ``exif``."""
    buffer = io.BytesIO()
    # Pillow would put in the comment of the file that the image was read from, which is not ours to pass on.
    image.save(buffer, format="JPEG", quality=quality, exif=exif.tobytes() if exif else b"", comment=b"")
    return buffer.getvalue()


def _gps_tags(
    location: LatLon | None, altitude_m: float | None, heading_deg: float | None
) -> dict[int, object]:
    tags: dict[int, object] = {}
    if any(value is not None and not math.isfinite(value) for value in (altitude_m, heading_deg)):
        raise UsageError(
            f"Altitude is {altitude_m}, heading {heading_deg}: expected finite numbers, or None."
        )
    if location is not None:
        tags[ExifTags.GPS.GPSLatitudeRef] = "S" if location.lat < 0 else "N"
        tags[ExifTags.GPS.GPSLatitude] = _degrees_minutes_seconds(location.lat)
        tags[ExifTags.GPS.GPSLongitudeRef] = "W" if location.lon < 0 else "E"
        tags[ExifTags.GPS.GPSLongitude] = _degrees_minutes_seconds(location.lon)
    if altitude_m is not None:
        tags[ExifTags.GPS.GPSAltitudeRef] = b"\x01" if altitude_m < 0 else b"\x00"
        tags[ExifTags.GPS.GPSAltitude] = IFDRational(round(abs(altitude_m) * 1000), 1000)
    if heading_deg is not None:
        tags[ExifTags.GPS.GPSImgDirectionRef] = "T"
        tags[ExifTags.GPS.GPSImgDirection] = IFDRational(round(heading_deg % 360.0 * 100) % 36000, 100)
    if tags:
        tags[ExifTags.GPS.GPSVersionID] = b"\x02\x03\x00\x00"
    return tags


def _degrees_minutes_seconds(degrees: float) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(*pair) for pair in split_degrees(degrees))


def _time_tags(taken_at: datetime) -> dict[int, object]:
    tags: dict[int, object] = {ExifTags.Base.DateTimeOriginal: taken_at.strftime("%Y:%m:%d %H:%M:%S")}
    offset = taken_at.utcoffset()
    if offset is not None:
        minutes = round(offset.total_seconds() / 60)
        tags[ExifTags.Base.OffsetTimeOriginal] = (
            f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
        )
    return tags
