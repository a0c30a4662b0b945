from __future__ import annotations

import pytest
import torch
from torch import Tensor

from landfall.errors import UsageError
from landfall.losses import triplet_loss


def descriptors(*, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Three queries of eight numbers with five negatives, as near as their positives or nearer at times."""
    generator = torch.Generator().manual_seed(seed)
    query, positive = (torch.randn(3, 8, generator=generator, dtype=dtype) for _ in range(2))
    return query, positive, torch.randn(3, 5, 8, generator=generator, dtype=dtype)


def written_out(q: Tensor, p: Tensor, n: Tensor, margin: float, *, squared: bool) -> float:
    """Equation 5, one triplet and one number at a time."""
    total = 0.0
    for b in range(len(q)):
        for i in range(n.shape[1]):
            near = sum((float(x) - float(y)) ** 2 for x, y in zip(q[b], p[b], strict=True))
            far = sum((float(x) - float(y)) ** 2 for x, y in zip(q[b], n[b, i], strict=True))
            if not squared:
                near, far = near**0.5, far**0.5
            total += max(near - far + margin, 0.0)
    return total / (len(q) * n.shape[1])


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("margin", [0.0, 0.1, 2.0])
def test_equals_the_loop(margin: float, squared: bool) -> None:
    expected = written_out(*descriptors(), margin, squared=squared)
    assert expected > 0
    loss = triplet_loss(*descriptors(), margin=margin, squared=squared)
    assert loss.shape == ()
    assert float(loss) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("squared", [False, True])
def test_gradients_are_those_of_differences(squared: bool) -> None:
    # None of these triplets lies at the hinge's kink, where there is no gradient to compare with.
    tensors = tuple(tensor.requires_grad_() for tensor in descriptors())
    assert torch.autograd.gradcheck(lambda *x: triplet_loss(*x, margin=0.3, squared=squared), tensors)


@pytest.mark.parametrize("squared", [False, True])
def test_no_loss_and_no_gradient_when_all_negatives_are_far(squared: bool) -> None:
    query, positive, negatives = descriptors()
    query.requires_grad_()
    loss = triplet_loss(query, positive, negatives + 100, squared=squared)
    torch.autograd.backward(loss)
    assert loss.item() == 0.0
    assert query.grad is not None
    assert not query.grad.any()


def test_without_margin_a_right_order_costs_nothing_and_a_wrong_one_its_difference() -> None:
    # By hand: distances 3 and 5, then swapped; 5 - 3 over one of two queries.
    query = torch.zeros(2, 2)
    near, far = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 5.0])
    loss = triplet_loss(query, torch.stack([near, far]), torch.stack([far, near])[:, None], margin=0.0)
    assert float(loss) == 1.0


def test_the_margin_alone_is_left_when_positive_and_negative_are_one_photo() -> None:
    query, positive, _ = descriptors()
    assert float(triplet_loss(query, positive, positive[:, None], margin=0.25)) == 0.25


def test_gradient_is_finite_where_query_and_positive_or_negative_are_equal() -> None:
    query, _, negatives = descriptors()
    negatives = negatives.clone()
    negatives[:, 0] = query
    tensors = [query.requires_grad_(), query.detach().clone().requires_grad_(), negatives.requires_grad_()]
    loss = triplet_loss(*tensors, margin=10.0)
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    for tensor in tensors:
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
    # At distance zero the Euclidean distance has no slope, so the positive isn't moved; the others are.
    assert tensors[1].grad is not None
    assert not tensors[1].grad.any()
    assert tensors[2].grad is not None
    assert tensors[2].grad[:, 1:].abs().sum() > 0


def test_the_order_of_negatives_does_not_matter() -> None:
    query, positive, negatives = descriptors()
    turned = triplet_loss(query, positive, negatives.flip(1))
    assert float(turned) == pytest.approx(float(triplet_loss(query, positive, negatives)), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    query, positive, negatives = (tensor.to(dtype) for tensor in descriptors(dtype=torch.float32))
    loss = triplet_loss(query, positive, negatives)
    assert loss.dtype == torch.float32
    expected = written_out(query, positive, negatives, 0.1, squared=False)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("query", "positive", "negatives"),
    [
        ((3, 8), (3, 8), (3, 8)),
        ((3, 8), (1, 8), (3, 5, 8)),
        ((3, 8), (3, 8), (1, 5, 8)),
        ((3, 8), (3, 8), (3, 5, 7)),
        ((3, 8), (3, 8), (3, 0, 8)),
        ((0, 8), (0, 8), (0, 5, 8)),
    ],
)
def test_shapes_that_do_not_belong_together_are_refused(
    query: tuple[int, ...], positive: tuple[int, ...], negatives: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError, match=r"expected \(B, D\), \(B, D\) and \(B, N, D\)"):
        triplet_loss(torch.zeros(query), torch.zeros(positive), torch.zeros(negatives))
