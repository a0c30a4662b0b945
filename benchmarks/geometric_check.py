"""What the geometric check of one match costs, and its matching against OpenCV's brute force.

Drawn photos of 320 x 320 and views of them through known homographies: features once a photo, then matching
and the two-view model for each pair. Stages are CPU time on one thread, so that other programs on the
machine weigh less; the ways of matching take turns, and ratios are medians of the rounds'. Whole checks by
one and two threads are by the clock, as users see them, and therefore only right on an idle machine; the
cores that the run got are beside them. Prints JSON and writes it to ``results/geometric_check.json``.
Run: ``OMP_NUM_THREADS=1 python benchmarks/geometric_check.py [--rounds N]``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from environment import RESULTS, environment, write_result
from landfall.localization.geometry import (
    FeatureCache,
    FeatureOptions,
    Features,
    ModelOptions,
    estimate_geometry,
    extract_features,
    match_features,
    verify,
)
from landfall.localization.geometry.matching import RATIO

SIDE = 320
CANDIDATES = 20
# Numbers of features in the comparison of matching; the last is FeatureOptions' limit.
COUNTS = (500, 1000, 2000)

R = TypeVar("R")


def draw_photo(seed: int) -> NDArray[np.uint8]:
    """Overlapping rectangles with sensor noise: edges and texture at every place."""
    rng = np.random.default_rng(seed)
    photo = np.full((SIDE, SIDE, 3), 128, np.int16)
    for _ in range(220):
        top, left = rng.integers(0, SIDE - 8, 2)
        photo[top : top + rng.integers(4, 60), left : left + rng.integers(4, 60)] = rng.integers(0, 256, 3)
    return (photo + rng.integers(-6, 7, photo.shape)).clip(0, 255).astype(np.uint8)


def view_from_elsewhere(photo: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """A photo through a mild homography of its own."""
    rng = np.random.default_rng(seed)
    corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    moved = (corners + rng.uniform(-40, 40, (4, 2))).astype(np.float32)
    homography = cv2.getPerspectiveTransform(corners, moved)
    return np.asarray(cv2.warpPerspective(photo, homography, (SIDE, SIDE)), np.uint8)


def timed(function: Callable[[], R]) -> tuple[float, R]:
    """Return milliseconds of CPU time, and the result."""
    start = time.process_time()
    result = function()
    return 1e3 * (time.process_time() - start), result


def brute_force(a: Features, b: Features) -> NDArray[np.int64]:
    """The same matches by OpenCV: its cross-check, and its two nearest for the ratio test."""
    mutual = {(one.queryIdx, one.trainIdx) for one in cross_check(a, b)}
    two = cv2.BFMatcher(cv2.NORM_L2).knnMatch(a.descriptors, b.descriptors, k=2)
    passed = [one for one, other in two if one.distance < RATIO * other.distance]
    found = [(one.queryIdx, one.trainIdx) for one in passed if (one.queryIdx, one.trainIdx) in mutual]
    return np.array(found, np.int64).reshape(-1, 2)


def cross_check(a: Features, b: Features) -> list[cv2.DMatch]:
    """Mutual nearest neighbours alone, without the ratio test: less than the whole task."""
    return list(cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(a.descriptors, b.descriptors))


def random_features(count: int, seed: int) -> tuple[Features, Features]:
    """Two sets of unit rows, of which half belong together."""
    rng = np.random.default_rng(seed)
    rows = rng.random((2, count, 128)) ** 4
    rows[1, : count // 2] = np.abs(rows[0, : count // 2] + rng.normal(0, 0.05, (count // 2, 128)))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    a, b = (Features(np.zeros((count, 2), np.float32), one.astype(np.float32), SIDE, SIDE) for one in rows)
    return a, b


def compare_matching(count: int, rounds: int) -> dict[str, float | int]:
    """Our matching against OpenCV's, in turns; the first round warms up."""
    a, b = random_features(count, count)
    ours, whole, part, differing = [], [], [], 0
    for _ in range(rounds + 1):
        spent, found = timed(lambda: match_features(a, b))
        ours.append(spent)
        spent, expected = timed(lambda: brute_force(a, b))
        whole.append(spent)
        part.append(timed(lambda: cross_check(a, b))[0])
        differing = len({*map(tuple, found.tolist())} ^ {*map(tuple, expected.tolist())})
    turns = range(1, rounds + 1)
    return {
        "cpu_ms": round(statistics.median(ours[1:]), 2),
        "opencv_cpu_ms": round(statistics.median(whole[1:]), 2),
        "opencv_cross_check_alone_cpu_ms": round(statistics.median(part[1:]), 2),
        "speedup": round(statistics.median(whole[i] / ours[i] for i in turns), 1),
        "speedup_over_cross_check_alone": round(statistics.median(part[i] / ours[i] for i in turns), 1),
        "matches": len(expected),
        "differing_matches": differing,
    }


