"""An extraction to be killed, run as ``python killed_extraction.py PHOTOS OUT SECONDS [before|after NAME]``.

It sleeps ``SECONDS`` in each batch of two photos and brings each to the disk at once. With ``before`` or
``after`` it kills itself around the rename that makes the file ``NAME``.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.extraction.conftest import GridModel

from landfall.extraction import extract, partial

BATCH_SIZE = 2


def die_around(moment: str, name: str) -> None:
    rename = os.replace

    def replace(source: Path, target: Path) -> None:
        if moment == "before" and target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)
        if target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace  # type: ignore[assignment]


def main(folder: str, out: str, seconds: str, moment: str = "", name: str = "") -> None:
    partial.SYNC_EVERY_S = 0.0
    if moment:
        die_around(moment, name)
    paths = [Path(folder) / f"{i:02}.png" for i in range(22)]
    model = GridModel(seconds=float(seconds))
    extract(paths, [path.name for path in paths], model, out, batch_size=BATCH_SIZE)


if __name__ == "__main__":
    main(*sys.argv[1:])
