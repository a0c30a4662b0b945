"""What a run took of the machine."""

from __future__ import annotations

import sys


def peak_rss_mb() -> float | None:
    """Return the most memory this process has held, in MB (10^6 bytes); None where the system won't say."""
    try:
        import resource  # the module exists on Unix only
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return float(peak) / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
