"""A small street of drawn photos, and the command line as its users call it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.geo import LatLon
from landfall.photos import write_jpeg

PLACES = 6
STEP_DEG = 0.001  # some 110 m of latitude between neighbouring places

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def picture(place: int, shift_px: int = 0) -> NDArray[np.uint8]:
    """Return a photo of a place (96, 128, 3): blocks of its own grey levels, seen from a little aside."""
    rng = np.random.default_rng(place)
    blocks = rng.integers(0, 256, size=(12, 20), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    view = blocks[:, 16 + shift_px : 144 + shift_px]
    return np.repeat(view[:, :, None], 3, axis=2)


def place_of(place: int) -> LatLon:
    return LatLon(52.0 + STEP_DEG * place, 0.5)


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``street/photos``: two geotagged photos of each place; ``street/queries``: one, with no position."""
    root = tmp_path_factory.mktemp("street")
    for folder in ("photos/first pass", "queries"):
        (root / folder).mkdir(parents=True)
    for place in range(PLACES):
        for number, shift in enumerate((-3, 3)):
            write_jpeg(
                root / "photos/first pass" / f"{place}-{number}.jpg",
                picture(place, shift),
                location=place_of(place),
                altitude_m=10.0 + place,
                heading_deg=90.0,
            )
        write_jpeg(root / "queries" / f"{place}.jpg", picture(place))
    return root


@pytest.fixture(scope="session")
def landfall() -> Run:
    """Run ``landfall ARGUMENTS...`` as a process of its own."""
    command = Path(sys.executable).with_name("landfall")

    def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=240
        )

    return run


@pytest.fixture(scope="session")
def street_index(street: Path, landfall: Run) -> Path:
    """The index of the street's geotagged photos, made by densevlad."""
    out = street / "street.lf"
    done = landfall("index", "build", street / "photos", "--out", out, "--quiet")
    assert done.returncode == 0, done.stderr
    return out
