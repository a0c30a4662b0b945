"""How far a training has come. Drawing it is the command line's business."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["features", "mining", "steps", "validation"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one stage of one epoch has come.

    Args:
        stage: computing frozen features, mining a round, its steps, or validating.
        epoch, epochs: from 1; 0 is before the first.
        round, rounds: within the epoch, from 1.
        done, total: photos.
        photos_per_s: of this stage.
        eta_s: seconds left of this stage; None before the first batch.
        loss: mean of the round so far; None outside steps.
    """

    stage: Stage
    epoch: int
    epochs: int
    round: int
    rounds: int
    done: int
    total: int
    photos_per_s: float
    eta_s: float | None
    loss: float | None = None


Tell = Callable[[Progress], None]


def unheard(progress: Progress) -> None:
    """Tell nobody."""


class Meter:
    """Times the stages of one epoch, and tells how far they are.

    Args:
        tell: who is told.
        epoch, epochs, round_, rounds: where the training is.
    """

    def __init__(self, tell: Tell, *, epoch: int, epochs: int, round_: int, rounds: int) -> None:
        self._tell = tell
        self._place = (epoch, epochs, round_, rounds)
        self._stage: Stage = "mining"
        self._started = time.monotonic()

    def start(self, stage: Stage) -> None:
        """Begin a stage."""
        self._stage, self._started = stage, time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return time.monotonic() - self._started

    def told(self, done: int, total: int, loss: float | None = None) -> None:
        """Tell how many photos are done."""
        rate = done / max(self.seconds, 1e-9)
        eta_s = (total - done) / rate if done else None
        self._tell(Progress(self._stage, *self._place, done, total, rate, eta_s, loss))
