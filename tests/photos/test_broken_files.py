"""Files that are no photos, or not any more: each is named, with a reason that its owner understands."""

from __future__ import annotations

import contextlib
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import PhotoError, PhotoTooLargeError, PhotoUnreadableError
from landfall.photos import MAX_PIXELS, InputSpec, containers, content_hash, load_photo, read_metadata
from landfall.photos import decoding as decoding_module

Draw = Callable[[int, int], NDArray[np.uint8]]
Save = Callable[..., Path]
SPEC = InputSpec(48, 64)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims any size and holds one compressed byte."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def reasons(path: Path) -> list[str]:
    """The reason that each way of reading gives; both must name the photo."""
    found = []
    for read in (read_metadata, lambda photo: load_photo(photo, SPEC)):
        with pytest.raises(PhotoError) as caught:
            read(path)
        assert caught.value.photo == str(path)
        found.append(caught.value.reason)
    return found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file (0 bytes)"),
        (b"shopping list:\neggs\n", "not a photo but text: expected JPEG, PNG, WebP, TIFF or HEIC"),
        (b"GIF89a" + bytes(99), "not a photo but a GIF: expected JPEG, PNG, WebP, TIFF or HEIC"),
        (b"<!DOCTYPE html><html>", "not a photo but a web page: expected JPEG, PNG, WebP, TIFF or HEIC"),
        (bytes(range(1, 200)), "not a photo: expected JPEG, PNG, WebP, TIFF or HEIC"),
        (
            b"\0\0\0\x20ftypavif" + bytes(99),
            "not a photo but an AVIF: expected JPEG, PNG, WebP, TIFF or HEIC",
        ),
    ],
)
def test_files_that_are_no_photo(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "Foto mit Umlaut ä.jpg"
    path.write_bytes(content)
    assert reasons(path) == [reason, reason]


def test_missing_folder_pipe_and_impossible_paths(tmp_path: Path) -> None:
    assert set(reasons(tmp_path / "a.jpg")) == {"no such file"}
    assert set(reasons(tmp_path)) == {"a folder, not a photo"}
    os.mkfifo(tmp_path / "pipe.jpg")
    assert set(reasons(tmp_path / "pipe.jpg")) == {"not a regular file"}
    assert set(reasons(tmp_path / "a\0.jpg")) == {"can't be read: embedded null byte"}
    with pytest.raises(PhotoUnreadableError, match="no such file"):
        content_hash(tmp_path / "a.jpg")


def test_no_permission(draw: Draw, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save("a.jpg", draw(48, 64))

    def refuse(self: Path, *args: str) -> object:
        raise PermissionError(13, "Permission denied", str(self))

    # Injected, for root may read every file.
    monkeypatch.setattr(Path, "open", refuse)
    assert set(reasons(path)) == {"permission denied"}


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_whose_reading_fails(tmp_path: Path) -> None:
    # It opens; reading its first bytes is an error of the system, as on a failing disk.
    (tmp_path / "a.jpg").symlink_to("/proc/self/mem")
    assert set(reasons(tmp_path / "a.jpg")) == {"can't be read: Input/output error"}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "heic"])
def test_a_truncated_photo_is_refused_wherever_it_is_cut(
    draw: Draw, save: Save, tmp_path: Path, suffix: str
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    path = tmp_path / f"a.{suffix}"
    if suffix == "heic":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(noise)).save(path, quality=80)
    else:
        save(path.name, noise)
    whole = path.read_bytes()
    for share in (0.02, 0.5, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(PhotoUnreadableError, match=r"truncated|broken|not a photo"):
            load_photo(path, SPEC)


def test_a_truncated_jpeg_says_so(draw: Draw, save: Save) -> None:
    path = save("a.jpg", draw(300, 400))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(PhotoUnreadableError, match=r"a\.jpg: truncated or broken JPEG data: image file is"):
        load_photo(path, SPEC)


def test_too_small(save: Save) -> None:
    one = save("one.png", Image.new("RGB", (1, 1)))
    assert set(reasons(one)) == {"1x1 pixels: too small to describe, at least 16x16 needed"}
    assert set(reasons(save("flat.png", Image.new("RGB", (400, 15))))) == {
        "400x15 pixels: too small to describe, at least 16x16 needed"
    }
    assert read_metadata(save("least.png", Image.new("RGB", (16, 16)))).width == 16


def test_a_decompression_bomb_is_refused_undecoded_by_the_stated_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(20_000, 20_000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for read in (read_metadata, lambda photo: load_photo(photo, SPEC)):
            with pytest.raises(PhotoTooLargeError) as caught:
                read(path)
            assert caught.value.reason == (
                "20000x20000 pixels (400 megapixels): more than the limit of 179 megapixels"
            )


@pytest.mark.parametrize("scale", [0.6, 1.0])
def test_up_to_the_limit_nothing_warns(tmp_path: Path, scale: float) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png_header(int(MAX_PIXELS * scale) // 10_000, 10_000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow itself warns from half the limit on
        assert read_metadata(path).height == 10_000


def test_a_large_tiff_is_decoded_without_a_warning(
    draw: Draw, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("a.tif", draw(90, 120))
    # Stands for a TIFF between Pillow's two limits, without its 500 MB.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 90 * 120 - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(load_photo(path, InputSpec(None, None)).pixels, draw(90, 120))


def test_a_file_larger_than_the_limit_is_not_read(
    draw: Draw, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("a.jpg", draw(48, 64))
    monkeypatch.setattr(containers, "MAX_FILE_BYTES", 100)
    with pytest.raises(PhotoTooLargeError, match="more than the limit"):
        load_photo(path, SPEC)


def test_too_little_memory(draw: Draw, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save("a.png", draw(48, 64))

    def exhausted(image: Image.Image) -> Image.Image:
        raise MemoryError

    monkeypatch.setattr(decoding_module, "to_rgb", exhausted)
    with pytest.raises(PhotoUnreadableError, match="too little memory to decode 64x48 pixels"):
        load_photo(path, SPEC)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_damaged_bytes_are_a_photo_or_a_photo_error(draw: Draw, save: Save, suffix: str) -> None:
    whole = save(f"a.{suffix}", draw(48, 64)).read_bytes()
    path = save(f"b.{suffix}", draw(48, 64))

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def damage(data: st.DataObject) -> None:
        block = bytearray(whole)
        # Most of what can go wrong stands in the header.
        for _ in range(data.draw(st.integers(1, 6))):
            block[data.draw(st.integers(0, min(len(block), 400) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(block)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on damaged TIFF tags
            # Any other exception fails the test.
            with contextlib.suppress(PhotoError):
                assert load_photo(path, SPEC).pixels.shape == (48, 64, 3)

    damage()
