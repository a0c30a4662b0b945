"""Work in a process of its own, and the memory that a process holds (Linux only)."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any


def in_new_process(target: Callable[..., None], *arguments: object) -> Any:
    """Return what a function sends, run in a fresh interpreter; it takes the sender as its last argument."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=target, args=(*arguments, sender))
    process.start()
    sender.close()
    received = receiver.recv()
    process.join()
    return received


def held_mb(field: str) -> float:
    """Return VmRSS (now), VmHWM (the highest since ``forget_peak``) or RssAnon (anonymous) in MiB."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise SystemExit(f"/proc/self/status has no {field}: memory is measured on Linux only")
    return int(found[1]) / 1024


def forget_peak() -> None:
    """Let VmHWM start anew from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
