"""Where a training runs: on what, in how many processes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """Where a training runs.

    Args:
        device: "cpu", "cuda", "cuda:1"; None takes a GPU where there is one.
        processes: that train together, each on its own GPU or all on the CPU.
        workers: threads of each that read photos; None is one a core.
        cache: a folder for frozen features, where trainings one after another find what an earlier one
            computed; it is left there. None keeps them in the training's own folder, and removes them.
    """

    device: str | None = None
    processes: int = 1
    workers: int | None = None
    cache: Path | None = None


def is_first_process() -> bool:
    """Tell whether this is the one that writes and speaks: launchers number processes in the environment."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0
