"""A build to be killed, run as ``python killed_build.py OUT hold | before NAME | after NAME``.

``hold`` begins the build and waits; else it kills itself around the rename that makes the file ``NAME``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tests.index.conftest import PLAN, build

from landfall.index import begin


def die_around(moment: str, name: str) -> None:
    rename = os.replace

    def replace(source: Path, target: Path) -> None:
        if moment == "before" and target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)
        if target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace  # type: ignore[assignment]


def main(out: str, moment: str, name: str = "") -> None:
    if moment == "hold":
        with begin(out, PLAN):
            print("holding", flush=True)  # noqa: T201 - the test waits for it
            time.sleep(60)
    die_around(moment, name)
    build(Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
