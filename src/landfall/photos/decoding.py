"""From an opened photo to upright RGB pixels of the size asked for."""

from __future__ import annotations

import numpy as np
from PIL import Image

from landfall.errors import PhotoUnreadableError
from landfall.photos.containers import OpenedPhoto, describe_fault
from landfall.photos.spec import Interpolation

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

# EXIF orientation -> how to turn the stored pixels upright (CIPA DC-008, 4.6.4 A, tag 274).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Orientations whose upright photo runs against the stored one (after swapping axes for 5 to 8).
_MIRRORED_X = frozenset({2, 3, 6, 7})
_MIRRORED_Y = frozenset({3, 4, 7, 8})

Box = tuple[float, float, float, float]


def decode(opened: OpenedPhoto, size: tuple[int, int] | None, interpolation: Interpolation) -> Image.Image:
    """Decode to an upright RGB image of ``size`` (width, height), or of the photo's own size.

    JPEGs are decoded at 1/2, 1/4 or 1/8 scale (inside the inverse cosine transform, which averages) where
    that is not below ``size``; what remains is an antialiased resize. Turning comes before resizing, so that
    all eight orientations of the same pixels give the same result, to the bit. No colour profile is applied.

    Raises:
        PhotoUnreadableError: truncated or broken data, pixels of an unknown kind, or too little memory.
    """
    image = opened.image
    box: Box | None = None
    try:
        if size is not None and opened.format == "JPEG":
            stored = (size[1], size[0]) if opened.orientation >= 5 else size
            drafted = image.draft(None, stored)
            box = drafted[1] if drafted else None
        image.load()
        upright = to_rgb(image)
        if opened.orientation in _TURNS:
            upright = upright.transpose(_TURNS[opened.orientation])
        if size is None or size == upright.size == opened.oriented_size:
            return upright
        # A scaled decode rounds its size up: the box leaves out what lies beyond the photo's edge.
        region = _turned_box(box, upright.size, opened.orientation) if box else None
        return upright.resize(size, _FILTERS[interpolation], region)
    except MemoryError as error:
        width, height = opened.oriented_size
        raise PhotoUnreadableError(
            opened.name, f"too little memory to decode {width}x{height} pixels"
        ) from error
    except UnsupportedPixelsError as error:
        raise PhotoUnreadableError(opened.name, str(error)) from error
    except Exception as error:  # whatever a decoder throws at broken data
        reason = f"truncated or broken {opened.format} data: {describe_fault(error)}"
        raise PhotoUnreadableError(opened.name, reason) from error


class UnsupportedPixelsError(ValueError):
    """Pixels that have no agreed way to become 8-bit RGB."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn any kind of pixels into RGB.

    Transparent photos are laid on white, as viewers do: beneath full transparency the stored colour is
    arbitrary, often black or left over from editing, and must not be seen. 16-bit grey is scaled by
    255/65535, not clipped.

    Raises:
        UnsupportedPixelsError: 32-bit integer or floating-point pixels, whose white level is not stated.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((grey * 255 + 32767) // 65535).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise UnsupportedPixelsError(
            f"32-bit pixels (Pillow's mode {image.mode}): expected 8 or 16 bits a channel; "
            "convert the photo first"
        )
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(layered, mask=layered.getchannel("A"))
    return ground


def _turned_box(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """Where ``box`` of the stored image lies once that is upright with ``size`` (width, height)."""
    left, top, right, bottom = (box[1], box[0], box[3], box[2]) if orientation >= 5 else box
    width, height = size
    if orientation in _MIRRORED_X:
        left, right = width - right, width - left
    if orientation in _MIRRORED_Y:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom
