"""A training to be killed or shared: ``python run_training.py DATASET OUT RECIPE [before|after NAME N]``.

With ``before`` or ``after`` it kills itself around the N-th rename that makes the file ``NAME``. An ``OUT``
that holds a training is resumed. ``PROCESSES`` in the environment says how many train together.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from landfall.training import Machine, load_recipe, resume, train


def die_around(moment: str, name: str, count: int) -> None:
    """Have this process kill itself around the N-th rename that makes a file called ``name``."""
    rename = os.replace
    seen = 0

    def replace(source: Path, target: Path) -> None:
        nonlocal seen
        seen += Path(target).name == name
        due = seen == count and Path(target).name == name
        if due and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace  # type: ignore[assignment]


def main(dataset: str, out: str, recipe: str, moment: str = "", name: str = "", count: str = "1") -> None:
    if moment:
        die_around(moment, name, int(count))
    machine = Machine("cpu", processes=int(os.environ.get("PROCESSES", "1")), workers=1)
    # Of several processes only the first knows whether the training is new.
    if (Path(out) / "run.json").exists() and os.environ.get("LOCAL_RANK", "0") == "0":
        resume(out, machine=machine)
    else:
        train(load_recipe(recipe), dataset, out, machine=machine)


if __name__ == "__main__":
    main(*sys.argv[1:])
