"""Photos that say nothing of their owners any more: the same pixels, the same way up, and no word else."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from landfall.errors import PhotoError
from landfall.photos import InputSpec, load_photo, strip_metadata

SECRETS = (b"Exif-secret", b"xmp-secret", b"comment-secret", b"iptc-secret", b"behind-secret", b"text-secret")
AS_IT_IS = InputSpec(None, None)


def photo(kind: str, orientation: int = 1) -> bytes:
    """Return a photo (48, 64) that tells its secrets in every way that its format has."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (6, 8, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "Exif-secret"
    if kind != "TIFF":
        exif[0x8825] = {1: "N", 2: (52.0, 0.0, 0.0), 3: "E", 4: (0.5, 0.0, 0.0)}
    buffer = io.BytesIO()
    if kind == "JPEG":
        image.save(buffer, kind, exif=exif, xmp=b"xmp-secret", comment=b"comment-secret", progressive=True)
        data = buffer.getvalue()
        iptc = b"\xff\xed" + (2 + 11).to_bytes(2, "big") + b"iptc-secret"
        return data[:2] + iptc + data[2:] + b"behind-secret"
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", "text-secret")
        text.add_itxt("XML:com.adobe.xmp", "xmp-secret")
        image.save(buffer, kind, exif=exif, pnginfo=text)
        return buffer.getvalue() + b"behind-secret"
    if kind == "WebP":
        image.save(buffer, kind, exif=exif, xmp=b"xmp-secret", lossless=True)
        return buffer.getvalue() + b"behind-secret"
    image.save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WebP", ".webp")])
def test_nothing_is_left_but_the_pixels(kind: str, suffix: str, orientation: int, tmp_path: Path) -> None:
    data = photo(kind, orientation)
    assert sum(secret in data for secret in SECRETS) >= 3
    stripped, found = strip_metadata(data, "a")
    assert found == suffix
    assert not [secret for secret in SECRETS if secret in stripped]
    (tmp_path / "before").write_bytes(data)
    (tmp_path / "after").write_bytes(stripped)
    before, after = (load_photo(tmp_path / name, AS_IT_IS) for name in ("before", "after"))
    np.testing.assert_array_equal(after.pixels, before.pixels)
    assert before.metadata.location is not None
    assert after.metadata.location is None
    # Once is enough: a photo sent twice is the same photo.
    assert strip_metadata(stripped, "a")[0] == stripped


def test_a_tiff_becomes_a_jpeg_that_stands_upright(tmp_path: Path) -> None:
    data = photo("TIFF", 6)
    stripped, suffix = strip_metadata(data, "a")
    assert suffix == ".jpg"
    assert not [secret for secret in SECRETS if secret in stripped]
    (tmp_path / "before").write_bytes(data)
    (tmp_path / "after").write_bytes(stripped)
    before, after = (load_photo(tmp_path / name, AS_IT_IS) for name in ("before", "after"))
    assert after.pixels.shape == before.pixels.shape == (64, 48, 3)
    assert np.abs(after.pixels.astype(int) - before.pixels).mean() < 10


@given(st.sampled_from(["JPEG", "PNG", "WebP"]), st.integers(0, 2000), st.binary(max_size=4))
def test_broken_photos_give_a_photo_or_a_reason(kind: str, at: int, junk: bytes) -> None:
    data = photo(kind)
    at = min(at, len(data))
    broken = data[:at] + junk + data[at + len(junk) :] if junk else data[:at]
    with suppress(PhotoError):
        assert len(strip_metadata(broken, "a.jpg")[0]) <= len(broken)
