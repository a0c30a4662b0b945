"""What commands print: progress whose speed is that of this run, JSON that any terminal can carry."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from landfall.cli import console
from landfall.cli.console import progress_bar, write_json, write_text
from landfall.errors import UsageError


class Clock:
    """Stands for the time, which only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(console, "time", clock)
    return clock


def test_a_log_gets_a_line_now_and_then_and_one_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("Reading", 100) as advance:
        advance(0)
        for second in range(1, 26):
            clock.now += 1.0
            advance(4 * second, 1)
    # 4 photos a second: (100 - 40) / 4 = 15 s are left after 10 s.
    assert capsys.readouterr().err.splitlines() == [
        "Reading: 40/100 (4.0/s, 15 s left, 1 failed)",
        "Reading: 80/100 (4.0/s, 5 s left, 1 failed)",
        "Reading: 100/100 (4.0/s, 1 failed)",
    ]


def test_speed_is_of_this_run_alone(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading", None) as advance:
        clock.now += 300.0  # a fit, before anything is read
        advance(9000, total=10_000)  # of an earlier run
        clock.now += 10.0
        advance(9020, total=10_000)
    # 20 in 10 s are 2 a second, and 980 are left.
    first, second = capsys.readouterr().err.splitlines()
    assert first == "Reading: 9000/10000"
    assert second == "Reading: 9020/10000 (2.0/s, 490 s left)"


def test_without_a_total_what_is_done_is_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading", None) as advance:
        advance(0)
        clock.now += 20.0
        advance(10)
    assert capsys.readouterr().err == "Reading: 10 (0.5/s)\n"


def test_quiet_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading", 2, quiet=True) as advance:
        clock.now += 100.0
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar("Reading", None) as advance:
        advance(0, total=8)
        advance(8, 3, total=8)
    shown = terminal.getvalue()
    assert "Reading" in shown
    assert "8/8" in shown
    assert "3 failed" in shown


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_is_read_back_whatever_the_terminal_s_encoding(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace"))
    value = {"photo": "fenêtre über allem … 雪.jpg", "distance": 0.5, "radius_m": None}
    write_json("-", value)
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode(encoding)) == value


def test_json_goes_to_a_file_in_a_new_folder_or_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A name that is not UTF-8 comes with a surrogate; JSON's escape of it reads back the same.
    value = [{"photo": "ü\udcff.jpg"}]
    write_json(str(tmp_path / "new" / "told.json"), value)
    assert json.loads((tmp_path / "new" / "told.json").read_text(encoding="utf-8")) == value
    write_json(None, value)
    assert capsys.readouterr().out == ""


def test_a_place_that_can_t_be_written_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"told\.json can't be written"):
        write_text(tmp_path / "file" / "told.json", "{}")
