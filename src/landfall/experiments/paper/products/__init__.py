"""What an experiment makes beside recall: costs, maps of positions, attention pictures. One a file.

A product is a function of a `Context` that writes its pictures into the experiment's folder and returns what
a report needs of it, as JSON takes it, pictures by their names in that folder. A new one is registered in
`PRODUCTS` and imported here.
"""

from __future__ import annotations

from landfall.experiments.paper.products.attention import draw_attention_of_heads
from landfall.experiments.paper.products.context import PRODUCTS, Context, Product
from landfall.experiments.paper.products.costs import measure_costs
from landfall.experiments.paper.products.positions import draw_positions_of_tests

__all__ = [
    "PRODUCTS",
    "Context",
    "Product",
    "draw_attention_of_heads",
    "draw_positions_of_tests",
    "measure_costs",
]
