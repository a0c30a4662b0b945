"""A real server killed under load: what it acknowledged is there, whole and once."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread

import httpx2 as httpx
import pytest
from tests.service.conftest import INDEXED, place_of, sent, small_index

from landfall.files import hash_bytes
from landfall.index import Index, verify_index
from landfall.photos import strip_metadata

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("photo_server.py")
WRITERS, READERS = 4, 2
# A server that starts imports torch, on a machine that may be busy.
LONGEST_START_S = 180.0


@dataclass
class Ledger:
    """What was sent, and what was acknowledged: places by the number that the index gave them."""

    added: dict[int, int] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)
    answers: int = 0
    next_place: int = 100
    lock: Lock = field(default_factory=Lock)

    def take_place(self) -> int:
        with self.lock:
            self.next_place += 1
            return self.next_place


@contextmanager
def serving(index: Path, uploads: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a server and wait until it answers; kill it at the end if it still runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lookup = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(index), str(uploads), str(port)],
        env={**os.environ, "PYTHONPATH": lookup, "OMP_NUM_THREADS": "1"},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + LONGEST_START_S
        while True:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server did not start"
            try:
                httpx.get(f"{url}/readyz")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, process
    finally:
        process.kill()
        process.wait()


def photo_of(folder: Path, place: int) -> bytes:
    """Return a photo's file; each thread has a folder of its own."""
    folder.mkdir(exist_ok=True)
    return sent(folder, place)


def write(url: str, folder: Path, ledger: Ledger, seed: int, stop: Event) -> None:
    """Add photos, some of them again, and remove some of one's own, until the server dies."""
    draw = random.Random(seed)
    own: list[int] = []
    with httpx.Client(base_url=url, timeout=60) as client:
        while not stop.is_set():
            if own and draw.random() < 0.2:
                gone = own.pop()
                with ledger.lock:
                    ledger.doubtful.add(gone)
                assert client.delete(f"/v1/photos/{gone}").status_code == 204
                with ledger.lock:
                    ledger.removed.add(gone)
                    ledger.answers += 1
                continue
            place = ledger.take_place()
            files = [("photos", (f"{place}.jpg", photo_of(folder, place)))]
            for _ in range(draw.choice([1, 1, 2])):  # someone who missed the answer sends it again
                told = client.post("/v1/photos", files=files)
                assert told.status_code == 201, told.text
                (added,) = told.json()["added"]
                with ledger.lock:
                    assert ledger.added.setdefault(added["id"], place) == place
                    ledger.answers += 1
            own.append(added["id"])


def ask(url: str, folder: Path, ledger: Ledger, seed: int, stop: Event) -> None:
    """Localize photos of the index until the server dies; each is found all the while."""
    draw = random.Random(seed)
    with httpx.Client(base_url=url, timeout=60) as client:
        while not stop.is_set():
            place = draw.randrange(INDEXED)
            told = client.post("/v1/localize", files=[("photos", ("q.jpg", photo_of(folder, place)))])
            assert told.json()[0]["matches"][0]["id"] == place + 1
            with ledger.lock:
                ledger.answers += 1


def under_load(url: str, folder: Path, ledger: Ledger, seed: int, kill: Callable[[], None]) -> list[str]:
    """Write and ask from many threads, kill in the middle of it, and return what went wrong before."""
    stop = Event()
    wrong: list[str] = []

    def run(work: Callable[..., None], number: int) -> None:
        try:
            work(url, folder / f"thread-{number}", ledger, seed * 100 + number, stop)
        except httpx.TransportError as error:
            if not stop.is_set():
                wrong.append(repr(error))
        except AssertionError as error:
            wrong.append(repr(error))

    threads = [
        Thread(target=run, args=(write if number < WRITERS else ask, number))
        for number in range(WRITERS + READERS)
    ]
    for thread in threads:
        thread.start()
    # Some work is done before the moment is drawn, however busy the machine is.
    before = len(ledger.added)
    until = time.monotonic() + 60
    while len(ledger.added) < before + WRITERS + 1 and time.monotonic() < until and not wrong:
        time.sleep(0.01)
    time.sleep(random.Random(seed).uniform(0, 0.5))
    stop.set()
    kill()
    for thread in threads:
        thread.join()
    return wrong


def check(index: Path, folder: Path, ledger: Ledger) -> None:
    """Check that an index holds what was acknowledged, and each photo once."""
    assert verify_index(index, photos=True) == []
    opened = Index.open(index)
    records = {record.id: record for record in opened.records()}
    hashes = [record.content_hash for record in records.values()]
    assert len(set(hashes)) == len(hashes)
    for photo_id, place in ledger.added.items():
        if photo_id in ledger.removed:
            assert photo_id not in records
            assert opened.thumbnail(photo_id) is None
        elif photo_id in records or photo_id not in ledger.doubtful:
            record = records[photo_id]
            assert record.lat == pytest.approx(place_of(place).lat, abs=1e-8)
            assert record.content_hash == hash_bytes(strip_metadata(photo_of(folder, place), "a")[0])
            assert opened.thumbnail(photo_id) is not None
    assert set(range(1, INDEXED + 1)) <= set(records)


def kill_server(folder: Path, rounds: int) -> Ledger:
    index, uploads = small_index(folder).path, folder / "uploads"
    ledger = Ledger()
    for number in range(rounds):
        with serving(index, uploads) as (url, process):
            wrong = under_load(url, folder, ledger, number, lambda: process.send_signal(signal.SIGKILL))
            process.wait()
        assert wrong == []
        check(index, folder, ledger)
    # Started again and stopped as it should be, it leaves the files that the index names and no other.
    with serving(index, uploads) as (_, process):
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    opened = Index.open(index)
    sent_ids = [record.id for record in opened.records() if record.id > INDEXED]
    paths = [opened.path_of(photo_id) for photo_id in sent_ids]
    kept = {file.name for file in uploads.iterdir()} - {".landfall"}
    assert kept == {path.name for path in paths if path is not None}
    check(index, folder, ledger)
    return ledger


def test_a_server_killed_under_load_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    ledger = kill_server(tmp_path, 1)
    assert len(ledger.added) > WRITERS


@pytest.mark.trial
def test_thirty_kills_of_a_server(tmp_path: Path) -> None:
    ledger = kill_server(tmp_path, 30)
    assert len(ledger.added) > 100
    assert len(ledger.removed) > 5
