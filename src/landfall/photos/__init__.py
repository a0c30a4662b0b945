"""Reading a photo: finding it, its header, its pixels; and writing one.

What belongs here turns files into upright RGB pixels and trustworthy positions, with Pillow and numpy alone
(no torch). ``load_photo`` is the one way in which training, command line and service read pixels, so that
they can't disagree.
One file a step: ``finding``, ``containers`` (formats and limits), ``exif`` and ``gps`` (tags), ``metadata``,
``decoding``, ``reading``, ``writing``, ``thumbnails``; ``position_writing`` puts a position into a photo that
is there (``gps_entries``, ``exif_editing``, ``exif_blocks``), and ``stripping`` takes out what a photo says.
"""

from __future__ import annotations

from landfall.photos.containers import MAX_FILE_BYTES, MAX_PIXELS, MIN_SIDE
from landfall.photos.finding import PHOTO_SUFFIXES, FoundPhotos, PhotoProblem, find_photos
from landfall.photos.metadata import PhotoMetadata, read_metadata
from landfall.photos.position_writing import write_position
from landfall.photos.reading import LoadedPhoto, content_hash, load_photo
from landfall.photos.spec import InputSpec, Interpolation
from landfall.photos.stripping import strip_metadata
from landfall.photos.thumbnails import thumbnail_reader
from landfall.photos.writing import encode_thumbnail, hashed_thumbnail, write_jpeg

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "PHOTO_SUFFIXES",
    "FoundPhotos",
    "InputSpec",
    "Interpolation",
    "LoadedPhoto",
    "PhotoMetadata",
    "PhotoProblem",
    "content_hash",
    "encode_thumbnail",
    "find_photos",
    "hashed_thumbnail",
    "load_photo",
    "read_metadata",
    "strip_metadata",
    "thumbnail_reader",
    "write_jpeg",
    "write_position",
]
