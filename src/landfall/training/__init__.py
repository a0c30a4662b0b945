"""Training: a recipe and a dataset in, a trained model out. Paper, section 4.

What belongs here: recipes (``recipe``, ``recipe_file``), the photos of a training and what is kept of them
(``data``, ``photo_cache``, ``feature_cache``, ``inputs``), a round from queries to steps (``rounds``,
``describing``, ``batches``, ``augmentation``), the Lightning module (``module``, ``optimizers``,
``validation``), and what a run leaves on disk (``run_folder``, ``state``, ``keeper``, ``logs``). ``run`` puts
them together. Which photos make a triplet is decided in ``landfall.mining``, what it costs in
``landfall.losses``.

Importing this package loads neither torch nor Lightning: each name is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from landfall.training.machine import Machine, is_first_process
from landfall.training.progress import Progress
from landfall.training.recipe import Recipe
from landfall.training.recipe_file import load_recipe, recipe_names

if TYPE_CHECKING:
    from landfall.training.run import TrainingResult, resume, train

__all__ = [
    "Machine",
    "Progress",
    "Recipe",
    "TrainingResult",
    "is_first_process",
    "load_recipe",
    "recipe_names",
    "resume",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.run")
    for lazy in ("TrainingResult", "resume", "train"):
        globals()[lazy] = getattr(module, lazy)
    return globals()[name]


def __dir__() -> list[str]:
    return __all__
