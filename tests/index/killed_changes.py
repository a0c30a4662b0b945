"""Changes killed at random moments, run as ``python killed_changes.py INDEX ROUNDS SEED``.

Each round a child process adds, removes and compacts without end, and tells before and after each commit what
it does. It is killed at a random moment. Then the index must be what was told last, or that and the commit
that was under way; it must be whole; and the next change must go through.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from tests.index.changes import built, check, enter

from landfall.index import verify_index
from landfall.index.change import changing_folder

# Longer than some changes take, so that kills meet every moment of one.
LONGEST_S = 0.25


def work_without_end(index: Path, present: list[int], next_id: int, seed: int, told: int) -> None:
    draw = random.Random(seed)
    while True:
        kind = draw.choice(["add", "add", "remove", "compact"])
        after = list(present)
        fresh = list(range(next_id, next_id + draw.randint(1, 5)))
        gone = draw.sample(present, min(len(present), draw.randint(1, 4)))
        if kind == "add":
            after += fresh
            next_id += len(fresh)
        elif kind == "remove":
            after = [photo_id for photo_id in present if photo_id not in gone]
        os.write(told, f"begin {after}\n".encode())
        with changing_folder(index) as change:
            if kind == "add":
                enter(change, fresh)
            elif kind == "remove":
                change.records.delete(gone)
            else:
                change.compact()
            change.commit()
        os.write(told, f"done {after}\n".encode())
        present = after


def numbers(line: str) -> list[int]:
    return [int(word) for word in line.split("[")[1].rstrip("]").split(",") if word.strip()]


def main(path: str, rounds: int, seed: int) -> None:
    index = Path(path)
    draw = random.Random(seed)
    present = list(range(1, 9))
    next_id = 9
    built(index, present, thumbnails=True)
    under_way = 0
    for number in range(rounds):
        reading, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            work_without_end(index, present, next_id, seed * 1000 + number, told)
        os.close(told)
        time.sleep(draw.uniform(0, LONGEST_S))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading) as lines:
            said = lines.read().splitlines()
        done = [numbers(line) for line in said if line.startswith("done")]
        known = done[-1] if done else present
        begun = numbers(said[-1]) if said and said[-1].startswith("begin") else known
        under_way += begun != known
        problems = verify_index(index)
        assert problems == [], problems
        with changing_folder(index) as change:
            found = [photo.id for photo in change.index.photos()]
            assert found in (known, begun), (found, known, begun)
            check(change.index, found)
            next_id = change.records.next_id()
            enter(change, [next_id])
            present = [*found, next_id]
            next_id += 1
            check(change.commit(), present)
        named = {file.name for file in index.iterdir()} - {"lock", "manifest.json"}
        assert named == set(change.index.latest().manifest.files), named
    print(f"{rounds} kills, {under_way} in a change")  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
