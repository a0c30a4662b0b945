"""Real datasets load with the counts their description states."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from landfall.datasets import check_dataset, load_dataset, load_photos, spots
from landfall.geo import Positions, distances_m

pytestmark = pytest.mark.trial


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("LANDFALL_TRIAL_DATA")
    if not folder:
        pytest.skip("LANDFALL_TRIAL_DATA is not set")
    return Path(folder)


def need(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"LANDFALL_TRIAL_DATA has no {path.name}")
    return path


@pytest.mark.parametrize(
    ("split", "database", "queries", "spot_count", "with_positive"),
    [
        ("test", 912, 300, 75, {25.0: 300}),
        ("val", 464, 152, 38, {25.0: 148}),
        ("train", 1676, 556, 139, {5.0: 212, 10.0: 424}),
    ],
)
def test_cambridge(
    data: Path, split: str, database: int, queries: int, spot_count: int, with_positive: dict[float, int]
) -> None:
    loaded = load_dataset(need(data / "cambridge"), split)
    assert not loaded.problems
    assert (len(loaded.database), len(loaded.queries)) == (database, queries)
    assert loaded.database.positions.zones() == ((31, False),)
    assert spots(loaded.queries.positions).max() + 1 == spot_count
    for radius_m, count in with_positive.items():
        assert int((loaded.positives(radius_m).counts > 0).sum()) == count


def test_cambridge_has_nothing_strange_but_queries_without_positives(data: Path) -> None:
    report = check_dataset(load_dataset(need(data / "cambridge"), "val"))
    assert {kind: count for kind, count in report.counts.items() if count} == {"no positive": 4}


def test_gardens_point_is_planar(data: Path) -> None:
    loaded = load_dataset(need(data / "gardens_point"), "test")
    assert (len(loaded.database), len(loaded.queries)) == (200, 200)
    assert not loaded.problems
    # A frame every 10 m on a line: within 25 m are the frame itself and two on either side.
    counts = loaded.positives(25).counts.tolist()
    assert counts == [3, 4] + [5] * 196 + [4, 3]
    assert not load_photos(data / "gardens_point").photos.positions.known.any()


def test_toy_has_no_positions(data: Path) -> None:
    loaded = load_dataset(need(data / "toy"))
    assert (loaded.layout, len(loaded.database), len(loaded.queries)) == ("folders", 17, 5)
    assert len(loaded.problems) == 22


def test_exif_photos_are_where_their_index_says(data: Path) -> None:
    folder = need(data / "exif")
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        wanted = {row["path"]: row for row in csv.DictReader(stream)}
    listing = load_photos(folder)
    assert not listing.failed
    assert set(listing.photos.names) == set(wanted)
    located = {name for name, row in wanted.items() if row["lat"]}
    rows = [row for row, name in enumerate(listing.photos.names) if name in located]
    degrees = [
        (float(wanted[listing.photos.names[row]]["lat"]), float(wanted[listing.photos.names[row]]["lon"]))
        for row in rows
    ]
    truth = Positions.from_latlon([lat for lat, _ in degrees], [lon for _, lon in degrees])
    assert distances_m(listing.photos.positions.take(rows), truth).max() < 1
    assert {problem.photo for problem in listing.without_position} == set(wanted) - located
    assert np.count_nonzero(listing.photos.positions.known) == len(located)
    # The same by the table.
    table = load_photos(folder / "index.csv")
    assert {problem.photo for problem in table.without_position} == set(wanted) - located
    assert not table.failed