def stages(photos: list[NDArray[np.uint8]], query: NDArray[np.uint8]) -> dict[str, float]:
    """CPU time of each stage on one thread, medians over the candidates."""
    options = FeatureOptions()
    extract_features(query, options)
    features = [timed(lambda photo=photo: extract_features(photo, options)) for photo in photos]  # type: ignore[misc]
    asked = extract_features(query, options)
    matched = [timed(lambda one=one: match_features(asked, one)) for _, one in features]  # type: ignore[misc]
    models = [
        timed(lambda one=one, pairs=pairs: estimate_geometry(asked, one, pairs, ModelOptions()))  # type: ignore[misc]
        for (_, one), (_, pairs) in zip(features, matched, strict=True)
    ]
    return {
        "features_per_photo": statistics.median(len(one) for _, one in features),
        "features_cpu_ms": round(statistics.median(spent for spent, _ in features), 1),
        "matching_cpu_ms": round(statistics.median(spent for spent, _ in matched), 2),
        "model_cpu_ms": round(statistics.median(spent for spent, _ in models), 2),
        "inliers": statistics.median(found.inliers for _, found in models),
    }


def whole_checks(query: Path, candidates: list[Path], workers: int) -> dict[str, float]:
    """One query against all candidates: with their features still to be computed, and with them kept."""
    cache = FeatureCache()
    told: dict[str, float] = {}
    for state in ("new", "kept"):
        wall, cpu = time.perf_counter(), time.process_time()
        verify(query, candidates, cache=cache, workers=workers)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        told[f"{state}_ms_per_candidate"] = round(1e3 * wall / len(candidates), 1)
        told[f"{state}_cpu_ms_per_candidate"] = round(1e3 * cpu / len(candidates), 1)
        told[f"{state}_cores_in_use"] = round(cpu / wall, 2)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description="What the geometric check of one match costs.")
    parser.add_argument("--rounds", type=int, default=7)
    rounds: int = parser.parse_args().rounds
    cv2.setNumThreads(1)
    query = draw_photo(0)
    same = [view_from_elsewhere(query, seed) for seed in range(CANDIDATES // 2)]
    others = [draw_photo(seed) for seed in range(1, CANDIDATES // 2 + 1)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.png" for number in range(CANDIDATES + 1)]
        for path, photo in zip(paths, [query, *same, *others], strict=True):
            Image.fromarray(photo).save(path)
        verify(query, paths[:2])  # brings in torch
        threads = {str(n): whole_checks(paths[0], paths[1:], n) for n in (1, 2)}
    result = {
        "photo_pixels": [SIDE, SIDE],
        "candidates": CANDIDATES,
        "stages_one_thread": {"same_scene": stages(same, query), "other_scenes": stages(others, query)},
        "matching": {str(count): compare_matching(count, rounds) for count in COUNTS},
        "threads": threads,
        "rounds": rounds,
        "synthetic": True,
        "environment": environment("torch", "opencv-python-headless", "numpy"),
    }
    write_result(result, RESULTS / "geometric_check.json")


if __name__ == "__main__":
    main()
