"""How the scripts that tests start and watch die in the middle of their work."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def die_around(moment: str, name: str) -> None:
    """Have this process kill itself "before" or "after" the rename that makes a file called ``name``."""
    rename = os.replace

    def replace(source: Path, target: Path) -> None:
        if moment == "before" and target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)
        if target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace  # type: ignore[assignment]
