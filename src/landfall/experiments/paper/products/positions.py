"""Figure 3: where each dataset's photos were taken."""

from __future__ import annotations

from typing import Any

from landfall.datasets import dataset_splits, load_dataset
from landfall.experiments.paper.products.context import PRODUCTS, Context
from landfall.experiments.positions import draw_dataset_map


@PRODUCTS.register("positions")
def draw_positions_of_tests(context: Context) -> dict[str, Any]:
    """Draw a map of every split of the training dataset and of every test set, as PNG and SVG."""
    task = context.task
    splits = dataset_splits(task.train, layout=task.layout)
    datasets = [load_dataset(task.train, split, layout=task.layout) for split in splits or (None,)]
    known = {dataset.label for dataset in datasets}
    datasets += [each.dataset for each in context.tests if each.dataset.label not in known]
    maps = []
    for dataset in datasets:
        stem = dataset.label.replace("/", "-")
        for suffix in ("png", "svg"):
            draw_dataset_map(dataset, context.picture(f"{stem}.{suffix}"))
        maps.append(
            {
                "label": dataset.label,
                "database": len(dataset.database),
                "queries": len(dataset.queries),
                "png": f"{stem}.png",
                "svg": f"{stem}.svg",
            }
        )
    return {"maps": maps}
