"""Optimisers: Adam or SGD, with rates of their own for head and mask. Paper, section 4 and table 3."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from landfall.models import Network
from landfall.training.recipe import OptimizerSection

# Where a group of weights remembers its rate before any decay; it is saved with the optimiser.
_FULL = "full_lr"


def create_optimizer(network: Network, options: OptimizerSection) -> torch.optim.Optimizer:
    """Return an optimiser of the weights that are trained.

    Args:
        network: frozen weights are those that ask for no gradient.
        options: which, and how fast.
    """
    mask: nn.Module | None = getattr(network.head, "mask", None)
    in_mask = set() if mask is None else {id(weight) for weight in mask.parameters()}
    in_head = {id(weight) for weight in network.head.parameters()} - in_mask
    head_lr = options.lr if options.head_lr is None else options.head_lr
    mask_lr = head_lr if options.mask_lr is None else options.mask_lr
    by_rate: dict[float, list[nn.Parameter]] = {}
    for weight in network.parameters():
        if weight.requires_grad:
            lr = mask_lr if id(weight) in in_mask else head_lr if id(weight) in in_head else options.lr
            by_rate.setdefault(lr, []).append(weight)
    groups: list[dict[str, Any]] = [{"params": own, "lr": lr, _FULL: lr} for lr, own in by_rate.items()]
    if options.name == "sgd":
        return torch.optim.SGD(
            groups, lr=options.lr, momentum=options.momentum, weight_decay=options.weight_decay
        )
    return torch.optim.Adam(groups, lr=options.lr, weight_decay=options.weight_decay)


def cosine_decay(done: float) -> float:
    """Return what is left of a rate when a share ``done`` of all steps is done: 1 at 0, 0 at 1.

    I. Loshchilov, F. Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR 2017, equation 5.
    """
    return 0.5 * (1.0 + math.cos(math.pi * min(max(done, 0.0), 1.0)))


def decay_rates(optimizer: torch.optim.Optimizer, done: float) -> None:
    """Set the rates of an optimiser of `create_optimizer` for a share ``done`` of all steps."""
    for group in optimizer.param_groups:
        group["lr"] = group[_FULL] * cosine_decay(done)
