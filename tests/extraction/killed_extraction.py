"""An extraction to be killed, run as ``python killed_extraction.py PHOTOS OUT SECONDS [before|after NAME]``.

It sleeps ``SECONDS`` in each batch of two photos and brings each to the disk at once. With ``before`` or
``after`` it kills itself around the rename that makes the file ``NAME``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.dying import die_around
from tests.extraction.conftest import GridModel

from landfall.extraction import extract, partial

BATCH_SIZE = 2


def main(folder: str, out: str, seconds: str, moment: str = "", name: str = "") -> None:
    partial.SYNC_EVERY_S = 0.0
    if moment:
        die_around(moment, name)
    paths = [Path(folder) / f"{i:02}.png" for i in range(22)]
    model = GridModel(seconds=float(seconds))
    extract(paths, [path.name for path in paths], model, out, batch_size=BATCH_SIZE)


if __name__ == "__main__":
    main(*sys.argv[1:])
