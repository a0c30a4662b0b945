"""Untrained heads on ImageNet features, and densevlad: recall and photos a second on any datasets.

    python benchmarks/untrained_heads.py --weights FILE --init DATASET:SPLIT DATASET:SPLIT [DATASET:SPLIT ...]

Each head is put on the same backbone; clustered heads take their centroids from the ``--init`` split,
densevlad learns from the database that it searches. Every forward is really run. Recall is over all queries
at 25 m, with 95 % intervals that resample spots. ``extract_photos_per_s`` is of the whole extraction,
decoding and writing included, on all cores of the machine. The recalls are written as a Markdown table, too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch

from environment import RESULTS, environment, write_result
from landfall.datasets import Dataset, load_dataset
from landfall.experiments import evaluate_model
from landfall.models import Model, create_network, load_model
from landfall.models.fitting import needs_fitting
from landfall.photos import InputSpec

HEADS: dict[str, dict[str, Any]] = {
    "base": {},
    "gem": {"whitening": False},
    "netvlad": {},
    "crn": {},
    "crn2": {},
}


def make_model(head: str, weights: str, init: Dataset, spec: InputSpec, seed: int) -> Model:
    torch.manual_seed(seed)
    network = create_network(
        "resnet18", head, weights=weights, head_options=HEADS[head], height=spec.height, width=spec.width
    )
    return network.initialise(init.database.paths, seed=seed)


def measure(dataset: Dataset, model: Model, spec: InputSpec, seed: int) -> dict[str, Any]:
    resize = spec if needs_fitting(model) else None
    told = evaluate_model(dataset, model, resize=resize, seed=seed).evaluation.to_dict()
    kept = ("recall", "recall_ci95", "protocol", "protocol_hash", "descriptor_dim", "extract_photos_per_s")
    return {key: told[key] for key in kept}


def markdown(result: dict[str, Any]) -> str:
    """Return the recalls as a table, R@1 with its interval."""
    labels = list(result["results"])
    lines = [
        "| model | " + " | ".join(f"{label}: R@1 / 5 / 10 / 20" for label in labels) + " | numbers |",
        "|---" * (len(labels) + 2) + "|",
    ]
    for name in result["results"][labels[0]]:
        cells, dims = [], []
        for label in labels:
            told = result["results"][label][name]
            low, high = told["recall_ci95"]["1"]
            first, *rest = (f"{recall:.1f}" for recall in told["recall"].values())
            cells.append(f"{first} [{low:.1f}, {high:.1f}] / " + " / ".join(rest))
            dims.append(str(told["descriptor_dim"]))
        lines.append(f"| {name} | {' | '.join(cells)} | {', '.join(dict.fromkeys(dims))} |")
    return "\n".join(lines) + "\n"


def split_of(text: str) -> Dataset:
    path, _, split = text.rpartition(":")
    return load_dataset(path, split)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+", metavar="DATASET:SPLIT")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--init", required=True, metavar="DATASET:SPLIT")
    parser.add_argument("--size", nargs=2, type=int, default=(240, 320), metavar=("H", "W"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "untrained_heads.json")
    options = parser.parse_args()
    spec = InputSpec(height=options.size[0], width=options.size[1])
    init = split_of(options.init)
    datasets = [split_of(text) for text in options.datasets]
    models = {head: make_model(head, options.weights, init, spec, options.seed) for head in HEADS}
    models["densevlad"] = load_model("densevlad")
    result = {
        "height": spec.height,
        "width": spec.width,
        "seed": options.seed,
        "initialised_on": init.label,
        "results": {
            dataset.label: {
                name: measure(dataset, model, spec, options.seed) for name, model in models.items()
            }
            for dataset in datasets
        },
        "environment": environment("torch", "faiss-cpu", "numpy"),
    }
    write_result(result, options.out)
    options.out.with_suffix(".md").write_text(markdown(result), encoding="utf-8")


if __name__ == "__main__":
    main()
