"""Gradients of the photos that have one, against those of the whole batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from landfall.losses import TripletLoss
from landfall.training.gradients import SparseGradients


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double()


def photos(count: int, *, seed: int = 1) -> Tensor:
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradients(model: nn.Module, objective: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(objective, list(model.parameters())))


class Counted:
    """A description that remembers how many photos came, and how many of them to be differentiated."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.plain: list[int] = []
        self.differentiated: list[int] = []

    def __call__(self, inputs: Tensor) -> Tensor:
        (self.differentiated if torch.is_grad_enabled() else self.plain).append(len(inputs))
        described: Tensor = self.model(inputs)
        return described


# Two triplets of three negatives over eight photos; photo 3 is a negative of both.
PLACES = torch.tensor([[0, 1, 2, 3, 4], [5, 6, 7, 3, 2]])


@pytest.mark.parametrize("always_whole", [False, True])
@pytest.mark.parametrize("margin", [0.0, 0.3, 5.0])
def test_the_gradient_is_that_of_the_plain_loss(margin: float, always_whole: bool) -> None:
    model, loss, x = network(), TripletLoss(margin=margin), photos(8)
    step = SparseGradients(model, loss, always_whole=always_whole).step(x, PLACES)
    described = model(x)
    expected = loss(described[PLACES[:, 0]], described[PLACES[:, 1]], described[PLACES[:, 2:]])
    torch.testing.assert_close(step.loss, expected.detach())
    torch.testing.assert_close(step.descriptors, described.detach())
    for got, wanted in zip(gradients(model, step.objective), gradients(model, expected), strict=True):
        torch.testing.assert_close(got, wanted)


def test_photos_of_triplets_beyond_the_margin_are_described_once_and_without_a_gradient() -> None:
    # On a plane: the query, its positive to the right, a negative within the margin above; two far away.
    x = torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.0, 0.15], [5.0, 0.0], [6.0, 0.0]])
    model = nn.Linear(2, 2)
    nn.init.eye_(model.weight)
    counted = Counted(model)
    step = SparseGradients(counted, TripletLoss(margin=0.1), always_whole=False).step(
        x, torch.tensor([[0, 1, 2, 3, 4]])
    )
    # By hand: (0.1 - 0.15 + 0.1) / 3 negatives.
    assert float(step.loss) == pytest.approx(0.05 / 3, rel=1e-5)
    assert (counted.plain, counted.differentiated) == ([5], [3])


def test_a_step_without_any_gradient_still_reaches_every_weight() -> None:
    model = network()
    step = SparseGradients(model, TripletLoss(margin=0.0), always_whole=False).step(
        torch.cat([photos(1), photos(1), 9 * photos(3, seed=2)]), torch.tensor([[0, 1, 2, 3, 4]])
    )
    assert float(step.loss) == 0.0
    assert all(not gradient.any() for gradient in gradients(model, step.objective))


def test_where_most_photos_have_a_gradient_they_go_through_the_network_once() -> None:
    counted = Counted(network())
    steps = SparseGradients(counted, TripletLoss(margin=5.0), always_whole=False)
    for _ in range(3):
        steps.step(photos(8), PLACES)
    assert steps.share == 1.0
    assert (counted.plain, counted.differentiated) == ([8], [8, 8, 8])


def test_a_loss_that_is_no_number_is_given_back_as_it_is() -> None:
    x = photos(8)
    x[2] = float("nan")
    step = SparseGradients(network(), TripletLoss(), always_whole=False).step(x, PLACES)
    assert step.loss.isnan()
    assert step.descriptors[2].isnan().all()
    assert step.descriptors[1].isfinite().all()
