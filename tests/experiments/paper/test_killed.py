"""kill -9 of a real process: finished runs are not repeated, and all ends in the same bytes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.experiments.paper.conftest import Killable
from tests.experiments.paper.street_run import NAME

from landfall.experiments.paper.store import ResultsFolder

pytestmark = pytest.mark.xdist_group("experiments")


def models_and_measurements(out: Path) -> dict[str, bytes]:
    """Return what tells of no seconds and no dates."""
    kept = [
        *out.glob("runs/*/best.safetensors"),
        *out.glob("runs/*/untrained.safetensors"),
        *out.glob("runs/*/tests/*.json"),
    ]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in kept}


def test_killed_twice_it_ends_in_the_same_bytes_and_repeats_nothing(
    killable: Killable, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    first = killable(out, "after", "result.json")  # the first run is trained, and not measured
    assert first.returncode == -signal.SIGKILL, first.stderr
    [finished] = out.glob("runs/*/result.json")
    model = finished.with_name("best.safetensors")
    before = model.stat().st_mtime_ns, finished.stat().st_mtime_ns

    # The second run's first save of a best epoch: its last round is done, and counts only with its state.
    second = killable(out, "before", "best.safetensors")
    assert second.returncode == -signal.SIGKILL, second.stderr
    assert len(list(out.glob("runs/*/state.pt"))) == 2
    assert list(out.glob("runs/*/result.json")) == [finished]
    [measured] = out.glob("runs/*/tests/*.json")
    measured_before = measured.stat().st_mtime_ns

    third = killable(out)
    assert third.returncode == 0, third.stderr
    assert (model.stat().st_mtime_ns, finished.stat().st_mtime_ns) == before
    assert measured.stat().st_mtime_ns == measured_before
    assert models_and_measurements(out) == models_and_measurements(undisturbed)
    assert len(models_and_measurements(out)) == 2 + 2 + 4
    assert not list(out.rglob("*.tmp"))
    record = ResultsFolder(out).record(NAME)
    assert record is not None
    assert record["variants"] == ResultsFolder(undisturbed).record(NAME)["variants"]  # type: ignore[index]
