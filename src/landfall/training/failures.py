"""What is said when a training can't go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from landfall.errors import TrainingError
from landfall.training.batches import Batch
from landfall.training.data import TrainingData
from landfall.training.recipe import Recipe

_ADVICE = "What was saved before is kept. Lower optimizer.lr (or optimizer.mask_lr), or look at these photos."


def bad_loss(
    data: TrainingData, batch: Batch, descriptors: Tensor, epoch: int, part: int, value: float
) -> str:
    """Say that a loss is no number, in which step and of which photos.

    Args:
        data: names the photos.
        batch: the step's triplets, of this process.
        descriptors: (B, D) of the batch's photos.
        epoch, part: epoch and round, from 0.
        value: the loss.
    """
    finite = descriptors.isfinite().all(dim=1).cpu().numpy()[batch.places]
    lines = []
    for rows, good in zip(batch.rows.tolist(), finite.tolist(), strict=True):
        names = [
            str(data.paths[row]) + ("" if fine else " (its descriptor is not finite)")
            for row, fine in zip(rows, good, strict=True)
        ]
        lines.append(f"  query {names[0]}\n    positive {names[1]}")
        lines += [f"    negative {name}" for name in names[2:]]
    return (
        f"The loss is {value} in epoch {epoch + 1}, round {part + 1}, batch {batch.number + 1}. {_ADVICE} "
        "The batch:\n" + "\n".join(lines)
    )


def bad_weights(names: Sequence[str], epoch: int, part: int) -> str:
    """Say that weights are no numbers any more."""
    return (
        f"After epoch {epoch + 1}, round {part + 1}, weights hold NaN or infinity: {', '.join(names[:5])}. "
        f"{_ADVICE.replace(', or look at these photos', '')}"
    )


@contextmanager
def told_memory_errors(recipe: Recipe) -> Iterator[None]:
    """Turn running out of memory into an error that says which setting to lower.

    Raises:
        TrainingError: memory ran out in the block, on the GPU or of the machine.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(_out_of_memory(recipe, error)) from error
    except RuntimeError as error:
        # torch gives the CPU's shortage so.
        if "can't allocate memory" not in str(error) and "out of memory" not in str(error):
            raise
        raise TrainingError(_out_of_memory(recipe, error)) from error


def _out_of_memory(recipe: Recipe, error: BaseException) -> str:
    first = (str(error) or type(error).__name__).splitlines()[0]
    photos = recipe.schedule.batch_queries * (2 + recipe.mining.negatives)
    return (
        f"Out of memory ({first}). A step takes {photos} photos of {recipe.model.height} x "
        f"{recipe.model.width}: lower schedule.batch_queries (now {recipe.schedule.batch_queries}) and raise "
        f"schedule.accumulate (now {recipe.schedule.accumulate}) by the same factor; then mining.batch_size "
        f"(now {recipe.mining.batch_size}), model.height and model.width. Of the machine's own memory, "
        f"memory.photos_mb (now {recipe.memory.photos_mb:g}) and memory.descriptors_mb "
        f"(now {recipe.memory.descriptors_mb:g}) may be lowered at the cost of time alone."
    )
