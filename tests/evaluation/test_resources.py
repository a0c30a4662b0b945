from __future__ import annotations

import subprocess
import sys

import pytest

from landfall.evaluation import peak_rss_mb

# A process of its own: the peak of this one depends on what other tests held before. (It must not inherit the
# peak of this one either, as getrusage's figure does.)
_HOLD_200_MB = """
import numpy as np
from landfall.evaluation.resources import peak_rss_mb
before = peak_rss_mb()
held = np.ones(25_000_000)
print(before, peak_rss_mb())
"""


@pytest.mark.skipif(peak_rss_mb() is None, reason="this system does not tell a process's peak memory")
def test_peak_memory_counts_in_megabytes() -> None:
    done = subprocess.run([sys.executable, "-c", _HOLD_200_MB], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    # An interpreter with numpy takes tens to hundreds of megabytes; a wrong unit would be off by a thousand.
    assert 20 < before < 2_000
    # Less than the 200 MB held where the imports had held, and freed, more than was in use afterwards.
    assert 100 < after - before < 250
