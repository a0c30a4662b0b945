"""Budgets by name and by number."""

from __future__ import annotations

import pytest

from landfall.errors import UsageError
from landfall.experiments.paper import Budget
from landfall.training import load_recipe


def test_paper_changes_nothing() -> None:
    assert Budget.parse("paper").changes == ()
    assert Budget.parse("paper").queries is None


def test_quick_takes_a_quarter_of_the_pixels_and_never_stops_early() -> None:
    paper, quick = load_recipe("netvlad"), load_recipe("netvlad", Budget.parse("quick").changes)
    assert 4 * quick.model.height * quick.model.width == paper.model.height * paper.model.width
    assert quick.schedule.patience >= quick.schedule.epochs


def test_a_number_is_of_queries() -> None:
    assert Budget.parse("500").queries == 500


@pytest.mark.parametrize("text", ["", "0", "-3", "1.5", "fast", "Quick"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="paper, quick, or a number"):
        Budget.parse(text)


def test_what_the_budget_decides_can_t_be_set() -> None:
    with pytest.raises(UsageError, match="--seeds"):
        Budget.parse("quick").check(["seed=3"])
    with pytest.raises(UsageError, match="--budget 500"):
        Budget.parse("500").check(["schedule.epochs=2"])
    Budget.parse("quick").check(["schedule.epochs=2", "optimizer.lr=1e-4"])
