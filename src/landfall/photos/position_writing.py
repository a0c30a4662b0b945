"""Writing a position into a photo that is there already, without decoding it.

The EXIF block is edited as bytes (``exif_editing``) inside the file's own structure (``exif_blocks``): the
compressed pixels and all other metadata are copied as they are. XMP is not touched, a position in it neither
read nor written.
"""

from __future__ import annotations

import io
import os
import shutil
from os import PathLike
from pathlib import Path

from landfall.errors import PhotoError
from landfall.files import written_beside
from landfall.geo import LatLon
from landfall.photos.containers import open_photo, read_file
from landfall.photos.exif import MalformedExifError
from landfall.photos.exif_blocks import EDITORS, UneditableError
from landfall.photos.exif_editing import with_position
from landfall.photos.metadata import metadata_of

# What is read back may differ by this much: a centimetre.
_TOLERANCE_DEG = 1e-7


def write_position(
    source: str | PathLike[str],
    target: str | PathLike[str],
    location: LatLon,
    *,
    radius_m: float | None = None,
    altitude_m: float | None = None,
    overwrite: bool = False,
) -> bool:
    """Write a photo with a position in its EXIF: JPEG, PNG, WebP or TIFF.

    The pixels are those of ``source`` to the bit, and every tag that was there reads as before, but for the
    GPS tags that are replaced (see ``exif_editing.with_position``). Permissions and the time of modification
    are those of ``source``: viewers order photos by it, and a backup sees by its size that the file changed.
    The file is written beside its place and renamed: a killed run leaves the old file or the new one.

    Args:
        source: the photo.
        target: the file to be, whose folder must be there; ``source`` itself to edit it in place.
        location: to 3e-9 degrees, 0.3 mm; on WGS84.
        radius_m: written as the horizontal positioning error.
        altitude_m: metres above sea level.
        overwrite: replace a position that the photo has.

    Returns:
        False, and ``target`` is not touched, where the photo has a position and ``overwrite`` is not set.

    Raises:
        PhotoError: the photo can't be read, its format or its EXIF can't be edited without loss, another file
            stands at ``target``, or it can't be written.
        UsageError: a radius or altitude that is not finite.
    """
    source, target = Path(source), Path(target)
    name = str(source)
    data = read_file(source)
    with (opened := open_photo(io.BytesIO(data), name)).image:
        metadata = metadata_of(opened)
    if metadata.location is not None and not overwrite:
        return False
    if opened.format not in EDITORS:
        formats = ", ".join(EDITORS)
        raise PhotoError(name, f"a position can be written into {formats}; this is {opened.format}")
    try:
        edited = EDITORS[opened.format](
            data,
            lambda block: with_position(block, location, radius_m=radius_m, altitude_m=altitude_m),
        )
    except MalformedExifError as error:
        raise PhotoError(name, f"its EXIF is malformed ({error}) and was left as it is") from error
    except UneditableError as error:
        raise PhotoError(name, f"no position can be written: {error}") from error
    _check_reads_back(edited, name, location)
    try:
        _put(source, target, edited)
    except OSError as error:
        raise PhotoError(name, f"{target} can't be written: {error.strerror or error}") from error
    return True


def _check_reads_back(edited: bytes, name: str, location: LatLon) -> None:
    """Refuse an edit from which the position does not come back."""
    with (opened := open_photo(io.BytesIO(edited), name)).image:
        metadata = metadata_of(opened)
    found = metadata.location
    if found is None:
        raise PhotoError(name, f"no position can be written: {metadata.location_problem}")
    if max(abs(found.lat - location.lat), abs(found.lon - location.lon)) > _TOLERANCE_DEG:
        raise PhotoError(name, f"no position can be written: {location} would read as {found}")


def _put(source: Path, target: Path, edited: bytes) -> None:
    in_place = target.exists() and target.samefile(source)
    if in_place and not os.access(target, os.W_OK):
        raise PhotoError(str(source), "it is write-protected")
    if target.exists() and not in_place:
        if target.is_file() and target.read_bytes() == edited:
            return
        raise PhotoError(
            str(source), f"{target} is there already and is another file; remove it or choose another folder"
        )
    # A power failure must not cost somebody's only photo.
    with written_beside(target, durable=in_place) as working:
        working.write_bytes(edited)
        shutil.copystat(source, working)
