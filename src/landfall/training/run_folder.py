"""The folder of a training: its files, who holds it, and whether there is room for what will be written."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import landfall
from landfall import files
from landfall.errors import TrainingError
from landfall.training.recipe import MIB, Recipe
from landfall.training.recipe_file import load_recipe, save_recipe


@dataclass(frozen=True)
class RunFolder:
    """Names of a training's files.

    Args:
        root: the folder.
    """

    root: Path

    @property
    def recipe(self) -> Path:
        """The recipe, with every default."""
        return self.root / "recipe.yaml"

    @property
    def about(self) -> Path:
        """What was trained on, and with which versions."""
        return self.root / "run.json"

    @property
    def state(self) -> Path:
        """What resuming needs."""
        return self.root / "state.pt"

    @property
    def last(self) -> Path:
        """The model after the last round."""
        return self.root / "last.safetensors"

    @property
    def best(self) -> Path:
        """The model of the best epoch."""
        return self.root / "best.safetensors"

    @property
    def epochs(self) -> Path:
        """A table of the epochs."""
        return self.root / "epochs.csv"

    @property
    def steps(self) -> Path:
        """A table of the steps."""
        return self.root / "steps.csv"

    @property
    def loss_plot(self) -> Path:
        """The loss of every epoch, drawn."""
        return self.root / "loss.png"

    @property
    def recall_plot(self) -> Path:
        """The validation recall of every epoch, drawn."""
        return self.root / "recall.png"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's folder."""
        return self.root / "tensorboard"

    @property
    def cache(self) -> Path:
        """What may be thrown away when nothing runs."""
        return self.root / "cache"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out.

        Raises:
            TrainingError: another one trains here, or the folder can't be written.
        """
        busy = TrainingError(f"Another process trains in {self.root}. Wait for it, or end it first.")
        with told_disk_errors(self.root):
            lock = files.hold(self.root / ".lock", busy)
        with lock:
            yield

    def start(self, recipe: Recipe, about: dict[str, Any]) -> None:
        """Write what the training is.

        Raises:
            TrainingError: a training is there already, or the folder can't be written.
        """
        if self.about.exists():
            raise TrainingError(
                f"{self.root} holds a training already. Go on with it by "
                f"`landfall train --resume {self.root}`, or give another --out."
            )
        with told_disk_errors(self.root):
            save_recipe(recipe, self.recipe)
            # Last: a folder with this file holds a training.
            files.write_json(self.about, about)

    def read(self) -> tuple[Recipe, dict[str, Any]]:
        """Return the recipe, and what was trained on.

        Raises:
            TrainingError: no training is here.
        """
        about = files.read_json(self.about)
        if about is None:
            raise TrainingError(
                f"{self.root} holds no training: {self.about.name} is missing. Start one with "
                "`landfall train RECIPE --data DATASET --out RUN`."
            )
        return load_recipe(self.recipe), about

    def check_room(self, needed_bytes: int) -> None:
        """Make sure that the disk takes what the training will write.

        Raises:
            TrainingError: says how much there is and how much it takes.
        """
        with told_disk_errors(self.root):
            files.write_bytes(self.root / ".probe", b"landfall")
            (self.root / ".probe").unlink()
            free = shutil.disk_usage(self.root).free
        if free < needed_bytes:
            raise TrainingError(
                f"The disk of {self.root} has {free / MIB:,.0f} MiB free; this training writes up to "
                f"{needed_bytes / MIB:,.0f} MiB (models, state, caches). Make room, give another --out, or "
                "lower memory.features_mb."
            )


@contextmanager
def told_disk_errors(place: Path) -> Iterator[None]:
    """Turn an error of the disk into one that says what to do.

    Raises:
        TrainingError: for every OSError of the block.
    """
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{place} can't be written: {error.strerror or error}. What was written last is kept; choose a "
            "folder that is writable and has room, or make room and resume."
        ) from error


def environment() -> dict[str, str]:
    """Return the versions and the machine that a training's numbers come from."""
    import lightning
    import numpy as np
    import torch

    return {
        "landfall": landfall.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "lightning": lightning.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        "threads": str(torch.get_num_threads()),
    }
