"""What the tests train on: also used by the scripts that are killed and by those of several processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from landfall.datasets.names import NameFields, format_name
from landfall.training import Recipe
from landfall.training.recipe_file import parse_recipe

EAST_M, NORTH_M = 300_000.0, 5_790_000.0
HEIGHT, WIDTH = 96, 128


def draw_street(root: Path, *, places: int = 12) -> Path:
    """Draw ``train`` with so many places and ``val`` with half of them; return the dataset's folder."""
    for split, count, first in (("train", places, 0), ("val", places // 2, 100)):
        for place in range(first, first + count):
            for number, offset_m in enumerate((0.0, 5.0)):
                _save(root / "images" / split / "database", place, 100.0 * place + offset_m, number)
            _save(root / "images" / split / "queries", place, 100.0 * place + 3.0, 9)
        # Its row comes first, so that leaving it out would shift all others.
        _save(root / "images" / split / "queries", 999, -5000.0, 9)
    return root


def _save(folder: Path, place: int, east_m: float, view: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    blocks = np.random.default_rng(place).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    wide = np.asarray(Image.fromarray(blocks).resize((WIDTH + 16, HEIGHT), Image.Resampling.BICUBIC))
    noise = np.random.default_rng((place, view)).normal(0, 8, (HEIGHT, WIDTH, 3))
    seen = np.clip(wide[:, view : view + WIDTH] + noise, 0, 255).astype(np.uint8)
    fields = NameFields(east_m=EAST_M + east_m, north_m=NORTH_M, zone=31, letter="U", note=f"v{view}")
    Image.fromarray(seen).save(folder / format_name(fields), quality=92)


def small_recipe(**changes: Any) -> Recipe:
    """Return a recipe of two epochs of two rounds; ``changes`` are sections or keys."""
    told: dict[str, Any] = {
        "name": "small",
        "model": {
            "head": "netvlad",
            "head_options": {"clusters": 4},
            "weights": None,
            "height": 48,
            "width": 64,
            "init_photos": 8,
            "init_locations": 12,
        },
        "mining": {"negatives": 3, "sample": 14, "queries_per_round": 6, "batch_size": 5},
        "optimizer": {"lr": 1e-4},
        "schedule": {"epochs": 2, "batch_queries": 2},
        "memory": {"photos_mb": 64},
    }
    for key, value in changes.items():
        if isinstance(value, dict):
            told[key] = told.get(key, {}) | value
        else:
            told[key] = value
    return parse_recipe(told, source="the test")
