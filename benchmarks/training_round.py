"""A whole round of training, mining and steps, against a plain reference in the same run.

    python benchmarks/training_round.py --weights FILE [--data DATASET] [--size H W] [--queries 1000]
        [--rounds 3] [--reference-queries N] [--device cuda]

Without ``--data`` a city is drawn, for as many queries as the round has. What is measured, and how, stands in
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mining
from environment import RESULTS, environment, write_result
from landfall import files
from landfall.cores import available_cores
from landfall.datasets.city import CitySize, draw_city
from landfall.models.device import resolve_device
from landfall.training.data import TrainingData
from landfall.training.recipe import Recipe
from landfall.training.rounds import Rounds
from landfall.training.start import start_network
from processes import in_new_process
from timed_round import Setup, Timed, measure_landfall, measure_reference

REFERENCE = "reference"
# Steps whose losses are compared; later ones follow what the earlier ones did to the weights.
COMPARED_STEPS = 25


def draw(folder: Path, queries: int) -> Path:
    """Draw a city with so many training queries, every one of them near a database photo."""
    size = CitySize("round", train=(max(200, queries * 5 // 2), queries), val=(40, 16), test=(2, 1))
    return draw_city(folder / "drawn-city", size=size)


def measure(
    setup: Setup, rounds: int, features_mb: float, reference_queries: int, folder: Path
) -> dict[str, list[Timed]]:
    """Return what each way took, the ways taking turns. The reference runs on the CPU only."""
    timed: dict[str, list[Timed]] = {"landfall": [], "landfall_features": []}
    if setup.device == "cpu":
        timed[REFERENCE] = []
    for turn in range(rounds):
        for way, taken in timed.items():
            if way == REFERENCE:
                keep = folder if turn == 0 else None
                taken.append(in_new_process(measure_reference, setup, reference_queries, keep))
            else:
                budget = features_mb if way == "landfall_features" else 0.0
                taken.append(in_new_process(measure_landfall, setup, budget, False))
    return timed


def told(timed: Sequence[Timed]) -> dict[str, Any]:
    """Return a way's medians."""

    def median(each: Callable[[Timed], float]) -> float:
        return statistics.median(each(one) for one in timed)

    return {
        "round_s": median(lambda one: one.of_round(one.seconds)),
        "round_cpu_s": median(lambda one: one.of_round(one.cpu_s)),
        "mining_s": median(lambda one: one.seconds["mining"]),
        "mining_photos": timed[0].photos["mining"],
        "mining_photos_per_s": median(lambda one: one.rate("mining")),
        "steps_s": median(lambda one: one.seconds["steps"]),
        "steps_photos": timed[0].photos["steps"],
        "steps_photos_per_s": median(lambda one: one.rate("steps")),
        "fill_s": median(lambda one: one.seconds.get("filling", 0.0)),
        "fill_photos": timed[0].photos.get("filling", 0),
    }


def speedups(ours: Sequence[Timed], theirs: Sequence[Timed]) -> dict[str, Any]:
    """Return how many times faster the library is, turn by turn and in the median."""
    pairs = list(zip(ours, theirs, strict=True))
    ratios = {
        "round": [b.of_round(b.seconds) / a.of_round(a.seconds) for a, b in pairs],
        "round_and_filling": [b.of_round(b.seconds) / a.of_round(a.seconds, filling=True) for a, b in pairs],
        "round_cpu": [b.of_round(b.cpu_s) / a.of_round(a.cpu_s) for a, b in pairs],
        "round_and_filling_cpu": [b.of_round(b.cpu_s) / a.of_round(a.cpu_s, filling=True) for a, b in pairs],
        "mining": [a.rate("mining") / b.rate("mining") for a, b in pairs],
        "steps": [a.rate("steps") / b.rate("steps") for a, b in pairs],
    }
    return {name: {"median": statistics.median(each), "turns": each} for name, each in ratios.items()}


