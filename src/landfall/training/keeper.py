"""Saving a training's models, state, tables and plots, in an order that survives a kill at any moment."""

from __future__ import annotations

import shutil

import torch

from landfall.models import Network
from landfall.training.logs import RunLogs
from landfall.training.run_folder import RunFolder, told_disk_errors
from landfall.training.state import RunState, Saved, write_state


class Keeper:
    """Writes what a run leaves.

    Args:
        folder: of the run.
        state: where the training is.
        title: of plots.

    Raises:
        TrainingError: the folder can't be written.
    """

    def __init__(self, folder: RunFolder, state: RunState, *, title: str) -> None:
        self.folder = folder
        self._epochs = len(state.epochs)
        with told_disk_errors(folder.root):
            self.logs = RunLogs(folder, title, state.step)

    def save(self, network: Network, optimizer: torch.optim.Optimizer, state: RunState) -> None:
        """Save the training after a round.

        The state comes last: killed before it, the round is done again and writes the same over.

        Raises:
            TrainingError: the disk is full or can't be written; the state before is kept.
            ModelError: likewise, of a model's file.
        """
        with told_disk_errors(self.folder.root):
            self.logs.end_round()
            if len(state.epochs) > self._epochs:
                self._epochs = len(state.epochs)
                self.logs.end_epoch(state.epochs)
                if state.epochs[-1].best:
                    network.save(self.folder.best)
            network.save(self.folder.last)
            card = network.card
            write_state(
                self.folder.state,
                Saved(state, network.state_dict(), optimizer.state_dict(), card.source, card.licence),
            )

    def close(self) -> None:
        """End the logs."""
        self.logs.close()

    def clear_caches(self) -> None:
        """Remove what only a training in progress needs."""
        shutil.rmtree(self.folder.cache, ignore_errors=True)
