"""The processes of a training, and what they tell each other. One process is a group of its own."""

from __future__ import annotations

from typing import TypeVar

import torch.distributed as dist

T = TypeVar("T")


def rank() -> int:
    """Return this process's number, from 0."""
    return dist.get_rank() if _together() else 0


def world() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if _together() else 1


def barrier() -> None:
    """Return when every process has come here."""
    if _together():
        dist.barrier()


def gather(thing: T) -> list[T]:
    """Return every process's thing, by rank."""
    if not _together():
        return [thing]
    things: list[T | None] = [None] * world()
    dist.all_gather_object(things, thing)
    return things  # type: ignore[return-value]  # all_gather_object fills every place


def broadcast(thing: T) -> T:
    """Return the first process's thing."""
    if not _together():
        return thing
    things: list[T] = [thing]
    dist.broadcast_object_list(things, src=0)
    return things[0]


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()
