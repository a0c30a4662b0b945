"""A structure whose saving is killed, run as ``python killed_save.py FOLDER before | after``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tests.dying import die_around

from landfall.index.kinds import build_structure


def main(folder: str, moment: str) -> None:
    die_around(moment, Path(folder).name)
    rows = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float16)
    build_structure("binary", rows).save(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
