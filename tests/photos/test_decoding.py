from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from landfall.errors import PhotoUnreadableError, UsageError
from landfall.photos import InputSpec, Interpolation, content_hash, load_photo
from landfall.photos.containers import open_photo
from landfall.photos.decoding import decode

Draw = Callable[[int, int], NDArray[np.uint8]]
Save = Callable[..., Path]
OWN_SIZE = InputSpec(None, None)

# How to store an upright picture so that the orientation tag turns it back: the inverse of the tag's turn.
STORE: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),  # the tag turns clockwise
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


def oriented(pixels: NDArray[np.uint8], orientation: int) -> tuple[Image.Image, Image.Exif]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return Image.fromarray(np.ascontiguousarray(STORE[orientation](pixels))), exif


def psnr_db(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
@pytest.mark.parametrize("spec", [OWN_SIZE, InputSpec(37, 53), InputSpec(150, 200, "bicubic")])
def test_all_orientations_of_a_lossless_photo_give_the_same_pixels(
    draw: Draw, save: Save, orientation: int, suffix: str, spec: InputSpec
) -> None:
    upright = draw(90, 120)
    image, exif = oriented(upright, orientation)
    options = {"lossless": True} if suffix == "webp" else {}
    loaded = load_photo(save(f"a.{suffix}", image, exif=exif, **options), spec)
    expected = load_photo(save("upright.png", upright), spec).pixels
    np.testing.assert_array_equal(loaded.pixels, expected)
    assert (loaded.metadata.width, loaded.metadata.height) == (120, 90)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_of_a_jpeg_decoded_at_a_scale(draw: Draw, save: Save, orientation: int) -> None:
    # 803 x 605 is no multiple of 8: the scaled decode pads, on another edge for each orientation.
    upright = draw(605, 803)
    image, exif = oriented(upright, orientation)
    path = save("a.jpg", image, exif=exif, quality=95, subsampling=0)
    loaded = load_photo(path, InputSpec(75, 100))
    expected = np.asarray(Image.fromarray(upright).resize((100, 75), Image.Resampling.BILINEAR))
    # Against the drawing itself; a turn or a shift by a pixel costs 15 dB and more.
    assert psnr_db(loaded.pixels, expected) > 38


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_once(draw: Draw, tmp_path: Path, orientation: int) -> None:
    heif = pytest.importorskip("pillow_heif")
    upright = draw(96, 128)
    image, exif = oriented(upright, orientation)
    path = tmp_path / "a.heic"
    heif.from_pillow(image).save(path, quality=95, exif=exif.tobytes())
    loaded = load_photo(path, OWN_SIZE)
    assert loaded.pixels.shape == (96, 128, 3)
    assert psnr_db(loaded.pixels, upright) > 30


def test_orientation_agrees_with_pillows_own(draw: Draw, save: Save) -> None:
    for orientation in range(1, 9):
        image = Image.fromarray(draw(40, 60))
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = save("a.png", image, exif=exif)
        with Image.open(path) as opened:
            expected = np.asarray(ImageOps.exif_transpose(opened))
        np.testing.assert_array_equal(load_photo(path, OWN_SIZE).pixels, expected)


@pytest.fixture(scope="module")
def large_jpeg(draw: Draw) -> bytes:
    """A drawn 12-megapixel photo with noise, as sensors have it."""
    pixels = draw(3000, 4000).astype(np.int16)
    pixels += np.random.default_rng(0).integers(-12, 13, (3000, 4000, 1), dtype=np.int16)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("size", "decoded"),
    [
        ((640, 480), (1000, 750)),
        ((500, 375), (500, 375)),
        ((501, 375), (1000, 750)),
        ((2001, 10), (4000, 3000)),
    ],
)
def test_scaled_decode_is_near_the_full_one_and_never_below_the_size(
    large_jpeg: bytes, size: tuple[int, int], decoded: tuple[int, int], interpolation: Interpolation
) -> None:
    opened = open_photo(io.BytesIO(large_jpeg), "a.jpg")
    small = np.asarray(decode(opened, size, interpolation))
    assert opened.image.size == decoded
    with Image.open(io.BytesIO(large_jpeg)) as image:
        full = np.asarray(image.resize(size, Image.Resampling[interpolation.upper()]))
    # 38 dB: an RMS difference of 3.2 grey levels, no more than the JPEG's own loss at quality 90.
    assert psnr_db(small, full) > 38


def test_swapped_axes_choose_the_scale_by_the_upright_size(draw: Draw, save: Save) -> None:
    image, exif = oriented(draw(800, 400), 6)  # stored 800 wide and 400 high
    opened = open_photo(io.BytesIO(save("a.jpg", image, exif=exif).read_bytes()), "a.jpg")
    # Half size (upright 200 x 400) is enough; by the stored axes it would seem too low.
    assert decode(opened, (200, 400), "bilinear").size == (200, 400)
    assert opened.image.size == (400, 200)


def test_grey_grey_with_alpha_and_sixteen_bit_are_scaled_not_clipped(draw: Draw, save: Save) -> None:
    grey = draw(40, 60)[..., 0]
    expected = np.repeat(grey[..., None], 3, axis=2)
    alpha = np.full_like(grey, 255)
    for name, picture in {
        "l.png": Image.fromarray(grey),
        "la.png": Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]),
        # 257 * g is g / 255 of full scale, exactly.
        "i16.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "i16.tif": Image.fromarray(grey.astype(np.uint16) * 257),
    }.items():
        np.testing.assert_array_equal(
            load_photo(save(name, picture), OWN_SIZE).pixels, expected, err_msg=name
        )


