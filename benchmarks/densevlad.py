"""How fast DenseVLAD describes photos, and its dense RootSIFT against OpenCV's SIFT on the same grid.

Every photo is drawn, 240 x 320. Both sides of the comparison describe the same grid (cells of 4 pixels, a
descriptor every 4 pixels, one scale) on one thread, and take turns; times are CPU time of the process, so
that other programs on the machine weigh less. Photos a second on one and two threads are by the clock, as
users see them, and therefore only right on an idle machine; the cores that the run got are beside them.
Prints JSON and writes it to ``results/densevlad.json``.
Run: ``python benchmarks/densevlad.py [--rounds N]``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from environment import RESULTS, environment, write_result
from landfall.models.dense_sift import DenseSift, as_tensor, dense_root_sift
from landfall.models.densevlad import DenseVLAD
from landfall.models.threads import map_in_threads

HEIGHT, WIDTH = 240, 320


def draw_photo(seed: int) -> NDArray[np.uint8]:
    """Overlapping rectangles with sensor noise: edges and texture at every place."""
    rng = np.random.default_rng(seed)
    photo = np.full((HEIGHT, WIDTH, 3), 128, np.int16)
    for _ in range(150):
        top, left = rng.integers(0, HEIGHT - 8), rng.integers(0, WIDTH - 8)
        photo[top : top + rng.integers(4, 80), left : left + rng.integers(4, 80)] = rng.integers(0, 256, 3)
    return (photo + rng.integers(-6, 7, photo.shape)).clip(0, 255).astype(np.uint8)


def opencv_root_sift(photo: NDArray[np.uint8], sift: DenseSift) -> NDArray[np.float32]:
    """RootSIFT of OpenCV at the same grid points; its cells are 1.5 times a keypoint's size."""
    first, cell = 1.5 + 1.5 * sift.cell_px, sift.cell_px
    keypoints = [
        cv2.KeyPoint(x, y, cell / 1.5, 0, 1, 0)
        for y in np.arange(first, HEIGHT - first, sift.step_px)
        for x in np.arange(first, WIDTH - first, sift.step_px)
    ]
    _, found = cv2.SIFT.create().compute(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), keypoints)
    return np.asarray(np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12)), np.float32)


def our_root_sift(photo: NDArray[np.uint8], sift: DenseSift) -> NDArray[np.float32]:
    with torch.inference_mode():
        return np.asarray(torch.cat(list(dense_root_sift(as_tensor(photo), sift))))


def cpu_ms(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return 1e3 * (time.process_time() - start)


def describe_in_threads(model: DenseVLAD, photos: list[NDArray[np.uint8]], workers: int) -> dict[str, float]:
    """Describe one photo a call, in a stated number of threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in map_in_threads(lambda photo: model.describe(photo[None]), photos, workers=workers):
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "photos_per_s": round(len(photos) / wall, 1),
        "cpu_ms_per_photo": round(1e3 * cpu / len(photos), 1),
        "cores_in_use": round(cpu / wall, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="DenseVLAD's speed, and its dense SIFT against OpenCV's.")
    parser.add_argument("--rounds", type=int, default=9)
    rounds: int = parser.parse_args().rounds
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = [draw_photo(seed) for seed in range(48)]
    one_scale = DenseSift(scales=(1.0,), least_contrast=0.0)

    ours, theirs = [], []
    for photo in photos[: rounds + 1]:
        ours.append(cpu_ms(lambda photo=photo: our_root_sift(photo, one_scale)))  # type: ignore[misc]
        theirs.append(cpu_ms(lambda photo=photo: opencv_root_sift(photo, one_scale)))  # type: ignore[misc]
    ratios = [theirs[i] / ours[i] for i in range(1, rounds + 1)]  # the first warms up

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.png" for number in range(len(photos))]
        for path, photo in zip(paths, photos, strict=True):
            Image.fromarray(photo).save(path)
        fit_cpu_ms = cpu_ms(lambda: DenseVLAD.fit(paths, workers=1))
        model = DenseVLAD.fit(paths)
    batch = np.stack(photos[:16])
    described = [cpu_ms(lambda: model.describe(batch)) / len(batch) for _ in range(rounds)]
    result = {
        "photo_pixels": [HEIGHT, WIDTH],
        "dense_root_sift": {
            "descriptors": len(our_root_sift(photos[0], one_scale)),
            "opencv_descriptors": len(opencv_root_sift(photos[0], one_scale)),
            "cpu_ms": round(statistics.median(ours[1:]), 2),
            "opencv_cpu_ms": round(statistics.median(theirs[1:]), 2),
            "speedup": round(statistics.median(ratios), 1),
        },
        "describe_cpu_ms_per_photo": round(statistics.median(described), 1),
        "fit_cpu_s": {"photos": len(photos), "seconds": round(fit_cpu_ms / 1e3, 2)},
        "threads": {str(n): describe_in_threads(model, photos, n) for n in (1, 2)},
        "rounds": rounds,
        "environment": environment("torch", "opencv-python-headless", "numpy"),
    }
    write_result(result, RESULTS / "densevlad.json")


if __name__ == "__main__":
    main()
