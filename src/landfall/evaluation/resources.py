"""What a run took of the machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_rss_mb() -> float | None:
    """Return the most memory this process has held, in MB (10^6 bytes); None where the system won't say."""
    if _STATUS.exists():
        # getrusage would do, but on Linux a process inherits there the peak of the one that started it.
        peak = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
        if peak is not None:
            return int(peak[1]) * 1024 / 1e6
    try:
        import resource  # the module exists on Unix only
    except ImportError:
        return None
    # macOS counts in bytes, other systems in KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
