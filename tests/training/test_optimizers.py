from __future__ import annotations

import pytest
import torch

from landfall.models import create_network
from landfall.training.optimizers import create_optimizer, decay_rates
from landfall.training.recipe import OptimizerSection


def rates(head: str, **options: object) -> dict[str, float]:
    """Each trained weight's learning rate, by its name."""
    network = create_network("resnet18", head)
    optimizer = create_optimizer(network, OptimizerSection.model_validate(options))
    names = {id(weight): name for name, weight in network.named_parameters()}
    return {names[id(w)]: group["lr"] for group in optimizer.param_groups for w in group["params"]}


@pytest.mark.parametrize("head", ["crn", "crn2"])
def test_the_mask_branch_has_a_rate_of_its_own(head: str) -> None:
    found = rates(head, lr=1e-5, mask_lr=1e-3)
    assert {rate for name, rate in found.items() if name.startswith("head.mask.")} == {1e-3}
    assert {rate for name, rate in found.items() if not name.startswith("head.mask.")} == {1e-5}
    assert set(rates(head, lr=1e-4).values()) == {1e-4}


def test_the_head_has_a_rate_of_its_own_which_its_mask_follows() -> None:
    for options, of_mask in (({"mask_lr": 1e-2}, 1e-2), ({}, 1e-3)):
        for name, rate in rates("crn2", lr=1e-5, head_lr=1e-3, **options).items():
            expected = of_mask if ".mask." in name else 1e-3 if name.startswith("head.") else 1e-5
            assert rate == expected, name


@pytest.mark.parametrize("head", ["base", "gem", "netvlad", "crn", "crn2"])
def test_frozen_stages_are_not_optimised_and_all_else_is(head: str) -> None:
    expected = {
        name
        for name, _ in create_network("resnet18", head).named_parameters()
        if name.startswith(("backbone.layer3.", "head."))
    }
    assert set(rates(head)) == expected


def test_adam_and_sgd() -> None:
    network = create_network("resnet18", "netvlad")
    assert isinstance(create_optimizer(network, OptimizerSection()), torch.optim.Adam)
    sgd = create_optimizer(network, OptimizerSection(name="sgd", momentum=0.8, weight_decay=0.1))
    assert isinstance(sgd, torch.optim.SGD)
    assert (sgd.defaults["momentum"], sgd.defaults["weight_decay"]) == (0.8, 0.1)


def test_a_decayed_rate_falls_along_half_a_cosine() -> None:
    optimizer = create_optimizer(create_network("resnet18", "crn2"), OptimizerSection(lr=1e-5, mask_lr=1e-3))

    def at(done: float) -> list[float]:
        decay_rates(optimizer, done)
        return [group["lr"] for group in optimizer.param_groups]

    # A half of it is left half way, and a third of the way cos(60 deg) = 1/2 leaves three quarters.
    assert at(0.5) == pytest.approx([0.5e-5, 0.5e-3])
    assert at(1 / 3) == pytest.approx([0.75e-5, 0.75e-3])
    assert at(1.0) == pytest.approx([0.0, 0.0])
    assert at(0.0) == pytest.approx([1e-5, 1e-3])
