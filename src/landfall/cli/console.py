"""What every verb says and how: messages and progress on stderr, answers on stdout, JSON to a file."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from landfall.errors import UsageError

# Two lines of progress in a log file are at least this far apart.
PLAIN_PROGRESS_EVERY_S = 10.0
# What stands for stdout where an output's file is asked for.
STDOUT = "-"


class Advance(Protocol):
    """Takes how many photos are done, how many of these failed, and, if it is known only now, of how many."""

    def __call__(self, done: int, failed: int = 0, total: int | None = None) -> None:
        """Show it."""


def say(message: str, *, quiet: bool = False) -> None:
    """Write a line for the person at the terminal to stderr."""
    if not quiet:
        print(message, file=sys.stderr, flush=True)  # noqa: T201 - this is the place that prints


def answer(text: str) -> None:
    """Write a result that a person asked for to stdout."""
    print(text, flush=True)  # noqa: T201 - this is the place that prints


def write_text(target: str | Path | None, text: str) -> None:
    """Write ``text`` to the file ``target``, making its folder; to stdout for ``-``, nowhere for None.

    Raises:
        UsageError: the file can't be written, or is a photo by its ending.
    """
    from landfall.photos import PHOTO_SUFFIXES
    from landfall.rendering import write_output  # brings in numpy, which `--help` does without

    if target is None:
        return
    if str(target) == STDOUT:
        answer(text.removesuffix("\n"))
        return
    path = Path(target)
    if path.suffix.lower() in PHOTO_SUFFIXES:
        raise UsageError(f"{path} is a photo by its name, and text is to be written. Give another name.")
    write_output(path, text)


def check_one_stdout(*targets: str | Path | None) -> bool:
    """Tell whether one of the outputs goes to stdout, where nothing else may then be said.

    Raises:
        UsageError: more than one does.
    """
    count = sum(str(target) == STDOUT for target in targets)
    if count > 1:
        raise UsageError(f"{count} outputs were asked for on stdout ({STDOUT}); only one can be.")
    return count == 1


def write_json(target: str | None, value: Any) -> None:
    """Write ``value`` as JSON to the file ``target``, to stdout for ``-``, nowhere for None.

    Raises:
        UsageError: the file can't be written.
    """
    if target is None:
        return
    # A terminal of another encoding would get escapes that are Python's and not JSON's.
    utf_8 = target != STDOUT or sys.stdout.encoding.lower() in ("utf-8", "utf8")
    write_text(target, json.dumps(value, indent=2, ensure_ascii=not utf_8, allow_nan=False) + "\n")


@contextmanager
def progress_bar(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Advance]:
    """Show how far long work has come, with photos a second and the time left, on stderr.

    On a terminal it is a bar, in a log file a line now and then. What is told first, such as the photos of an
    earlier run that is gone on with, is where the speed starts to count.

    Args:
        what: is being done, in a word.
        total: of how many photos; None where it isn't known yet.
        quiet: show nothing.

    Yields:
        what to call with the counts so far, best once before the first photo.
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
        pace = _Pace()

        def advance(done: int, failed: int = 0, total: int | None = None) -> None:
            per_s = pace.at(done)
            rate = f"{per_s:.1f}/s" if per_s else ""
            broken = f"{failed} failed" if failed else ""
            if total is not None:
                bar.update(task, total=total)
            bar.update(task, completed=done, rate=rate, failed=broken)

        yield advance


class _Pace:
    """Photos a second since the first count."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def at(self, done: int) -> float | None:
        """Return the speed when ``done`` are done; None before there is one."""
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        before, started = self._first
        return (done - before) / (now - started) if done > before and now > started else None


def _plain_lines(what: str, total: int | None) -> Advance:
    pace = _Pace()
    last = time.monotonic()
    known_total = total

    def advance(done: int, failed: int = 0, total: int | None = None) -> None:
        nonlocal last
        of = known_total if total is None else total
        per_s = pace.at(done)
        now = time.monotonic()
        if now - last < PLAIN_PROGRESS_EVERY_S and done != of:
            return
        last = now
        details = [
            f"{per_s:.1f}/s" if per_s else "",
            f"{(of - done) / per_s:.0f} s left" if of and per_s and done < of else "",
            f"{failed} failed" if failed else "",
        ]
        told = ", ".join(filter(None, details))
        say(f"{what}: {done}{f'/{of}' if of else ''}{f' ({told})' if told else ''}")

    return advance
