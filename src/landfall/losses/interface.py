"""What every loss offers, and the registry that holds them."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import torch
from torch import Tensor

from landfall.errors import UnknownNameError, UsageError
from landfall.registry import Registry


class Loss(Protocol):
    """Says how far a batch of triplets is from what is wanted; smaller is better."""

    def __call__(self, query: Tensor, positive: Tensor, negatives: Tensor) -> Tensor:
        """Return a scalar for descriptors (B, D), (B, D) and (B, N, D).

        Negative ``[b, n]`` is a negative of query b alone: what it is to another query is not known.

        Raises:
            UsageError: the shapes don't belong together, or there is no query or no negative.
        """
        ...


class LossFactory(Protocol):
    """Makes a loss from keyword-only options that all have defaults."""

    def __call__(self, **options: Any) -> Loss:
        """Return the loss."""
        ...


LOSSES: Registry[LossFactory] = Registry("loss")


def create_loss(name: str, **options: Any) -> Loss:
    """Return a loss by name.

    Args:
        name: one of `LOSSES`.
        **options: the loss's own, for example ``margin=0.1``.

    Raises:
        UnknownNameError: no such loss, or no such option of it; close ones are suggested.
        UsageError: an option's value makes no sense, or a package that the loss needs is not installed.
    """
    make = LOSSES[name]
    known = inspect.signature(make).parameters
    for option in options:
        if option not in known:
            raise UnknownNameError(f"option of loss {name!r}", option, known)
    return make(**options)


def widened(query: Tensor, positive: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the three in float32 or better, checked.

    Distances of half-precision descriptors lie closer together than half precision tells apart.

    Raises:
        UsageError: as `Loss`. Broadcasting would take most wrong shapes in silence.
    """
    shapes = tuple(query.shape), tuple(positive.shape), tuple(negatives.shape)
    fits = query.ndim == 2 and negatives.ndim == 3 and query.shape == positive.shape
    if not (fits and negatives.shape[::2] == query.shape) or 0 in negatives.shape:
        raise UsageError(
            f"A loss got queries {shapes[0]}, positives {shapes[1]} and negatives {shapes[2]}; "
            "expected (B, D), (B, D) and (B, N, D) with B, N and D at least 1."
        )
    dtype = torch.promote_types(query.dtype, torch.float32)
    return query.to(dtype), positive.to(dtype), negatives.to(dtype)


def checked_number(loss: str, option: str, value: object, *, above: float) -> None:
    """Refuse an option that is not a finite number greater than ``above``.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not above < value < float("inf"):
        raise UsageError(f"Option {option} of loss {loss!r} is {value!r}; give a number above {above:g}.")