def agreement(setup: Setup, data: TrainingData, ours: Timed, theirs: Timed, folder: Path) -> dict[str, Any]:
    """Return how far the triplets and the losses of the first steps are the same.

    Losses are compared in steps whose triplets are the same.
    """
    queries, database = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("queries", "database"))
    planned = Rounds(setup.recipe, data).plan(0)
    ranked = [(one.triplets[:, 1], one.triplets[:, 2:]) for one in (ours, theirs)]
    size = setup.recipe.schedule.batch_queries
    alike = [
        np.concatenate([row[:, :2], np.sort(row[:, 2:], axis=1)], axis=1)
        for row in (ours.triplets, theirs.triplets)
    ]
    same = (alike[0] == alike[1]).all(axis=1)
    apart = [
        abs(a - b)
        for step, (a, b) in enumerate(zip(ours.losses[:COMPARED_STEPS], theirs.losses, strict=False))
        if same[step * size : (step + 1) * size].all()
    ]
    return {
        **mining.agreement(planned, queries, database, *ranked),
        "compared_steps": len(apart),
        "largest_loss_difference": max(apart, default=None),
        "mean_loss": statistics.mean(theirs.losses[:COMPARED_STEPS]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", help="a dataset with splits train and val; by default a city is drawn")
    parser.add_argument("--weights", default="imagenet", help="the backbone's; imagenet is fetched")
    parser.add_argument("--size", nargs=2, type=int, default=(224, 224), metavar=("H", "W"))
    parser.add_argument("--queries", type=int, default=1000, help="of the round; all where there are fewer")
    parser.add_argument("--database-queries", action="store_true", help="let database photos be queries, too")
    parser.add_argument("--sample", type=int, default=1000, help="negatives sampled for the round")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way")
    parser.add_argument(
        "--reference-queries", type=int, help="steps of the reference take these alone; its time is scaled"
    )
    parser.add_argument("--features-mb", type=float, default=4096.0, help="for frozen features")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--workers", type=int, default=available_cores(), help="threads that decode")
    parser.add_argument("--out", type=Path, default=RESULTS / "training_round.json")
    options = parser.parse_args()
    # As the command line sets it, for every way alike: see landfall.cli.main.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    resolve_device(options.device)
    recipe = Recipe.load(
        "netvlad",
        [
            f"model.weights={options.weights}",
            f"model.height={options.size[0]}",
            f"model.width={options.size[1]}",
            f"mining.sample={options.sample}",
            f"mining.queries_per_round={options.queries}",
            f"mining.queries_per_epoch={options.queries}",
            f"data.database_queries={str(options.database_queries).lower()}",
        ],
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        dataset = options.data or str(draw(folder, options.queries))
        data = TrainingData.load(dataset, recipe)
        setup = Setup(
            dataset, recipe, folder / "start.safetensors", options.device, options.threads, options.workers
        )
        start_network(recipe, data.train.database.paths, name="start", device="cpu").save(setup.network)
        queries = len(Rounds(recipe, data).queries(0))
        reference_queries = min(options.reference_queries or queries, queries)
        timed = measure(setup, options.rounds, options.features_mb, reference_queries, folder)
        result: dict[str, Any] = {
            "data": data.train.label,
            "synthetic": bool((files.read_json(data.train.root / "city.json") or {}).get("synthetic")),
            "train_database": len(data.train.database),
            "train_queries": len(data.train.queries),
            "database_queries": options.database_queries,
            "usable_queries": len(data.usable),
            "queries_asked_for": options.queries,
            "queries": queries,
            "sample": options.sample,
            "negatives": recipe.mining.negatives,
            "batch_queries": recipe.schedule.batch_queries,
            "network": f"{recipe.model.backbone}, {recipe.model.head}",
            "clusters": recipe.model.head_options["clusters"],
            "height": recipe.model.height,
            "width": recipe.model.width,
            "device": options.device,
            "threads": options.threads,
            "workers": options.workers,
            "features_mb": options.features_mb,
            "rounds": options.rounds,
            "reference_scaled_from": reference_queries
            if REFERENCE in timed and reference_queries < queries
            else None,
            "ways": {way: told(taken) for way, taken in timed.items()},
        }
        if REFERENCE in timed:
            theirs = timed.pop(REFERENCE)
            result["speedup"] = {way: speedups(taken, theirs) for way, taken in timed.items()}
            result["agreement"] = {
                way: agreement(setup, data, taken[0], theirs[0], folder) for way, taken in timed.items()
            }
        else:
            # A round of its own: watching costs time, which the rates should not have paid.
            budgets = {"landfall": 0.0, "landfall_features": options.features_mb}
            result["gpu"] = torch.cuda.get_device_name()
            result["gpu_computing_share"] = {
                way: in_new_process(measure_landfall, setup, budget, True).gpu_share
                for way, budget in budgets.items()
            }
        result["environment"] = environment("torch", "lightning", "faiss-cpu", "numpy", "pillow")
        write_result(result, options.out)


if __name__ == "__main__":
    main()
