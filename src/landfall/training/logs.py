"""What a training leaves for people to look at: tables, plots and TensorBoard's files.

All follow the saved state: what an interrupted process wrote beyond it is taken back on resuming.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from landfall import files, rendering
from landfall.training.run_folder import RunFolder
from landfall.training.state import EpochRecord

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_STEP_COLUMNS = ("step", "epoch", "round", "loss")


class RunLogs:
    """Writes a run's tables and plots.

    Args:
        folder: of the run.
        title: of the plots.
        step: steps that are done; what tables hold beyond them is taken back.

    Raises:
        OSError: the folder can't be written.
    """

    def __init__(self, folder: RunFolder, title: str, step: int) -> None:
        self._folder = folder
        self._title = title
        self._rows: list[tuple[int, int, int, float]] = []
        self._board: SummaryWriter | None = None
        self._first_step = step
        kept = [row for row in _read_rows(folder) if int(row[0]) <= step]
        files.write_text(folder.steps, _as_csv([_STEP_COLUMNS, *kept]))

    def add_step(self, step: int, epoch: int, round_: int, loss: float) -> None:
        """Remember a step until the end of its round."""
        self._rows.append((step, epoch, round_, loss))

    def end_round(self) -> None:
        """Write the round's steps.

        Raises:
            OSError: they can't be written.
        """
        board = self._tensorboard()
        with self._folder.steps.open("a", encoding="utf-8", newline="") as file:
            file.write(_as_csv(self._rows))
        for step, _, _, loss in self._rows:
            board.add_scalar("loss/step", loss, step)
        board.flush()
        self._rows.clear()

    def end_epoch(self, epochs: Sequence[EpochRecord]) -> None:
        """Write the table of epochs and the plots.

        Raises:
            OSError: they can't be written.
        """
        files.write_text(self._folder.epochs, epoch_table(epochs))
        trained = [record for record in epochs if record.loss is not None]
        if trained:
            loss = rendering.Curve(
                "mean loss of the steps",
                np.array([record.epoch for record in trained], float),
                np.array([record.loss for record in trained], float),
            )
            content = rendering.plot_curves(
                [loss], title=f"{self._title}: loss", x_label="Epoch", y_label="Loss"
            )
            rendering.write_output(self._folder.loss_plot, content)
        rendering.write_output(self._folder.recall_plot, _draw_recall(epochs, self._title))
        board = self._tensorboard()
        latest = epochs[-1]
        if latest.loss is not None:
            board.add_scalar("loss/epoch", latest.loss, latest.step)
        for rank, percent in latest.recall.items():
            board.add_scalar(f"recall/{rank}", percent, latest.step)
        board.flush()

    def close(self) -> None:
        """End what is open."""
        if self._board is not None:
            self._board.close()

    def _tensorboard(self) -> SummaryWriter:
        if self._board is None:
            # Slow to import, and not needed before the first round is over.
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(
                str(self._folder.tensorboard), purge_step=self._first_step + 1 if self._first_step else None
            )
        return self._board


def epoch_table(epochs: Sequence[EpochRecord]) -> str:
    """Return the epochs as CSV, a row each."""
    ranks = sorted(epochs[0].recall) if epochs else []
    header = [
        "epoch",
        "step",
        "loss",
        *(f"recall@{rank}" for rank in ranks),
        "best",
        *("mining_s", "mining_photos", "steps_s", "steps_photos", "waiting_s"),
        *("validation_s", "validation_photos"),
    ]
    rows = [
        [
            record.epoch,
            record.step,
            "" if record.loss is None else f"{record.loss:.6g}",
            *(f"{record.recall[rank]:.4g}" for rank in ranks),
            int(record.best),
            f"{record.spent.mining_s:.2f}",
            record.spent.mining_photos,
            f"{record.spent.steps_s:.2f}",
            record.spent.steps_photos,
            f"{record.spent.waiting_s:.2f}",
            f"{record.validation_s:.2f}",
            record.validation_photos,
        ]
        for record in epochs
    ]
    return _as_csv([header, *rows])


def _draw_recall(epochs: Sequence[EpochRecord], title: str) -> bytes:
    x = np.array([record.epoch for record in epochs], float)
    curves = [
        rendering.Curve(f"Recall@{rank}", x, np.array([record.recall[rank] for record in epochs], float))
        for rank in sorted(epochs[0].recall)
    ]
    return rendering.plot_curves(
        curves, title=f"{title}: validation", x_label="Epoch", y_label="Recall (% of queries)"
    )


def _read_rows(folder: RunFolder) -> list[list[str]]:
    """Return the steps' rows that are there in full; none without a file."""
    if not folder.steps.exists():
        return []
    # A process killed while it wrote leaves a last line without its end.
    whole, _, _ = folder.steps.read_text(encoding="utf-8").rpartition("\n")
    return [row for row in list(csv.reader(io.StringIO(whole)))[1:] if len(row) == len(_STEP_COLUMNS)]


def _as_csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
