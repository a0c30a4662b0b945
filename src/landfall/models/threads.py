"""Work on many photos in threads, one photo a thread.

torch spreads every operation over all cores and waits for the slowest. On small tensors and a busy machine
that waiting costs far more than it saves (measured on two busy cores: describing a photo took fifteen times
as long as in one thread, the eigenvectors of 250 photos a hundred times), so each thread here computes its
photo alone. What a photo gives then doesn't depend on the number of cores.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Lock, Thread
from typing import TypeVar

import torch

from landfall.cores import available_cores

T = TypeVar("T")
R = TypeVar("R")

_starting = Lock()


def map_in_threads(
    function: Callable[[T], R], items: Iterable[T], *, workers: int | None = None
) -> Iterator[R]:
    """Yield ``function`` of each item, in the items' order.

    Threads work ahead of the consumer by two items each at most; what the function raises is raised here, at
    its item's turn. A consumer that stops leaves the rest undone.

    Args:
        function: releases the interpreter's lock for most of its time, as torch and Pillow do.
        items: what it takes.
        workers: threads; one a core that this process may use by default.
    """
    workers = workers or available_cores()
    waiting = iter(items)
    with ThreadPoolExecutor(
        workers, thread_name_prefix="landfall-models", initializer=use_one_torch_thread
    ) as pool:
        ahead: deque[Future[R]] = deque(pool.submit(function, item) for item in islice(waiting, 2 * workers))
        try:
            while ahead:
                result = ahead.popleft().result()
                ahead.extend(pool.submit(function, item) for item in islice(waiting, 1))
                yield result
        finally:
            for undone in ahead:
                undone.cancel()


def compute_in_one_thread(function: Callable[[], R]) -> R:
    """Return what ``function`` returns, computed without torch's spreading."""
    [result] = map_in_threads(lambda call: call(), [function], workers=1)
    return result


def use_one_torch_thread() -> None:
    """Let torch compute in the calling thread alone; other threads, and those still to come, keep theirs."""
    with _starting:
        usual = torch.get_num_threads()
        torch.set_num_threads(1)
        # The call also set what threads to come will start with. Another thread can set that back without
        # touching this one's.
        restoring = Thread(target=torch.set_num_threads, args=(usual,))
        restoring.start()
        restoring.join()
