"""An index whose ``add``, ``remove`` and ``compact`` are killed at random moments (`make trial`)."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import picture, place_of

from landfall.index import Index, verify_index
from landfall.photos import write_jpeg

KILLS = 50
PHOTOS_AN_ADD = 3
COMMAND = Path(sys.executable).with_name("landfall")


def killed(arguments: list[object], within_s: float, chance: random.Random) -> bool:
    """Run a command, kill it at a random moment, and tell whether it had been killed before it ended well."""
    process = subprocess.Popen(
        [COMMAND, "index", *map(str, arguments), "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        process.wait(chance.uniform(0.5, 1.0) * within_s)
    except subprocess.TimeoutExpired:
        process.kill()
    _, told = process.communicate()
    assert process.returncode in (0, -9), told.decode()
    return process.returncode != 0


@pytest.mark.trial
def test_nothing_that_was_reported_is_lost_however_often_it_is_killed(
    street_index: Path, tmp_path: Path
) -> None:
    index = Path(shutil.copytree(street_index, tmp_path / "own.lf"))
    chance = random.Random(0)
    number = itertools.count(1)
    there = {photo.photo for photo in Index.open(index).photos()}
    longest_s = {"add": 8.0, "remove": 4.0, "compact": 4.0}
    kills = dict.fromkeys(longest_s, 0)
    done = dict.fromkeys(longest_s, 0)
    while sum(kills.values()) < KILLS:
        what = chance.choice(list(longest_s))
        new: set[str] = set()
        gone: set[str] = set()
        if what == "add":
            folder = tmp_path / f"later-{next(number)}"
            folder.mkdir()
            for _ in range(PHOTOS_AN_ADD):
                place = next(number)
                new.add(f"{folder.name}-{place}.jpg")
                write_jpeg(folder / f"{folder.name}-{place}.jpg", picture(place), location=place_of(place))
            arguments: list[object] = [what, index, folder]
        elif what == "remove":
            gone = set(chance.sample(sorted(there), 1))
            arguments = [what, index, *gone]
        else:
            arguments = [what, index]
        started = time.monotonic()
        was_killed = killed(arguments, longest_s[what], chance)
        took_s = time.monotonic() - started
        assert verify_index(index) == []
        now = {photo.photo for photo in Index.open(index).photos()}
        if was_killed:
            kills[what] += 1
            # All or nothing: a change that was killed has happened, or it has not.
            assert now in (there, (there | new) - gone), what
            # Starting takes most of a command's time; the changes come at its end.
            longest_s[what] *= 1.1
        else:
            done[what] += 1
            longest_s[what] = min(longest_s[what], 1.1 * took_s)
            assert now == (there | new) - gone
        there = now
    assert min(done.values()) > 0, "no command was let come to its end, so the kills came too early"
