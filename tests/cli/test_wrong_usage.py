"""Bad input and places that can't be written: one line that says so and exit code 2, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# The command, where FILE, EMPTY (a folder), PHOTOS and INDEX stand for paths, and what must be told.
CASES = {
    "a file where the city should go": ("dataset draw FILE --size tiny", "FILE can't be drawn into"),
    "a device that is none": ("dataset draw NEW --size tiny --device cpufoo", "'cpufoo'"),
    "a negative seed": ("dataset draw NEW --seed -1", "--seed"),
    "a check of nothing": ("dataset check EMPTY", "no known layout"),
    "a map that can't be written": ("dataset info PHOTOS --png FILE/map.png", "map.png can't be written"),
    "a page that can't be written": ("localize PHOTOS --index INDEX --html FILE/p.html", "can't be written"),
    "a name that is too long": (f"localize {'x' * 300} --index INDEX", "too long"),
    "a split of nothing": ("models create --head base --split train --out NEW", "--init"),
    "no such device to search on": ("localize PHOTOS --index INDEX --device foo", "'foo'"),
    "a shard that is none": ("extract PHOTOS --model densevlad --out NEW --shard 1of2", "3/16"),
}


@pytest.mark.parametrize(("command", "told"), CASES.values(), ids=list(CASES))
def test_one_line_says_what_is_wrong(
    command: str, told: str, street: Path, street_index: Path, landfall: Run, tmp_path: Path
) -> None:
    (tmp_path / "FILE").touch()
    (tmp_path / "EMPTY").mkdir()
    places = {"PHOTOS": str(street / "photos"), "INDEX": str(street_index)}
    done = landfall(*(places.get(argument, argument) for argument in command.split()), cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_terminal_of_another_encoding_gets_its_answer(street: Path, street_index: Path) -> None:
    landfall = Path(sys.executable).with_name("landfall")
    short = street / "queries" / "1.jpg"
    # Longer than the table's column, so that it is cut with an ellipsis, which ASCII lacks.
    long = street / "queries" / f"{'long ' * 12}.jpg"
    long.write_bytes(short.read_bytes())
    try:
        done = subprocess.run(
            [landfall, "localize", short, long, "--index", street_index, "--quiet"],
            capture_output=True,
            check=False,
            timeout=240,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
    finally:
        long.unlink()
    assert done.returncode == 0, done.stderr
    table = done.stdout.decode("ascii").splitlines()
    assert table[1].startswith(short.as_posix()[:8])
    assert "\\u2026" in table[2]
