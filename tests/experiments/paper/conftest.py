"""A street, and an experiment that ran on it undisturbed, in a process of its own as the killed ones do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.training.street import draw_street

ROOT = Path(__file__).parents[3]

Killable = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six training and three validation places, two database photos and one query each."""
    return draw_street(tmp_path_factory.mktemp("paper") / "street", places=6)


@pytest.fixture(scope="session")
def killable(street: Path) -> Killable:
    """Run the experiment of ``street_run`` into a folder; further arguments say when it kills itself."""

    def run(out: Path, *kill: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        command = [
            sys.executable,
            str(Path(__file__).with_name("killed_run.py")),
            str(street),
            str(out),
            *kill,
        ]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=240
        )

    return run


@pytest.fixture(scope="session")
def undisturbed(killable: Killable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results' folder of a run that nothing disturbed. Copy it before changing it."""
    out = tmp_path_factory.mktemp("undisturbed") / "results"
    done = killable(out)
    assert done.returncode == 0, done.stderr
    return out
