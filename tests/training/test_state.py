"""Which epoch is best, when to stop, and the state's file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from landfall.errors import TrainingError
from landfall.training.state import RunState, Saved, Spent, read_state, write_state


def after(*recalls: tuple[float, float]) -> RunState:
    """The state after epochs of such recall at 5 and at 1, the first of them before training."""
    state = RunState()
    for epoch, (at_5, at_1) in enumerate(recalls):
        recall = {1: at_1, 5: at_5, 10: 99.0, 20: 100.0}
        state = state.with_epoch(epoch=epoch, loss=0.1, recall=recall, seconds=1.0, photos=3)
    return state


def test_the_best_epoch_is_that_of_the_highest_recall_at_5() -> None:
    state = after((50, 40), (60, 30), (70, 20), (65, 50))
    assert state.best is not None
    assert state.best.epoch == 2
    assert state.since_best == 1


def test_recall_at_1_decides_between_equals_and_the_earlier_wins_between_full_equals() -> None:
    state = after((97, 80), (97, 85), (97, 86), (97, 86))
    assert state.best is not None
    assert state.best.epoch == 2
    assert state.since_best == 1


def test_the_untrained_network_is_no_candidate() -> None:
    state = after((90, 90), (50, 50))
    assert state.best is not None
    assert state.best.epoch == 1
    assert after((90, 90)).best is None


def test_patience_counts_epochs_without_a_better_one() -> None:
    assert after((1, 1), (50, 1), (50, 1), (49, 1), (50, 1)).since_best == 3


def test_a_state_reads_back_exactly(tmp_path: Path) -> None:
    state = RunState(round=3, step=7, loss_sum=0.1, loss_steps=2, spent=Spent(mining_s=1.5, mining_photos=4))
    state = state.with_epoch(epoch=1, loss=None, recall={1: 1.0, 5: 2.0}, seconds=1.0, photos=3)
    weights = {"w": torch.randn(3)}
    write_state(
        tmp_path / "state.pt", Saved(state, weights, {"state": {}, "param_groups": []}, "here", "MIT")
    )
    read = read_state(tmp_path / "state.pt")
    assert read.state == state
    assert torch.equal(read.weights["w"], weights["w"])
    assert (read.source, read.licence) == ("here", "MIT")


def test_missing_and_damaged_states_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"landfall train RECIPE"):
        read_state(tmp_path / "state.pt")
    write_state(tmp_path / "state.pt", Saved(RunState(), {"w": torch.zeros(100)}, {}, "", ""))
    content = (tmp_path / "state.pt").read_bytes()
    (tmp_path / "state.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match="damaged"):
        read_state(tmp_path / "state.pt")
    torch.save({"format": 99}, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match="99"):
        read_state(tmp_path / "state.pt")
