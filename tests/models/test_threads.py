"""Working on many photos in threads: order, bounds, errors, and torch's own threads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Thread, current_thread

import pytest
import torch

from landfall.models.threads import (
    compute_in_one_thread,
    map_in_threads,
    use_one_torch_thread,
)


@pytest.fixture
def three_torch_threads() -> Iterator[None]:
    """Let torch use three threads, whatever the machine, and put back what it was."""
    usual = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(usual)


def in_a_new_thread() -> int:
    """Return how many threads torch uses in a thread that starts now."""
    found: list[int] = []
    thread = Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def test_results_come_in_the_items_order() -> None:
    def late_if_first(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return item * item

    assert list(map_in_threads(late_if_first, range(9), workers=4)) == [item * item for item in range(9)]
    assert list(map_in_threads(late_if_first, [])) == []


def test_torch_computes_in_the_worker_alone_and_elsewhere_as_before(three_torch_threads: None) -> None:
    used = list(
        map_in_threads(lambda _: (torch.get_num_threads(), current_thread().name), range(8), workers=2)
    )
    assert {count for count, _ in used} == {1}
    assert all(name != current_thread().name for _, name in used)
    assert torch.get_num_threads() == 3
    assert in_a_new_thread() == 3


def test_a_thread_that_asks_for_it_is_the_only_one_changed(three_torch_threads: None) -> None:
    found: list[int] = []

    def ask() -> None:
        use_one_torch_thread()
        found.extend([torch.get_num_threads(), in_a_new_thread()])

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [1, 3]
    assert torch.get_num_threads() == 3


def test_one_computation_has_one_thread(three_torch_threads: None) -> None:
    assert compute_in_one_thread(torch.get_num_threads) == 1
    assert torch.get_num_threads() == 3


def test_items_are_taken_only_a_few_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = map_in_threads(lambda item: item, items(), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(taken) <= 3 + 2 * 2
    results.close()  # type: ignore[attr-defined]
    assert len(taken) < 10


def test_an_error_comes_at_its_item_s_turn() -> None:
    results = map_in_threads(lambda item: 6 // item, [3, 2, 0, 1], workers=3)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_threads_are_found_where_none_are_named() -> None:
    assert list(map_in_threads(str, [1])) == ["1"]
