"""How long a stage takes, and for what share of it a GPU computes."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile


class Stopwatch:
    """Times a stage, the GPU's work of it included.

    Args:
        watch: also take the share of time in which at least one kernel runs on the GPU; slows down a little.
    """

    def __init__(self, *, watch: bool = False) -> None:
        self._profile = profile(activities=[ProfilerActivity.CUDA]) if watch else None
        self.gpu_share: float | None = None
        if self._profile is not None:
            self._profile.start()
        self._started = self._now()

    def stop(self) -> tuple[float, float]:
        """Return the seconds since the start, and those of all the process's threads on the CPU."""
        seconds, cpu_s = (now - then for now, then in zip(self._now(), self._started, strict=True))
        if self._profile is not None:
            self._profile.stop()
            # Copies are no computing, and a user's annotation is a span of the program's, not the GPU's.
            spans = [
                (event.time_range.start, event.time_range.end)
                for event in self._profile.events()  # type: ignore[no-untyped-call]
                if event.device_type.name == "CUDA"
                and not event.is_user_annotation
                and not event.name.startswith(("Memcpy", "Memset"))
            ]
            self.gpu_share = covered(spans) / 1e6 / seconds
        return seconds, cpu_s

    @staticmethod
    def _now() -> tuple[float, float]:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter(), time.process_time()


def covered(spans: list[tuple[float, float]]) -> float:
    """Return the length of the union of spans (start, end)."""
    total, reached = 0.0, -np.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
