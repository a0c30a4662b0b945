from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landfall.datasets import Dataset, PhotoSet, describe_dataset, map_coordinates
from landfall.errors import PositionError
from landfall.geo import Positions


def photos(positions: Positions) -> PhotoSet:
    return PhotoSet.of(Path(), tuple(f"{row}.jpg" for row in range(len(positions))), positions)


def town() -> Dataset:
    """Four database photos on two spots 60 m apart, three queries at 0 m, 20 m and nowhere."""
    database = photos(
        Positions.from_utm([500_000, 500_000, 500_000, 500_060], [7.0, 7.0, 7.0, 7.0], 31, False)
    )
    queries = photos(Positions.from_utm([500_000, 500_000, np.nan], [7.0, 27.0, np.nan], 31, False))
    return Dataset("town", "val", "standard", Path(), database, queries)


def pile(positions: Positions) -> Dataset:
    return Dataset("pile", None, "exif", Path(), photos(positions), PhotoSet.empty(Path()))


def test_counts() -> None:
    info = describe_dataset(town())
    assert (info.database.photos, info.database.spots, info.database.photos_per_spot) == (4, 2, (1, 2.0, 3))
    assert (info.queries.photos, info.queries.with_position, info.queries.spots) == (3, 2, 2)
    assert info.extent_m == (60.0, 20.0)
    assert info.zones == ("31N",)
    assert info.without_positive == {"10": 2, "25": 1, "50": 1}
    assert info.ceiling == {
        "10": pytest.approx(100 / 3),
        "25": pytest.approx(200 / 3),
        "50": pytest.approx(200 / 3),
    }
    assert info.center == pytest.approx((0.0, 3.0), abs=1e-3)


def test_headings_and_times() -> None:
    base = town().queries
    taken_at = np.array(["2015-03-12T14:30:05", "NaT", "2014-01-01"], dtype="datetime64[s]")
    queries = replace(base, heading_deg=np.array([0.0, np.nan, 90.0]), taken_at=taken_at)
    info = describe_dataset(replace(town(), queries=queries)).queries
    assert (info.with_heading, info.with_time) == (2, 2)
    assert (info.first_taken, info.last_taken) == ("2014-01-01T00:00:00", "2015-03-12T14:30:05")


def test_text_and_json_say_it() -> None:
    info = describe_dataset(town())
    text = info.to_text()
    for said in (
        "town/val",
        "4 photos",
        "2 spots (1 to 3 photos each, median 2)",
        "2 spots (1 photo each)",
        "60 m east-west, 20 m north-south",
        "31N",
        "1 of 3 queries have no positive",
    ):
        assert said in text, said
    again = json.loads(json.dumps(info.to_dict()))
    assert again["queries"]["photos"] == 3
    assert again["ceiling"]["10"] == pytest.approx(100 / 3)


def test_no_queries_and_no_positions() -> None:
    nothing = pile(Positions.unknown(2))
    info = describe_dataset(nothing)
    assert (info.extent_m, info.center, info.zones) == (None, None, ())
    assert info.ceiling == {"10": None, "25": None, "50": None}
    assert info.database.photos_per_spot is None
    assert "recall" not in info.to_text()
    assert "2 photos, none with a position" in info.to_text()
    assert "no photo has a position" in info.to_text()
    assert "zones" not in info.to_text()
    json.dumps(info.to_dict(), allow_nan=False)


def test_a_map_of_one_zone_is_its_utm_plane() -> None:
    database, queries = map_coordinates(town())
    np.testing.assert_array_equal(database[0], [500_000, 7])
    assert np.isnan(queries[2]).all()


def test_a_map_over_a_zone_border_keeps_distances() -> None:
    # 0.01 degrees on the equator are 1113 m, north of it 1106 m; zones 31 and 32 meet at 6 degrees east.
    both = pile(Positions.from_latlon([0, 0.01], [5.995, 6.005]))
    plane, _ = map_coordinates(both)
    np.testing.assert_allclose(plane[1] - plane[0], [1113, 1106], rtol=0.01)
    assert describe_dataset(both).zones == ("31N", "32N")


def test_a_map_over_the_date_line_stays_together() -> None:
    fiji = pile(Positions.from_latlon([-17, -17], [179.99, -179.99]))
    info = describe_dataset(fiji)
    assert info.extent_m is not None
    # 0.02 degrees at 17 degrees south: 0.02 * 111.3 km * cos(17 degrees).
    assert info.extent_m[0] == pytest.approx(0.02 * 111_300 * np.cos(np.radians(17)), rel=0.01)
    assert info.center is not None
    assert abs(info.center[1]) == pytest.approx(180)


def test_large_extents_are_in_kilometres() -> None:
    # One UTM plane, so that the extent is the difference of the coordinates.
    wide = pile(Positions.from_utm([500_000, 512_340], [0.0, 10_000.0], 31, False))
    assert "12.3 km east-west, 10000 m north-south" in describe_dataset(wide).to_text()


def test_two_frames_are_refused() -> None:
    mixed = replace(town(), queries=photos(Positions.planar([0.0], [0.0])))
    with pytest.raises(PositionError):
        describe_dataset(mixed)
