"""Results without photos or training: records, runs and measurements as `run_experiments` leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landfall.evaluation.result import format_metres
from landfall.experiments.paper import EXPERIMENTS
from landfall.experiments.paper.measured import Measured, Measurement, first_right
from landfall.experiments.paper.store import ResultsFolder

KS = (1, 5, 10, 20)
QUERIES, SPOTS = 60, 20
#: Names of the test sets, in the order of their roles; the second one is drawn.
TESTS = (("cambridge/test", "pitts30k", False), ("town/test", "St Lucia", True))
ENVIRONMENT = {
    "landfall": "0.1.0",
    "commit": "0123456789ab",
    "python": "3.11.7",
    "torch": "2.13.0",
    "numpy": "2.4.6",
    "system": "Linux x86_64",
    "cpu": "A processor",
    "gpu": None,
    "threads": "2",
}


def make_results(
    root: Path,
    names: Sequence[str] = ("table1",),
    *,
    seeds: Sequence[int] = (0, 1),
    missing: Sequence[str] = (),
) -> ResultsFolder:
    """Make the results of experiments.

    Args:
        root: the results' folder.
        names: of the experiments.
        seeds: of the runs.
        missing: labels of variants that have not run yet.
    """
    folder = ResultsFolder(root)
    folder.root.mkdir(parents=True, exist_ok=True)
    for name in names:
        experiment = EXPERIMENTS[name]
        variants = []
        for number, variant in enumerate(experiment.variants):
            told: dict[str, Any] = {
                "label": variant.label,
                "changes": list(variant.changes),
                "set": [],
                "usable_queries": 40 + number,
                "size": [240, 320],
                "runs": [],
                "untrained": [],
            }
            for kind in ("runs", "untrained") if variant.untrained else ("runs",):
                for seed in seeds:
                    run = f"{variant.recipe}-{name}{number}{kind[0]}{seed}"
                    told[kind].append({"seed": seed, "run": run})
                    if variant.label not in missing:
                        _make_run(folder, run, seed, kind == "runs", hash_of(run))
            variants.append(told)
        folder.write(
            name,
            {
                "experiment": name,
                "command": f"landfall experiment run {name} --train cambridge --test cambridge --test town",
                "budget": "quick",
                "set": [],
                "seeds": list(seeds),
                "train": "cambridge/train" if variants else None,
                "train_key": "photos",
                "train_queries": 50,
                "train_synthetic": False,
                "thresholds_m": list(experiment.thresholds_m),
                "tests": [
                    {
                        "label": label,
                        "role": role,
                        "key": label.replace("/", "-"),
                        "synthetic": synthetic,
                        "database": 100,
                        "queries": QUERIES,
                        "protocols": {
                            format_metres(metres): {
                                "name": f"{label} {metres:g} m, all queries",
                                "hash": protocol_of(label, metres),
                            }
                            for metres in experiment.thresholds_m
                        },
                    }
                    for label, role, synthetic in TESTS
                ],
                "variants": variants,
                "failed": [],
                "products": {},
                "environment": ENVIRONMENT,
            },
        )
    return folder


def protocol_of(label: str, metres: float) -> str:
    return f"{hash_of(label, str(metres)):012x}"


def hash_of(*words: str) -> int:
    return int.from_bytes(" ".join(words).encode(), "big") % 2**48


def hits_of(label: str, seed: int, metres: float) -> np.ndarray:
    """Return who is right (Q, 4) in the run of a seed: more at higher ranks and further away."""
    rng = np.random.default_rng([seed, hash_of(label)])
    rank = rng.geometric(0.35, QUERIES) / (metres / 25.0)
    return rank[:, None] <= np.array(KS)


def _make_run(folder: ResultsFolder, name: str, seed: int, trained: bool, draws: int) -> None:
    store = folder.run(name)
    (store.root / "tests").mkdir(parents=True)
    epochs = [
        {
            "epoch": epoch,
            "step": 10 * epoch,
            "loss": None if epoch == 0 else 0.1 / epoch,
            "val_recall": {"1": 50.0, "5": 80.0 + epoch, "10": 90.0, "20": 95.0},
            "best": epoch == 2,
            "seconds": 900.0,
        }
        for epoch in range(4 if trained else 0)
    ]
    result = {
        "key": name,
        "trained": trained,
        "recipe": {"seed": seed},
        "environment": ENVIRONMENT,
        "best_epoch": 2 if trained else None,
        "steps": 30 if trained else 0,
        "epochs": epochs,
    }
    store.result_path.write_text(json.dumps(result))
    for label, _, _ in TESTS:
        measurement = Measurement(
            tuple(
                Measured(
                    metres,
                    protocol_of(label, metres),
                    KS,
                    first_right(hits_of(label, draws, metres), KS),
                    np.arange(QUERIES) % SPOTS,
                    100.0 - 100.0 / metres,
                )
                for metres in (25.0, 10.0, 50.0)
            ),
            np.zeros(QUERIES, dtype=np.int64),
            256,
            0,
            (),
        )
        store.measurement_path(label.replace("/", "-")).write_text(json.dumps(measurement.to_dict()))
