"""Cores are those this process may use, not those the machine has."""

from __future__ import annotations

import os

import pytest

from landfall.cores import available_cores


def test_affinity_counts_where_the_system_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 3


@pytest.mark.parametrize(("machine", "expected"), [(12, 12), (None, 1)])
def test_elsewhere_the_machine_s_cores_count_and_at_least_one(
    monkeypatch: pytest.MonkeyPatch, machine: int | None, expected: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: machine)
    assert available_cores() == expected
