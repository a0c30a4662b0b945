"""How fast a city is drawn: photos a second and CPU time a photo, 240 x 320 pixels, files written.

A warm-up draws the first photos of every pass, so that what all photos share (the town, its shadows) is timed
apart, as ``ready_s``. CPU time counts all threads of the process; other programs weigh less there.
Prints JSON. Run: ``python benchmarks/city_drawing.py [--photos N] [--device cpu]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from environment import RESULTS, environment, write_result
from landfall.cores import available_cores
from landfall.datasets.city.passes import PASSES
from landfall.datasets.city.renderer import Renderer
from landfall.datasets.city.route import shots
from landfall.datasets.city.sizes import large
from landfall.datasets.city.town import furnish
from landfall.datasets.city.work import Job, draw_all


def measure(photos: int, workers: int, device: str) -> dict[str, float]:
    """Draw ``photos`` of a city of 402, all passes among them, and time it."""
    started = time.perf_counter()
    plan, taken = shots(0, large(402))
    renderer = Renderer(furnish(plan), height=240, width=320, device=device)
    renderer.prepare(range(len(PASSES)))
    ready_s = time.perf_counter() - started
    chosen = taken[:: max(1, len(taken) // photos)][:photos]
    with tempfile.TemporaryDirectory() as folder:
        jobs = [Job(shot, Path(folder) / f"{shot.number}.jpg") for shot in chosen]
        sum(draw_all(renderer, jobs[:5], device=device, workers=workers))
        started, busy = time.perf_counter(), time.process_time()
        done = sum(draw_all(renderer, jobs, device=device, workers=workers))
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - busy
    return {
        "ready_s": round(ready_s, 2),
        "photos": done,
        "photos_per_s": round(done / wall_s, 2),
        "cpu_s_per_photo": round(cpu_s / done, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    counts = sorted({1, available_cores()}) if options.device == "cpu" else [1]
    result = {
        "benchmark": "city_drawing",
        "height": 240,
        "width": 320,
        "device": options.device,
        "workers": {str(count): measure(options.photos, count, options.device) for count in counts},
        "environment": environment("torch", "numpy", "pillow"),
    }
    write_result(result, RESULTS / "city_drawing.json")


if __name__ == "__main__":
    main()
