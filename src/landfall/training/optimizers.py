"""Optimisers: Adam or SGD, with a rate for the mask of CRN and CRN2. Paper, section 4 and table 3."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from landfall.models import Network
from landfall.training.recipe import OptimizerSection


def create_optimizer(network: Network, options: OptimizerSection) -> torch.optim.Optimizer:
    """Return an optimiser of the weights that are trained.

    Args:
        network: frozen weights are those that ask for no gradient.
        options: which, and how fast.
    """
    mask: nn.Module | None = getattr(network.head, "mask", None)
    in_mask = set() if mask is None else {id(weight) for weight in mask.parameters()}
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    rest = [weight for weight in trained if id(weight) not in in_mask]
    masked = [weight for weight in trained if id(weight) in in_mask]
    mask_lr = options.lr if options.mask_lr is None else options.mask_lr
    groups: list[dict[str, Any]] = [{"params": rest, "lr": options.lr}]
    if masked:
        groups.append({"params": masked, "lr": mask_lr})
    if options.name == "sgd":
        return torch.optim.SGD(
            groups, lr=options.lr, momentum=options.momentum, weight_decay=options.weight_decay
        )
    return torch.optim.Adam(groups, lr=options.lr, weight_decay=options.weight_decay)