def test_big_endian_sixteen_bit_tiff(draw: Draw, tmp_path: Path) -> None:
    grey = draw(40, 60)[..., 0]
    data = (grey.astype(">u2") * 257).astype(">u2").tobytes()
    tags = [
        (256, 60),
        (257, 40),
        (258, 16),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 40),
        (279, len(data)),
    ]
    entries = b"".join(struct.pack(">HHLL", tag, 4, 1, value) for tag, value in tags)
    path = tmp_path / "a.tif"
    path.write_bytes(
        b"MM\0*" + struct.pack(">L", 8 + len(data)) + data + struct.pack(">H", len(tags)) + entries + bytes(4)
    )
    np.testing.assert_array_equal(load_photo(path, OWN_SIZE).pixels[..., 1], grey)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_what_is_transparent_is_white(save: Save, mode: str) -> None:
    left = Image.new("RGBA", (20, 20), (100, 100, 100, 255))
    picture = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    picture.paste(left, (0, 0))
    options = {}
    if mode == "P":
        picture = Image.new("P", (40, 20), 1)
        picture.putpalette([100, 100, 100, 0, 0, 0])
        picture.paste(0, (0, 0, 20, 20))
        options = {"transparency": 1}
    elif mode == "LA":
        picture = picture.convert("LA")
    elif mode == "PA":
        picture = picture.quantize(4)  # a palette whose entries carry their own transparency
    pixels = load_photo(save("a.png", picture, **options), OWN_SIZE).pixels
    assert (pixels[:, :20] == 100).all()
    assert (pixels[:, 20:] == 255).all()


def test_rgb_with_a_transparent_colour(save: Save) -> None:
    picture = Image.new("RGB", (40, 20), (0, 0, 0))
    picture.paste((10, 20, 30), (0, 0, 20, 20))
    pixels = load_photo(save("a.png", picture, transparency=(0, 0, 0)), OWN_SIZE).pixels
    assert (pixels[:, :20] == (10, 20, 30)).all()
    assert (pixels[:, 20:] == 255).all()


def test_cmyk_keeps_its_colours(draw: Draw, save: Save) -> None:
    picture = Image.new("RGB", (64, 32), (255, 0, 0))
    picture.paste((255, 255, 255), (32, 0, 64, 32))
    # Pillow writes CMYK JPEGs inverted and with Adobe's marker, as image editors do.
    path = save("a.jpg", picture.convert("CMYK"), quality=95)
    assert b"Adobe" in path.read_bytes()
    pixels = load_photo(path, OWN_SIZE).pixels.astype(int)
    assert np.abs(pixels[:, :24] - (255, 0, 0)).max() < 12
    assert np.abs(pixels[:, 40:] - 255).max() < 12


def test_floating_point_pixels_are_refused_with_a_reason(save: Save) -> None:
    path = save("a.tif", Image.new("F", (32, 32), 0.5))
    with pytest.raises(PhotoUnreadableError, match=r"32-bit pixels.*expected 8 or 16 bits") as caught:
        load_photo(path, OWN_SIZE)
    assert caught.value.photo == str(path)


def test_the_first_frame_of_an_animation(save: Save) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    for name in ("a.webp", "a.tif", "a.png"):
        path = save(name, frames[0], save_all=True, append_images=frames[1:])
        red, green, blue = load_photo(path, OWN_SIZE).pixels[16, 16]
        assert red > 240, name
        assert max(green, blue) < 15, name


def test_a_wrong_ending_does_not_matter(draw: Draw, save: Save) -> None:
    path = save("a.png", draw(40, 60))
    renamed = path.rename(path.with_name("a.jpg"))
    np.testing.assert_array_equal(load_photo(renamed, OWN_SIZE).pixels, draw(40, 60))


def test_the_hash_is_blake2b_of_the_bytes_read_once(
    draw: Draw, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("a.jpg", draw(40, 60))
    expected = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    assert content_hash(path) == expected
    opened: list[Path] = []
    original = Path.open

    def counting(self: Path, mode: str) -> object:
        opened.append(self)
        return original(self, mode)

    monkeypatch.setattr(Path, "open", counting)
    assert load_photo(path, InputSpec()).content_hash == expected
    assert opened == [path]


def test_four_threads_read_the_pixels_that_one_reads(draw: Draw, save: Save) -> None:
    paths = [
        save(f"{number}.{suffix}", np.roll(draw(300, 400), 10 * number, axis=1))
        for number in range(6)
        for suffix in ("jpg", "png", "webp", "tif")
    ]
    spec = InputSpec(60, 80)
    serial = [load_photo(path, spec) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda path: load_photo(path, spec), paths * 2))
    for one, other in zip(serial * 2, threaded, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert (one.metadata, one.content_hash) == (other.metadata, other.content_hash)


def test_pixels_are_writable_and_contiguous(draw: Draw, save: Save) -> None:
    pixels = load_photo(save("a.png", draw(40, 60)), InputSpec(20, 30)).pixels
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable


@pytest.mark.parametrize("size", [(480, None), (None, 640), (0, 640), (480, -1)])
def test_impossible_specs(size: tuple[int | None, int | None]) -> None:
    with pytest.raises(UsageError, match="input size"):
        InputSpec(*size)
