"""A build to be killed, run as ``python killed_build.py OUT hold | before NAME | after NAME``.

``hold`` begins the build and waits; else it kills itself around the rename that makes the file ``NAME``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.dying import die_around
from tests.index.conftest import PLAN, build

from landfall.index import begin


def main(out: str, moment: str, name: str = "") -> None:
    if moment == "hold":
        with begin(out, PLAN):
            print("holding", flush=True)  # noqa: T201 - the test waits for it
            time.sleep(60)
    die_around(moment, name)
    build(Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
