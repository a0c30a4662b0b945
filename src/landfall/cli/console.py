"""What every verb says and how: messages and progress on stderr, answers on stdout, JSON to a file."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from landfall import files
from landfall.errors import UsageError

# Two lines of progress in a log file are at least this far apart.
PLAIN_PROGRESS_EVERY_S = 10.0

Advance = Callable[..., None]


def say(message: str, *, quiet: bool = False) -> None:
    """Write a line for the person at the terminal to stderr."""
    if not quiet:
        print(message, file=sys.stderr, flush=True)  # noqa: T201 - this is the place that prints


def answer(text: str) -> None:
    """Write a result that a person asked for to stdout."""
    print(text, flush=True)  # noqa: T201 - this is the place that prints


def write_text(path: Path, text: str) -> None:
    """Write a file beside its place and rename it there, making its folder.

    Raises:
        UsageError: the place can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(path, text)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}") from error


def write_json(target: str | None, value: Any) -> None:
    """Write ``value`` as JSON to the file ``target``, to stdout for ``-``, nowhere for None.

    Raises:
        UsageError: the file can't be written.
    """
    if target is None:
        return
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    if target == "-":
        answer(text)
    else:
        write_text(Path(target), text + "\n")


@contextmanager
def progress_bar(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Advance]:
    """Show how far long work has come, with photos a second and the time left, on stderr.

    Yields ``advance(done, failed=0, total=None)``, called with counts so far. On a terminal it is a bar, in a
    log file a line now and then.
    """
    if quiet:
        yield _silent
    elif sys.stderr.isatty():
        with _rich_bar(what, total) as advance:
            yield advance
    else:
        yield _plain_lines(what, total)


def _silent(done: int, failed: int = 0, total: int | None = None) -> None:
    """Take counts and show nothing."""
    del done, failed, total


@contextmanager
def _rich_bar(what: str, total: int | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, rate="", failed="")
        started = time.monotonic()

        def advance(done: int, failed: int = 0, total: int | None = None) -> None:
            elapsed = time.monotonic() - started
            rate = f"{done / elapsed:.1f}/s" if elapsed > 0 else ""
            broken = f"{failed} failed" if failed else ""
            if total is not None:
                bar.update(task, total=total)
            bar.update(task, completed=done, rate=rate, failed=broken)

        yield advance


def _plain_lines(what: str, total: int | None) -> Advance:
    started = time.monotonic()
    last = started

    known_total = total

    def advance(done: int, failed: int = 0, total: int | None = None) -> None:
        nonlocal last
        of = known_total if total is None else total
        now = time.monotonic()
        if now - last < PLAIN_PROGRESS_EVERY_S and done != of:
            return
        last = now
        rate = done / max(now - started, 1e-9)
        left = f", {(of - done) / rate:.0f} s left" if of and rate > 0 and done < of else ""
        broken = f", {failed} failed" if failed else ""
        say(f"{what}: {done}{f'/{of}' if of else ''} ({rate:.1f}/s{left}{broken})")

    return advance
