"""How much faster, and in how much less memory, a 12-megapixel JPEG is read by scaled decode than in full.

Both ways read the same drawn photo from memory to 480 x 640 pixels, one thread, each in a process of its own.
Prints JSON: medians of the times, and the peak memory above what importing took.
Run: ``python benchmarks/photo_reading.py [--repeats N]``.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from environment import RESULTS, environment, write_result
from landfall.photos.containers import open_photo
from landfall.photos.decoding import decode

PHOTO_SIZE = (4000, 3000)
MODEL_SIZE = (640, 480)


def draw_photo() -> bytes:
    """A JPEG of smooth shapes, edges and sensor noise, about 0.4 byte a pixel as phones write them."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (94, 125, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize(PHOTO_SIZE, Image.Resampling.BICUBIC)).astype(np.int16)
    pixels[::37] -= 60
    pixels[:, ::53] += 60
    pixels += rng.integers(-8, 9, (*pixels.shape[:2], 1), dtype=np.int16)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def read_in_full(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB").resize(MODEL_SIZE, Image.Resampling.BILINEAR))


def read_scaled(data: bytes) -> NDArray[np.uint8]:
    return np.array(decode(open_photo(io.BytesIO(data), "drawn.jpg"), MODEL_SIZE, "bilinear"))


def measure(read: Callable[[bytes], NDArray[np.uint8]], data: bytes, repeats: int) -> dict[str, float]:
    """Median milliseconds, and the peak memory of this process above what it held before reading."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        read(data)
        seconds.append(time.perf_counter() - start)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    return {"median_ms": round(1e3 * statistics.median(seconds), 1), "peak_mb": round(peak_kb / 1024, 1)}


def psnr_db(data: bytes) -> float:
    error = np.mean((read_in_full(data).astype(np.float64) - read_scaled(data)) ** 2)
    return round(float(10 * np.log10(255**2 / error)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Scaled decode against full decode of a 12-megapixel JPEG.")
    parser.add_argument("--repeats", type=int, default=15)
    repeats: int = parser.parse_args().repeats
    # Drawing has a process of its own, too: a child's peak memory starts from what its parent holds.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        data = pool.apply(draw_photo)
        full = pool.apply(measure, (read_in_full, data, repeats))
        scaled = pool.apply(measure, (read_scaled, data, repeats))
        similarity_db = pool.apply(psnr_db, (data,))
    result = {
        "photo_pixels": list(PHOTO_SIZE),
        "photo_bytes": len(data),
        "model_pixels": list(MODEL_SIZE),
        "full": full,
        "scaled": scaled,
        "speedup": round(full["median_ms"] / scaled["median_ms"], 2),
        "psnr_db": similarity_db,
        "repeats": repeats,
        "environment": environment("pillow", "numpy"),
    }
    write_result(result, RESULTS / "photo_reading.json")


if __name__ == "__main__":
    main()
