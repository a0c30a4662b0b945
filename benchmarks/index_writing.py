"""What photos added one by one to a large index with thumbnails cost, and many that come at once.

The index is made up: random descriptors, and thumbnails of random bytes, all of one length. The photos that
are added are drawn, and described by an untrained network on the CPU at 64 x 64, so that what is measured is
the store. Prints JSON and writes it to ``results/index_writing.json``.
Run: ``OMP_NUM_THREADS=1 python benchmarks/index_writing.py [--photos N] [--folder FOLDER]``.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from environment import RESULTS, environment, write_result
from landfall.geo import LatLon
from landfall.index import Index, PhotoRecord, ThumbnailsWriting, begin
from landfall.localization.upkeep import keep_up
from landfall.models import create_network
from landfall.photos import write_jpeg
from landfall.service.uploads import Upload, UploadFolder, prepare_upload
from landfall.service.writing import IndexWriter

THUMBNAIL_BYTES = 20_000
SINGLE, AT_ONCE = 10, 32
_BLOCK = 10_000


def made_up(folder: Path, photos: int, seed: int) -> Index:
    """Build an index of so many photos that never were."""
    torch.manual_seed(seed)
    network = create_network("resnet18", "base", height=64, width=64).eval()
    dim = network.card.descriptor_dim
    rng = np.random.default_rng(seed)
    jpeg = b"\xff\xd8" + rng.bytes(THUMBNAIL_BYTES - 4) + b"\xff\xd9"
    with begin(folder / "index.lf", {"photos": photos}) as building:
        network.save(building.folder / "model.safetensors")
        descriptors = np.lib.format.open_memmap(
            building.folder / "descriptors.npy", "w+", np.float16, (photos, dim)
        )
        pictures = building.folder / "thumbnails.sqlite"
        with ThumbnailsWriting(pictures) as file:
            for start in range(0, photos, _BLOCK):
                stop = min(photos, start + _BLOCK)
                drawn = rng.normal(size=(stop - start, dim))
                descriptors[start:stop] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
                file.put((f"{row:032x}", jpeg) for row in range(start, stop))
        descriptors.flush()
        records = [
            PhotoRecord(
                row + 1, f"{row}.jpg", f"{row:032x}", 50 + row / 1e5, 8.0, None, None, None, 1, 64, 48, row
            )
            for row in range(photos)
        ]
        return building.commit(
            records,
            building.folder / "descriptors.npy",
            building.folder / "model.safetensors",
            thumbnails=(480, pictures),
        )


def drawn_upload(folder: Path, number: int) -> Upload:
    """Return a drawn photo, ready to be added."""
    pixels = np.random.default_rng(number).integers(0, 256, (480, 640, 3), np.uint8)
    write_jpeg(folder / "sent.jpg", pixels, location=LatLon(51.0, 8.0 + number / 1e4))
    return prepare_upload("sent.jpg", (folder / "sent.jpg").read_bytes())


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes by the clock."""
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 3)


def measure(folder: Path, photos: int, seed: int) -> dict[str, Any]:
    """Build, add one by one, add many at once, remove one."""
    index = made_up(folder, photos, seed)
    opening_s = seconds(lambda: Index.open(index.path))
    assert index.model is not None  # loaded before anything is timed
    learning_s = seconds(lambda: keep_up(index))
    index = index.latest()
    writer = IndexWriter(index, UploadFolder(folder / "uploads", index))
    uploads = [drawn_upload(folder, number) for number in range(SINGLE + AT_ONCE)]
    singles = [seconds(writer.add([upload]).result) for upload in uploads[:SINGLE]]
    before = writer.index.manifest.generation

    def all_at_once() -> None:
        for answer in [writer.add([upload]) for upload in uploads[SINGLE:]]:
            answer.result()

    at_once_s = seconds(all_at_once)
    changes = writer.index.manifest.generation - before
    removing_s = seconds(writer.remove(1).result)
    writer.close()
    return {
        "photos": photos,
        "descriptor_dim": index.manifest.descriptor_dim,
        "index_bytes": index.info()["bytes"],
        "opening_s": opening_s,
        "learning_anew_s": learning_s,
        "one_s": {"median": float(np.median(singles)), "slowest": max(singles)},
        "at_once": {"photos": AT_ONCE, "seconds": at_once_s, "changes": changes},
        "removing_one_s": removing_s,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="an empty one; default: a temporary one")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        told = measure(options.folder or Path(temporary), options.photos, options.seed)
    result = told | {"environment": environment("torch", "numpy")}
    write_result(result, RESULTS / "index_writing.json")
