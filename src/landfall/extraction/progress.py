"""How far an extraction has come and where its time goes. Drawing it is the command line's business."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Literal

Stage = Literal["reading", "network", "writing"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an extraction has come, told after each batch.

    Args:
        done: photos behind it, the failed ones and those of earlier runs included.
        total: photos in all.
        failed: photos that could not be described.
        photos_per_s: speed of this run; 0 before its first batch.
        eta_s: seconds left at that speed; None before the first batch.
    """

    done: int
    total: int
    failed: int
    photos_per_s: float
    eta_s: float | None


@dataclass(slots=True)
class Timing:
    """Seconds by what the main thread was doing; decoding that the network's time hides counts nothing.

    Args:
        reading_s: waiting for photos that were not decoded yet.
        network_s: in the model.
        writing_s: writing descriptors and the journal.
    """

    reading_s: float = 0.0
    network_s: float = 0.0
    writing_s: float = 0.0

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        """Add the block's seconds to ``stage``."""
        started = monotonic()
        try:
            yield
        finally:
            field = f"{stage}_s"
            setattr(self, field, getattr(self, field) + monotonic() - started)

    def __add__(self, other: Timing) -> Timing:
        return Timing(
            self.reading_s + other.reading_s,
            self.network_s + other.network_s,
            self.writing_s + other.writing_s,
        )

    def __sub__(self, other: Timing) -> Timing:
        return Timing(
            self.reading_s - other.reading_s,
            self.network_s - other.network_s,
            self.writing_s - other.writing_s,
        )

    @property
    def total_s(self) -> float:
        """All three together."""
        return self.reading_s + self.network_s + self.writing_s

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage by its name."""
        return {"reading": self.reading_s, "network": self.network_s, "writing": self.writing_s}

    def shares(self) -> dict[str, float]:
        """Return the share of each stage in the total, 0 to 1; zeros before anything was measured."""
        total = self.total_s or 1.0
        return {stage: seconds / total for stage, seconds in self.seconds().items()}
