"""With which versions, on what machine and from which commit numbers came."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

import landfall


def environment() -> dict[str, str | None]:
    """Return the versions and the machine; no names of machines or people."""
    import numpy as np
    import torch

    return {
        "landfall": landfall.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": str(torch.get_num_threads()),
    }


@cache
def _cpu() -> str | None:
    """Return the processor's model; None where the system has no such file."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    models = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return models[0] if models else None


@cache
def commit() -> str | None:
    """Return the commit that the package runs from, "-dirty" after it where files differ; None if unknown."""
    package = Path(landfall.__file__).parent
    # Installed below somebody else's repository, the package is no part of it.
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(package, "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
