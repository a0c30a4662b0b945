"""Figure 3: where each dataset's photos were taken."""

from __future__ import annotations

from typing import Any

from landfall.datasets import dataset_splits, load_dataset
from landfall.experiments.paper.products.context import PRODUCTS, Context
from landfall.experiments.positions import draw_dataset_map


@PRODUCTS.register("positions")
def draw_positions_of_tests(context: Context) -> dict[str, Any]:
    """Draw a map of every split of the training dataset and of every test set, as PNG and SVG."""
    splits = dataset_splits(context.train, layout=context.layout)
    datasets = [load_dataset(context.train, split, layout=context.layout) for split in splits or (None,)]
    known = {(dataset.name, dataset.split) for dataset in datasets}
    datasets += [test for test in context.tests if (test.name, test.split) not in known]
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
