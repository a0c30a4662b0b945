from __future__ import annotations

import math
import sys

import pytest
import torch
from torch import Tensor

from landfall.errors import UnknownNameError, UsageError
from landfall.losses import LOSSES, create_loss, triplet_loss


def unit(*size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(*size, generator=generator, dtype=torch.float64), dim=-1)


QUERY, POSITIVE, NEGATIVES = unit(3, 6, seed=1), unit(3, 6, seed=2), unit(3, 4, 6, seed=3)


def test_triplet_takes_its_options() -> None:
    loss = create_loss("triplet", margin=0.7, squared=True)(QUERY, POSITIVE, NEGATIVES)
    assert torch.equal(loss, triplet_loss(QUERY, POSITIVE, NEGATIVES, margin=0.7, squared=True))
    assert not torch.equal(loss, create_loss("triplet")(QUERY, POSITIVE, NEGATIVES))


def test_multi_similarity_equals_its_equation() -> None:
    # Wang et al., equation 15, one query at a time.
    alpha, beta, base = 3.0, 20.0, 0.4
    expected = 0.0
    for q, p, negatives in zip(QUERY, POSITIVE, NEGATIVES, strict=True):
        pull = math.exp(-alpha * (float(q @ p) - base))
        push = sum(math.exp(beta * (float(q @ n) - base)) for n in negatives)
        expected += math.log(1 + pull) / alpha + math.log(1 + push) / beta
    loss = create_loss("multi_similarity", alpha=alpha, beta=beta, base=base)(QUERY, POSITIVE, NEGATIVES)
    assert float(loss) == pytest.approx(expected / 3, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES.names())
def test_a_loss_pulls_positives_and_pushes_negatives(name: str) -> None:
    query, positive = QUERY.clone().requires_grad_(), POSITIVE.clone().requires_grad_()
    negatives = NEGATIVES.clone().requires_grad_()
    torch.autograd.backward(create_loss(name)(query, positive, negatives))
    assert positive.grad is not None
    assert negatives.grad is not None
    # A step against the gradient brings a photo nearer where it grows the cosine with the query. A query
    # whose triplets are all beyond the margin moves nothing.
    pulled, pushed = (-positive.grad * QUERY).sum(dim=1), (-negatives.grad * QUERY[:, None]).sum(dim=2)
    assert (pulled >= 0).all()
    assert (pulled > 0).sum() >= 2
    assert (pushed <= 0).all()
    assert (pushed < 0).sum() >= 2


@pytest.mark.parametrize("name", LOSSES.names())
def test_another_query_s_negatives_do_not_matter_to_a_query(name: str) -> None:
    loss = create_loss(name)
    alone = [float(loss(QUERY[[b]], POSITIVE[[b]], NEGATIVES[[b]])) for b in range(3)]
    together = float(loss(QUERY, POSITIVE, NEGATIVES))
    assert together == pytest.approx(sum(alone) / 3, rel=1e-9)


@pytest.mark.parametrize("name", LOSSES.names())
def test_autocast_changes_nothing(name: str) -> None:
    tensors = [tensor.float() for tensor in (QUERY, POSITIVE, NEGATIVES)]
    expected = create_loss(name)(*tensors)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(create_loss(name)(*tensors), expected)


def test_unknown_names_are_met_with_close_ones() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean triplet"):
        create_loss("triplets")
    with pytest.raises(UnknownNameError, match=r"option of loss 'triplet'.*Did you mean margin"):
        create_loss("triplet", margn=0.1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("triplet", {"margin": -0.1}),
        ("triplet", {"margin": math.nan}),
        ("triplet", {"margin": "0.1"}),
        ("triplet", {"squared": "yes"}),
        ("multi_similarity", {"alpha": 0}),
        ("multi_similarity", {"beta": math.inf}),
        ("multi_similarity", {"base": -1.0}),
    ],
)
def test_options_that_make_no_sense_are_named(name: str, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"Option {next(iter(options))} of loss '{name}'"):
        create_loss(name, **options)


def test_a_missing_package_is_named_and_said_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_metric_learning", None)
    with pytest.raises(UsageError, match=r"pip install 'landfall\[train\]'"):
        create_loss("multi_similarity")
    create_loss("triplet")
