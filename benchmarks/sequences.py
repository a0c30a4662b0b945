"""What joining a walk's photos gains: errors of single answers and of the sequence, with frames blacked out.

A drawn walk (``walk.py``, synthetic) is localized with densevlad in an index of the summer pass; a tenth of
its frames is black. Prints JSON and writes it to ``results/sequences.json``.
Run: ``python benchmarks/sequences.py [--seed N] [--folder FOLDER]``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from environment import RESULTS, environment, write_result
from landfall.datasets.names import parse_name
from landfall.geo import Positions, distances_m
from landfall.index import Index
from landfall.index.manifest import MANIFEST
from landfall.localization import Fix, SequenceOptions, apply_sequence, build_index, choose_model, localize
from walk import SPEED_M_S, black_out, draw_walk

# A walker with a phone: twice the pace that the walk is drawn with.
SPEED_LIMIT_M_S = 2 * SPEED_M_S
BLACK_SHARE = 0.1


def errors_m(fixes: list[Fix], frames: tuple[Path, ...]) -> NDArray[np.float64]:
    """Return (T,) metres between the answers and the truth, which the frames' names tell."""
    names = [parse_name(path.name) for path in frames]
    truth = Positions.from_utm(
        np.array([name.east_m for name in names]),
        np.array([name.north_m for name in names]),
        np.array([name.zone for name in names]),
        False,
    )
    places = [fix.location for fix in fixes if fix.location is not None]
    found = Positions.from_latlon([place.lat for place in places], [place.lon for place in places])
    return distances_m(found, truth)


def summary(errors: NDArray[np.float64]) -> dict[str, float]:
    return {
        "median_m": round(float(np.median(errors)), 1),
        "within_25_m_percent": round(100.0 * float((errors <= 25.0).mean()), 1),
        "percentile_90_m": round(float(np.percentile(errors, 90)), 1),
        "worst_m": round(float(errors.max()), 1),
    }


def measure(folder: Path, seed: int) -> dict[str, Any]:
    """Draw, index and localize one walk, and compare."""
    walk = draw_walk(folder, seed=seed)
    frames, black = black_out(walk, folder / "black", share=BLACK_SHARE, seed=seed)
    store = folder / "walk.lf"
    if not (store / MANIFEST).exists():
        build_index(walk.database, store, model=choose_model(None), seed=seed)
    index = Index.open(store)
    single = localize(frames, index)
    before = errors_m(single, walk.frames)
    told: dict[str, Any] = {
        "indexed": len(index),
        "frames": len(frames),
        "black": int(black.sum()),
        "single": summary(before) | {"black_frames": summary(before[black])},
    }
    for name, limit in (("sequence", SPEED_LIMIT_M_S), ("sequence_default_limit", None)):
        options = SequenceOptions() if limit is None else SequenceOptions(speed_limit_m_s=limit)
        answer = apply_sequence(single, walk.times_s, options)
        after = errors_m(answer.fixes, walk.frames)
        told[name] = summary(after) | {
            "speed_limit_m_s": options.speed_limit_m_s,
            "black_frames": summary(after[black]),
            "moved": answer.count("moved"),
            "interpolated": answer.count("interpolated"),
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Errors of single answers and of joined ones, on a drawn walk."
    )
    parser.add_argument("--seed", type=int, default=0, help="of the city; settings were chosen on seed 1")
    parser.add_argument("--folder", type=Path, help="keep the drawn photos and the index here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        told = measure(options.folder or Path(temporary), options.seed)
    result = {
        "benchmark": "sequences",
        "synthetic": True,
        "seed": options.seed,
        **told,
        "environment": environment("numpy", "scipy", "torch"),
    }
    write_result(result, RESULTS / "sequences.json")


if __name__ == "__main__":
    main()
