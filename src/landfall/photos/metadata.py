"""What a photo's header says: size, position, height, heading, time. Nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Literal

from landfall.geo import LatLon
from landfall.photos.containers import OpenedPhoto, open_file, open_photo
from landfall.photos.exif import DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL
from landfall.photos.gps import (
    read_altitude_m,
    read_camera_time,
    read_gps_time,
    read_heading_deg,
    read_location,
)


@dataclass(frozen=True)
class PhotoMetadata:
    """What a photo says of itself.

    Args:
        width, height: pixels of the upright photo.
        location: where it was taken; never a guess, never 0,0.
        location_problem: why there is no location, in words; ``None`` where there is one.
        altitude_m: metres above sea level, negative below.
        heading_deg: where the camera looked, degrees clockwise in [0, 360).
        heading_ref: whether from true ("T") or magnetic ("M") north, where the photo says so.
        taken_at: aware where the photo knows its zone (GPS time, or an offset), else the camera's own clock.
    """

    width: int
    height: int
    location: LatLon | None = None
    location_problem: str | None = None
    altitude_m: float | None = None
    heading_deg: float | None = None
    heading_ref: Literal["T", "M"] | None = None
    taken_at: datetime | None = None


def read_metadata(path: str | PathLike[str]) -> PhotoMetadata:
    """Read a photo's header; a photo whose EXIF is broken is still a photo, without a position.

    Raises:
        PhotoUnreadableError: missing, empty, not a photo, too small, or its header is broken.
        PhotoTooLargeError: more than MAX_PIXELS or MAX_FILE_BYTES.
    """
    with open_file(Path(path)) as stream, (opened := open_photo(stream, str(path))).image:
        return metadata_of(opened)


def metadata_of(opened: OpenedPhoto) -> PhotoMetadata:
    """Gather the metadata of a photo that is already open."""
    width, height = opened.oriented_size
    tags = opened.tags
    if tags is None:
        return PhotoMetadata(width, height, location_problem=opened.exif_problem)
    location, problem = read_location(tags.gps)
    if tags.gps_problem is not None:
        problem = f"EXIF is malformed: {tags.gps_problem}"
    heading_deg, heading_ref = read_heading_deg(tags.gps)
    return PhotoMetadata(
        width,
        height,
        location,
        problem,
        read_altitude_m(tags.gps),
        heading_deg,
        heading_ref,
        read_gps_time(tags.gps)
        or read_camera_time(tags.exif.get(DATE_TIME_ORIGINAL), tags.exif.get(OFFSET_TIME_ORIGINAL)),
    )
