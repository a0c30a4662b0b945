"""Experiments to be killed, run as ``python killed_run.py STREET OUT [before|after NAME]``.

With ``before`` or ``after`` it kills itself around the rename that makes the first file called ``NAME``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.dying import die_around
from tests.experiments.paper.street_run import run_on_street


def main(street: str, out: str, moment: str = "", name: str = "") -> None:
    if moment:
        die_around(moment, name)
    run_on_street(Path(street), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
