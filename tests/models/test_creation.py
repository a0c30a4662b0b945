"""Making heads, backbones and networks by name, and what the card then says."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch

from landfall.errors import ModelError, UnknownNameError
from landfall.models.catalogue import backbones, heads, models
from landfall.models.creation import create_backbone, create_head, create_network


def test_names_are_listed() -> None:
    assert heads() == sorted(heads())
    assert {"base", "gem", "netvlad", "crn", "crn2"} <= set(heads())
    assert {"resnet18", "resnet34", "resnet50", "resnet101", "resnet152"} <= set(backbones())
    assert {"densevlad", "resnet18-base", "resnet18-gem"} <= set(models())


def test_the_package_answers_as_a_function() -> None:
    package: Any = import_module("landfall.models")
    assert package() == models()
    assert package.create_head is create_head


def test_card_holds_every_option() -> None:
    network = create_network("resnet18", "gem", head_options={"out_dim": 32}, height=224, width=224)
    card = network.card
    assert (card.name, card.family, card.backbone, card.head) == (
        "resnet18-gem",
        "network",
        "resnet18",
        "gem",
    )
    assert card.head_options == {
        "out_dim": 32,
        "p": 3.0,
        "learn_p": False,
        "whitening": True,
        "random_start": False,
    }
    assert card.backbone_options == {"train_batch_norm": False}
    assert (card.descriptor_dim, card.height, card.width) == (32, 224, 224)
    assert card.source == "random initialisation"


def test_head_takes_the_backbones_channels() -> None:
    assert create_network("resnet50", "base").card.descriptor_dim == 1024


def test_unknown_names_suggest_close_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"No head is called 'netvald'\. Did you mean netvlad"):
        create_network("resnet18", "netvald")
    with pytest.raises(UnknownNameError, match="No backbone is called 'resnet19'"):
        create_backbone("resnet19")
    with pytest.raises(UnknownNameError, match=r"head 'gem' is called 'whitenning'\. Did you mean whitening"):
        create_head("gem", in_channels=8, whitenning=False)
    with pytest.raises(UnknownNameError, match="option of backbone 'resnet18' is called 'train_bn'"):
        create_network(backbone_options={"train_bn": True})
    with pytest.raises(UnknownNameError, match="option of head 'base' is called 'clusters'"):
        create_head("base", in_channels=8, clusters=4)


@pytest.mark.parametrize(
    ("head", "options", "words"),
    [
        ("gem", {"p": 0}, "p is 0"),
        ("gem", {"p": float("nan")}, "p is nan"),
        ("gem", {"out_dim": 0}, "out_dim is 0"),
        ("gem", {"p": "3"}, r"Option p of head 'gem' is '3' \(str\); expected float, as 3.0"),
        ("netvlad", {"clusters": 64.0}, r"is 64.0 \(float\); expected int"),
        ("netvlad", {"clusters": True}, r"is True \(bool\); expected int"),
        ("gem", {"whitening": False, "out_dim": 4}, "out_dim is 4"),
        ("netvlad", {"clusters": 0}, "0 clusters"),
        ("crn", {"mask_activation": "tanh"}, "'tanh'; expected one of softplus, relu, none"),
        ("crn2", {"mask_activation": "tanh"}, "'tanh'; expected one of softplus, relu, none"),
    ],
)
def test_senseless_options_are_explained(head: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        create_head(head, in_channels=8, **options)


def test_base_can_be_normalised() -> None:
    head = create_head("base", in_channels=8, normalize_output=True)
    assert head.unit_norm
    norms = head(torch.rand(2, 8, 3, 3)).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(2))
