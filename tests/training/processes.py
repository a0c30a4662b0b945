"""Trainings in processes of their own, so that they can be killed, or train together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("run_training.py")


def start(dataset: Path, out: Path, recipe: Path, *kill: object, processes: int = 1) -> subprocess.Popen[str]:
    """Start a training; ``kill`` is (moment, file, count), see the script."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PROCESSES": str(processes)}
    command = [sys.executable, str(SCRIPT), str(dataset), str(out), str(recipe), *map(str, kill)]
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return a training's exit status and what it said."""
    said, _ = process.communicate(timeout=240)
    return process.returncode, said
