"""Photos described a second, and where the time goes: reading, network, writing.

    python benchmarks/extraction.py --photos DIR --model M [--limit N] [--batch-size 16] [--workers W]

Describes the photos of a folder with a model (a file or a name) to a file on disk, as ``landfall extract``
does, and leaves nothing behind. **Shares** are of the main thread's time: *reading* is the time it waited for
photos, so decoding that the threads did while the network was busy counts nothing; *network* is the model,
*writing* the descriptors' way to the disk, the waiting for the disk included. ``reading_alone_photos_per_s``
is how many photos the same threads read when no network takes the cores. One batch goes through the model
before the clock starts. The load average counts this program, too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from environment import RESULTS, environment, write_result
from landfall.cores import available_cores
from landfall.extraction import describe, extract
from landfall.models import load_model
from landfall.models.model import Model
from landfall.photos import InputSpec, find_photos, load_photo


def reading_alone(paths: list[Path], spec: InputSpec, workers: int) -> float:
    """Return how many photos a second ``workers`` threads read."""
    with ThreadPoolExecutor(workers) as pool:
        started = time.monotonic()
        for _ in pool.map(lambda path: load_photo(path, spec).content_hash, paths):
            pass
        return len(paths) / (time.monotonic() - started)


def measure(paths: list[Path], model: Model, batch_size: int, workers: int) -> dict[str, float | int]:
    describe(paths[:batch_size], model, batch_size=batch_size, workers=workers)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        described = extract(
            paths,
            [path.name for path in paths],
            model,
            Path(folder) / "descriptors.npy",
            batch_size=batch_size,
            workers=workers,
        )
        elapsed = time.monotonic() - started
    total = described.seconds["total"]
    return {
        "photos": len(paths),
        "failed": len(described.failures),
        "photos_per_s": len(paths) / elapsed,
        "seconds": elapsed,
        **{f"share_{stage}": described.seconds[stage] / total for stage in ("reading", "network", "writing")},
        "reading_alone_photos_per_s": reading_alone(paths, model.card.input_spec, workers),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--limit", type=int, default=None, help="how many photos at most")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--out", type=Path, default=RESULTS / "extraction.json")
    options = parser.parse_args()
    model = load_model(options.model)
    paths = [options.photos / name for name in find_photos(options.photos).names][: options.limit]
    if not paths:
        raise SystemExit(f"{options.photos} has no photos")
    result = {
        "model": model.card.name,
        "descriptor_dim": model.card.descriptor_dim,
        "height": model.card.height,
        "width": model.card.width,
        "batch_size": options.batch_size,
        "workers": options.workers,
        **measure(paths, model, options.batch_size, options.workers),
        "torch_threads": torch.get_num_threads(),
        "environment": environment("torch", "pillow"),
    }
    write_result(result, options.out)


if __name__ == "__main__":
    main()
