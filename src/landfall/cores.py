"""How many threads are worth starting here."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return how many cores this process may use, at least 1.

    Containers and ``taskset`` narrow the process's affinity, which only Linux tells; elsewhere it is the
    machine's cores.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
