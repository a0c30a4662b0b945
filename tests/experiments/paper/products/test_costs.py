"""Table 2: parameters as the paper counts them, and times that a warm-up and turns make fair."""

from __future__ import annotations

import pytest

from landfall.experiments.paper.products.costs import head_parameters, quartiles, time_in_turns
from landfall.experiments.paper.published import TABLE_2_PARAMETERS
from landfall.models import create_network


@pytest.mark.parametrize("head", ["Base", "GeM", "NetVLAD", "CRN", "CRN2"])
def test_parameters_are_the_paper_s(head: str) -> None:
    assert head_parameters(create_network(head=head.lower(), weights=None)) == TABLE_2_PARAMETERS[head]


def test_quartiles_are_those_of_the_textbook() -> None:
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == {"median": 3.0, "low": 2.0, "high": 4.0}
    assert quartiles([7.0, 7.0]) == {"median": 7.0, "low": 7.0, "high": 7.0}


def test_heads_take_turns_and_the_warm_up_does_not_count() -> None:
    called: list[str] = []
    spent = time_in_turns(
        {"a": lambda: called.append("a"), "b": lambda: called.append("b")}, warm_up=2, repeats=3
    )
    assert called == ["a", "b"] * 5
    assert {label: len(times) for label, times in spent.items()} == {"a": 3, "b": 3}


def test_times_are_milliseconds_of_the_clock() -> None:
    ticks = iter([0.0, 0.5, 2.0, 2.25])
    spent = time_in_turns({"a": lambda: None}, warm_up=0, repeats=2, clock=lambda: next(ticks))
    assert spent == {"a": [500.0, 250.0]}
