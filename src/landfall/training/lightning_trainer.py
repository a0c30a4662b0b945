"""Lightning's trainer as it is used here: processes, precision, accumulated steps."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy

from landfall.errors import UsageError
from landfall.training.machine import Machine
from landfall.training.recipe import Recipe


def uses_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Tell whether to compute in bfloat16.

    Raises:
        UsageError: it was asked for, and there is no GPU.
    """
    wanted = recipe.schedule.precision
    if device.type != "cuda":
        # On a CPU it is several times slower than float32.
        if wanted == "bf16":
            raise UsageError("schedule.precision is bf16, and this is a CPU; use 32, or auto.")
        return False
    return wanted == "bf16" or (wanted == "auto" and torch.cuda.is_bf16_supported())


def create_trainer(
    recipe: Recipe, device: torch.device, machine: Machine, bf16: bool, rounds: int
) -> pl.Trainer:
    """Return Lightning's trainer for so many rounds, without what we do ourselves: saving and showing."""
    together = machine.processes > 1
    backend = "nccl" if device.type == "cuda" else "gloo"
    one = [device.index or 0] if device.type == "cuda" else 1
    return pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=machine.processes if together else one,
        strategy=DDPStrategy(process_group_backend=backend) if together else "auto",
        precision="bf16-mixed" if bf16 else "32-true",
        max_epochs=rounds,
        accumulate_grad_batches=recipe.schedule.accumulate,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's remarks off the terminal for a while."""
    logs = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the training as it ends everything else, whatever Lightning makes of it.

    Raises:
        KeyboardInterrupt: it came.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as ended:
        if isinstance(ended.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
