"""What a training has to remember to go on exactly: written whole at the end of every round.

The file holds tensors, numbers and text, and is read without executing anything.
"""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from landfall import files
from landfall.errors import TrainingError

FORMAT = 1

#: The rank N whose recall decides which epoch is best (paper: 5), and the one that decides between equals.
MONITOR, TIE = 5, 1


@dataclass(frozen=True)
class Spent:
    """Seconds and photos of an epoch's stages so far."""

    mining_s: float = 0.0
    mining_photos: int = 0
    steps_s: float = 0.0
    steps_photos: int = 0
    waiting_s: float = 0.0


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch gave; epoch 0 is before training.

    Attributes:
        epoch: from 1.
        step: weight updates' batches so far.
        loss: mean over the epoch's steps; None for epoch 0.
        recall: percent of validation queries by rank.
        best: whether it is the best epoch so far.
        spent: seconds and photos of mining and steps.
        validation_s, validation_photos: of validating.
    """

    epoch: int
    step: int
    loss: float | None
    recall: dict[int, float]
    best: bool
    spent: Spent
    validation_s: float
    validation_photos: int


@dataclass(frozen=True)
class RunState:
    """Where a training is.

    Attributes:
        round: rounds done, through all epochs.
        step: steps done.
        loss_sum, loss_steps: of the current epoch's steps.
        spent: of the current epoch.
        epochs: what the epochs so far gave.
        since_best: epochs since the best one.
        finished: whether there is nothing left to do.
    """

    round: int = 0
    step: int = 0
    loss_sum: float = 0.0
    loss_steps: int = 0
    spent: Spent = field(default_factory=Spent)
    epochs: tuple[EpochRecord, ...] = ()
    since_best: int = 0
    finished: bool = False

    @property
    def best(self) -> EpochRecord | None:
        """The best epoch so far; None before the first."""
        return next((record for record in reversed(self.epochs) if record.best), None)

    def with_epoch(
        self, *, epoch: int, loss: float | None, recall: dict[int, float], seconds: float, photos: int
    ) -> RunState:
        """Return the state after an epoch was validated; what was counted for the epoch starts anew.

        The best epoch has the highest recall at `MONITOR`; recall at `TIE` decides between equals, for on
        small validation sets the first is soon as high as it can be. Epoch 0 is no candidate.
        """
        best = self.best
        better = epoch > 0 and (
            best is None or (recall[MONITOR], recall[TIE]) > (best.recall[MONITOR], best.recall[TIE])
        )
        record = EpochRecord(epoch, self.step, loss, recall, better, self.spent, seconds, photos)
        return replace(
            self,
            epochs=(*self.epochs, record),
            since_best=0 if better or epoch == 0 else self.since_best + 1,
            loss_sum=0.0,
            loss_steps=0,
            spent=Spent(),
        )


@dataclass(frozen=True)
class Saved:
    """A saved training.

    Attributes:
        state: where it is.
        weights: the network's state dict.
        optimizer: the optimiser's.
        source, licence: of the weights that the training started from.
    """

    state: RunState
    weights: dict[str, Any]
    optimizer: dict[str, Any]
    source: str
    licence: str


def write_state(path: Path, saved: Saved) -> None:
    """Write a training's state, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    told = {
        "format": FORMAT,
        "state": asdict(saved.state),
        "weights": saved.weights,
        "optimizer": saved.optimizer,
        "source": saved.source,
        "licence": saved.licence,
    }
    with files.written_beside(path, durable=True) as working:
        try:
            torch.save(told, working)
        except RuntimeError as error:
            # torch's writer gives a full disk as this.
            raise OSError(str(error).splitlines()[0]) from error


def read_state(path: Path) -> Saved:
    """Return a training's state.

    Raises:
        TrainingError: there is none, or none that this version reads.
    """
    try:
        told = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(
            f"{path.parent} holds no training that can be resumed: {path.name} is missing. Start one with "
            "`landfall train RECIPE --data DATASET --out RUN`."
        ) from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(
            f"{path}: can't be read ({error}). It was damaged: start the training anew."
        ) from error
    if told.get("format") != FORMAT:
        raise TrainingError(
            f"{path}: has format {told.get('format')!r}, and this Landfall reads {FORMAT}. Use the Landfall "
            "that made it."
        )
    state = dict(told["state"])
    state["spent"] = Spent(**state["spent"])
    state["epochs"] = tuple(
        EpochRecord(**{**record, "spent": Spent(**record["spent"])}) for record in state["epochs"]
    )
    return Saved(RunState(**state), told["weights"], told["optimizer"], told["source"], told["licence"])
