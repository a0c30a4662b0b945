"""What a benchmark ran on, and where its result goes: the same for every script here."""

from __future__ import annotations

import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def environment(*packages: str) -> dict[str, Any]:
    """Return the machine, its load just now, and the versions of Python, Landfall and ``packages``.

    A load beyond the number of cores means that something else took its share of the machine.
    """
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "machine": platform.machine(),
        "load_average_1min": round(os.getloadavg()[0], 1),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("landfall", *packages)},
    }


def write_result(result: dict[str, Any], path: Path) -> None:
    """Print a result as JSON and write it to ``path``."""
    text = json.dumps(result, indent=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    print(text)
